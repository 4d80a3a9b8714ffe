"""Settings of the webhooks that go out (docs/webhooks.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ecomsite import env


@dataclass(frozen=True)
class Outbox:
    """Webhooks that go out."""

    # Type → what happened; what each one's data holds stands in moderation/announcements.py.
    event_types: Mapping[str, str]
    # From the connection to the answer.
    timeout_s: int
    # As Standard Webhooks has it: after each failed try; after the last one more, then it is a dead letter.
    retry_pauses: Sequence[dt.timedelta]
    # Receivers in private networks and on this machine; plain HTTP to this machine alone.
    allow_private: bool
    # Certificates of your own authority, beside the public ones.
    ca_file: str


OUTBOX = Outbox(
    event_types={
        "copy.published": "a text went live",
        "copy.retired": "a text is no longer shown",
        "item.completed": "a person decided a review item",
        "request.completed": "the drafts of a request are written",
        "request.failed": "a request was given up",
        "review.hidden": "a customer review is not to be shown",
        "review.shown": "a customer review that was hidden may be shown again",
    },
    timeout_s=env.integer("WEBHOOKS_TIMEOUT_S", 15, minimum=1),
    retry_pauses=env.durations("WEBHOOKS_RETRY_PAUSES", "5s,5m,30m,2h,5h,10h,14h,20h,24h"),
    allow_private=env.boolean("WEBHOOKS_ALLOW_PRIVATE", default=False),
    ca_file=env.text("WEBHOOKS_CA_FILE"),
)
