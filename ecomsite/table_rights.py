"""What the desk may do with its tables, where they belong to another role: read and write rows; of some, only add.

`manage.py migrate` runs as the owner, if there is one (DATABASE_OWNER_URL), and grants this after each migration. Web
and workers never read that URL.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dj_database_url
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import atomic
from psycopg import sql

from core.exceptions import PermanentError
from ecomsite import env

# Beside those with an append-only trigger: what was checked is not rewritten, and which migrations ran is the owner's.
ADD_ONLY, READ_ONLY = ("audit_ledgercheck",), ("django_migrations",)
TABLES = """
SELECT c.relname, EXISTS (
    SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND p.proname ~ '_is_append_only$')
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relowner = %s::regrole
"""
SEQUENCES = """
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'S' AND c.relowner = %s::regrole
"""
TRIGGERS = """
SELECT p.oid::regprocedure::text FROM pg_proc p
WHERE p.pronamespace = 'public'::regnamespace AND p.prorettype = 'trigger'::regtype AND p.proowner = %s::regrole
"""
OWNS = """
SELECT r.rolsuper OR pg_has_role(r.oid, c.relowner, 'MEMBER') FROM pg_class c, pg_roles r
WHERE c.oid = to_regclass('public.audit_ledgerentry') AND r.rolname = current_user
"""


@contextmanager
def as_owner(connection: BaseDatabaseWrapper) -> Iterator[str | None]:
    """Let `connection` be the owner's for the block, and give the role it is otherwise; None where no owner is set.

    Raises `PermanentError` when the owner's URL leads to another database.
    """
    before = dict(connection.settings_dict)
    url = env.owner_database_url()
    owner = dj_database_url.parse(url) if url else {}
    if not owner or owner["USER"] == before["USER"]:
        yield None
        return
    if owner["NAME"] != before["NAME"]:
        raise PermanentError(
            f"DATABASE_OWNER_URL leads to the database {owner['NAME']}, DATABASE_URL to {before['NAME']}.",
            hint="Give both the same name.",
        )
    connection.close()
    connection.settings_dict.update({name: owner[name] for name in ("USER", "PASSWORD", "HOST", "PORT")})
    connection.settings_dict["OPTIONS"] = {**before.get("OPTIONS", {}), **owner.get("OPTIONS", {})}
    try:
        yield str(before["USER"])
    finally:
        connection.close()
        connection.settings_dict.update(before)


def grant(connection: BaseDatabaseWrapper, *, desk: str) -> None:
    """Let the role `desk` work with all tables of the role that `connection` is: write rows, but change no table."""
    role = sql.Identifier(desk)
    with atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_user)")
        owner = [cursor.fetchone()[0]]
        cursor.execute(TABLES, owner)
        rights = {name: _rights_on(name, only_grows=grows) for name, grows in cursor.fetchall()}
        for name, may in rights.items():
            table = sql.Identifier(name)
            cursor.execute(sql.SQL("REVOKE ALL ON TABLE {} FROM {}, PUBLIC").format(table, role))
            cursor.execute(sql.SQL("GRANT {} ON TABLE {} TO {}").format(sql.SQL(may), table, role))
        cursor.execute(SEQUENCES, owner)
        for (name,) in cursor.fetchall():
            cursor.execute(sql.SQL("GRANT USAGE, SELECT ON SEQUENCE {} TO {}").format(sql.Identifier(name), role))
        cursor.execute(TRIGGERS, owner)
        for (name,) in cursor.fetchall():
            # Otherwise a temporary table of the desk's could stand in for the one that a trigger reads.
            cursor.execute(f"ALTER FUNCTION {name} SET search_path = pg_catalog, public, pg_temp")


def _rights_on(table: str, *, only_grows: bool) -> str:
    """What the desk may do with `table`; rows of what `only_grows` are never changed."""
    if table in READ_ONLY:
        return "SELECT"
    if only_grows or table in ADD_ONLY:
        return "SELECT, INSERT"
    return "SELECT, INSERT, UPDATE, DELETE"


def desk_owns_the_ledger(connection: BaseDatabaseWrapper) -> bool:
    """Whether the role of `connection` could drop the ledger's triggers. False where there is no ledger yet."""
    with connection.cursor() as cursor:
        cursor.execute(OWNS)
        row = cursor.fetchone()
    return bool(row and row[0])
