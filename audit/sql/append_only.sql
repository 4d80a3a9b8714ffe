-- Make the ledger append-only in the database itself, so that bulk operations and raw SQL are refused too.
CREATE OR REPLACE FUNCTION audit_ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE OR REPLACE TRIGGER audit_ledger_no_change BEFORE UPDATE OR DELETE ON audit_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION audit_ledger_is_append_only();
CREATE OR REPLACE TRIGGER audit_ledger_no_truncate BEFORE TRUNCATE ON audit_ledgerentry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_ledger_is_append_only();

CREATE OR REPLACE TRIGGER audit_treehead_no_change BEFORE UPDATE OR DELETE ON audit_treehead
    FOR EACH ROW EXECUTE FUNCTION audit_ledger_is_append_only();
CREATE OR REPLACE TRIGGER audit_treehead_no_truncate BEFORE TRUNCATE ON audit_treehead
    FOR EACH STATEMENT EXECUTE FUNCTION audit_ledger_is_append_only();
CREATE OR REPLACE TRIGGER audit_timestamp_no_change BEFORE UPDATE OR DELETE ON audit_timestamp
    FOR EACH ROW EXECUTE FUNCTION audit_ledger_is_append_only();
CREATE OR REPLACE TRIGGER audit_timestamp_no_truncate BEFORE TRUNCATE ON audit_timestamp
    FOR EACH STATEMENT EXECUTE FUNCTION audit_ledger_is_append_only();
CREATE OR REPLACE TRIGGER audit_ledgerkey_no_change BEFORE UPDATE OR DELETE ON audit_ledgerkey
    FOR EACH ROW EXECUTE FUNCTION audit_ledger_is_append_only();
CREATE OR REPLACE TRIGGER audit_ledgerkey_no_truncate BEFORE TRUNCATE ON audit_ledgerkey
    FOR EACH STATEMENT EXECUTE FUNCTION audit_ledger_is_append_only();
