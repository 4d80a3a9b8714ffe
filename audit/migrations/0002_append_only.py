"""Make the ledger append-only in the database itself, so that bulk operations and raw SQL are refused too."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION audit_ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_ledger_no_change BEFORE UPDATE OR DELETE ON audit_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION audit_ledger_is_append_only();
CREATE TRIGGER audit_ledger_no_truncate BEFORE TRUNCATE ON audit_ledgerentry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_ledger_is_append_only();
"""

BACKWARD = """
DROP TRIGGER audit_ledger_no_change ON audit_ledgerentry;
DROP TRIGGER audit_ledger_no_truncate ON audit_ledgerentry;
DROP FUNCTION audit_ledger_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
