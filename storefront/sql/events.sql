-- What shoppers did, to be kept by the month. The default partition takes what has no month of its own: nothing is lost.
CREATE SEQUENCE IF NOT EXISTS storefront_event_sequence AS bigint CACHE 1;
CREATE TABLE IF NOT EXISTS storefront_event (
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    sequence bigint NOT NULL DEFAULT nextval('storefront_event_sequence'),
    kind varchar(12) NOT NULL,
    shopper varchar(16) NOT NULL DEFAULT '',
    session varchar(16) NOT NULL DEFAULT '',
    product_id bigint,
    shown uuid,
    channel varchar(24) NOT NULL DEFAULT '',
    locale varchar(12) NOT NULL DEFAULT '',
    audience varchar(40) NOT NULL DEFAULT '',
    variant varchar(40) NOT NULL DEFAULT '',
    experiment bigint,
    arm varchar(40) NOT NULL DEFAULT '',
    list_id varchar(40) NOT NULL DEFAULT '',
    position smallint,
    propensity double precision,
    value numeric(12, 2),
    currency varchar(3) NOT NULL DEFAULT '',
    quantity smallint NOT NULL DEFAULT 1,
    device varchar(12) NOT NULL DEFAULT '',
    is_bot boolean NOT NULL DEFAULT false,
    has_consent boolean NOT NULL DEFAULT false,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE IF NOT EXISTS storefront_event_other PARTITION OF storefront_event DEFAULT;
-- Who derives totals and lists reads on by sequence; a shopper's newest events are read at each request for a list.
CREATE INDEX IF NOT EXISTS storefront_event_by_sequence ON storefront_event (sequence);
CREATE INDEX IF NOT EXISTS storefront_event_by_shopper ON storefront_event (shopper, at DESC) WHERE shopper <> '';
CREATE INDEX IF NOT EXISTS storefront_event_by_session ON storefront_event (session, at DESC) WHERE session <> '';
