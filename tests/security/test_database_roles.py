"""The role that web and workers have in the database: it reads and writes rows, and cannot touch what guards the ledger.

On a database that was made as the first desks made theirs, by a superuser, and was then brought up to date.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from ecomsite import table_rights
from ecomsite.stack import roles
from ecomsite.stack.local import LocalStack
from ecomsite.stack.plan import read_plan
from ecomsite.stack.postgres import Postgres
from ecomsite.stack.processes import Supervisor
from tests import servers
from tests.warm import WarmProcess

# All of it works on one database of the cluster.
pytestmark = pytest.mark.xdist_group("database_roles")
APPEND_ONLY = (
    "audit_ledgerentry",
    "audit_treehead",
    "audit_ledgerkey",
    "audit_timestamp",
    "audit_ledgercheck",
    "moderation_policyversion",
    "moderation_policyactivation",
)


@dataclass
class Cluster:
    """The URLs of each role, and a way to run `manage.py` as web and workers do."""

    superuser: str
    owner: str
    desk: str
    label_studio: str
    folder: Path

    def manage(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run a command of the desk; returns how it ended and what it said."""
        return self.run("manage.py", *arguments, **environment)

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run Python as the desk; returns how it ended and what it said."""
        log = self.folder / "output"
        log.write_text("")
        inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        env = {**inherited, "ECOMSITE_VAR": str(self.folder / "var"), "DATABASE_URL": self.desk, **environment}
        process = WarmProcess(list(arguments), env=env, log=log)
        return process.wait(120), log.read_text()


@pytest.fixture(scope="module")
def cluster(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A desk of before there were roles, with a ledger that is signed, after the next `make run`."""
    if "ECOMSITE_TEST_DATABASE_URL" in os.environ:
        pytest.skip("roles are made on the session's own cluster alone")
    postgres = Postgres(servers.root() / "postgres", urlsplit(os.environ[servers.SERVER_URL]).port or 0)
    for name, template in (("ecomsite", servers.database_of("template")), ("labelstudio", "template1")):
        servers.create_database(name, template=template)
    with psycopg.connect(postgres.url("ecomsite"), autocommit=True) as connection:
        # The suite's template has some switched off, for tests that empty tables.
        for table in connection.execute("SELECT DISTINCT tgrelid::regclass FROM pg_trigger WHERE tgenabled = 'D'"):
            connection.execute(f"ALTER TABLE {table[0]} ENABLE TRIGGER USER")
    found = Cluster(postgres.url("ecomsite"), "", "", "", tmp_path_factory.mktemp("roles"))
    before = found.manage("create_logins", DATABASE_URL=found.superuser)
    assert before[0] == 0, before[1]
    found.desk, found.owner = roles.prepare_desk(postgres)
    found.label_studio = roles.prepare_label_studio(postgres)
    migrated = found.manage("migrate", "--no-input", DATABASE_OWNER_URL=found.owner)
    assert migrated[0] == 0, migrated[1]
    yield found
    for name in ("ecomsite", "labelstudio"):
        servers.drop_database(name)
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        for role in (roles.DESK, roles.OWNER, roles.LABEL_STUDIO):
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.fixture
def desk(cluster: Cluster) -> Iterator[psycopg.Connection]:
    with psycopg.connect(cluster.desk, autocommit=True) as connection:
        yield connection


def test_the_desk_does_its_work_as_that_role(cluster: Cluster) -> None:
    """Imports through temporary tables, lines in the ledger, heads, checks, a whole verification; and reports no rights too many."""
    code = (
        "import django; django.setup()\n"
        "from django.core.management import call_command as call\n"
        "call('load_demo'); call('ledger', 'sign'); call('verify_ledger'); call('check', deploy=True)"
    )
    status, said = cluster.run("-c", code)
    assert status == 0, said
    assert "lines verified" in said
    assert "ecomsite.W001" not in said
    for url, owns in ((cluster.desk, False), (cluster.owner, True), (cluster.superuser, True)):
        with psycopg.connect(url) as connection:
            assert connection.execute(table_rights.OWNS).fetchone() == (owns,)  # type: ignore[call-overload]


def test_nothing_belongs_to_the_desk_and_all_of_it_to_the_owner(cluster: Cluster, desk: psycopg.Connection) -> None:
    owners = desk.execute(
        "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class c WHERE relnamespace = 'public'::regnamespace "
        "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')"
    ).fetchall()
    assert owners == [(roles.OWNER,)]
    rights = desk.execute(
        "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = ANY(%s)",
        [[roles.OWNER, roles.DESK, roles.LABEL_STUDIO]],
    ).fetchall()
    assert rights == 3 * [(False,) * 5]
    assert desk.execute(
        "SELECT count(*) FROM pg_auth_members WHERE pg_get_userbyid(member) = current_user"
    ).fetchone() == (0,)


REFUSED = [
    *(
        f"UPDATE {table} SET id = id"
        if table.startswith(("moderation", "audit_ledgercheck", "audit_timestamp"))
        else f"UPDATE {table} SET at = now()"
        for table in APPEND_ONLY
    ),
    *(f"DELETE FROM {table}" for table in APPEND_ONLY),
    *(f"TRUNCATE {table} CASCADE" for table in (*APPEND_ONLY, "moderation_candidate", "auth_user")),
    "INSERT INTO audit_ledgerentry SELECT * FROM audit_ledgerentry ON CONFLICT (seq) DO UPDATE SET actor = 'user:1'",
    "MERGE INTO audit_ledgerentry e USING audit_ledgerentry o ON o.seq = e.seq WHEN MATCHED THEN DELETE",
    "SELECT * FROM audit_ledgerentry FOR UPDATE",
    "ALTER TABLE audit_ledgerentry DISABLE TRIGGER ALL",
    "ALTER TABLE audit_ledgerentry DISABLE TRIGGER audit_ledger_no_change",
    "ALTER TABLE audit_ledgerentry ENABLE REPLICA TRIGGER audit_ledger_no_change",
    "ALTER TABLE audit_ledgerentry OWNER TO CURRENT_USER",
    "ALTER TABLE audit_ledgerentry ADD COLUMN more text",
    "ALTER TABLE audit_ledgerentry RENAME TO other",
    "ALTER TABLE moderation_decision DISABLE TRIGGER moderation_decision_of_two",
    "DROP TRIGGER audit_ledger_no_change ON audit_ledgerentry",
    "DROP FUNCTION audit_ledger_is_append_only() CASCADE",
    "CREATE OR REPLACE FUNCTION audit_ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "ALTER FUNCTION audit_ledger_is_append_only() RENAME TO other",
    "CREATE TRIGGER mine BEFORE INSERT ON audit_ledgerentry FOR EACH ROW EXECUTE FUNCTION audit_ledger_is_append_only()",
    "CREATE RULE mine AS ON INSERT TO audit_ledgerentry DO INSTEAD NOTHING",
    "DROP TABLE audit_ledgerentry CASCADE",
    "CREATE TABLE mine (id int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE ROLE mine",
    "SET session_replication_role = replica",
    "SET ROLE ecomsite_owner",
    "SET ROLE app",
    "SET SESSION AUTHORIZATION app",
    "GRANT ecomsite_owner TO ecomsite_app",
    "ALTER ROLE ecomsite_app SUPERUSER",
    "ALTER ROLE ecomsite_app CREATEROLE",
    "ALTER ROLE ecomsite_owner PASSWORD 'mine'",
    "ALTER ROLE ecomsite_app SET session_replication_role = replica",
    "ALTER DATABASE ecomsite SET session_replication_role = replica",
    "ALTER DATABASE ecomsite OWNER TO ecomsite_app",
    "REASSIGN OWNED BY ecomsite_owner TO ecomsite_app",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY audit_ledgercheck FROM '/etc/hostname'",
    "SELECT pg_read_file('/etc/hostname')",
    "SELECT lo_import('/etc/hostname')",
    "SELECT * FROM pg_authid",
    "INSERT INTO django_migrations (app, name, applied) VALUES ('audit', '0099', now())",
    "DELETE FROM django_migrations",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_it_is_refused(desk: psycopg.Connection, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege), desk.transaction():
        desk.execute(statement)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "statement",
    ["CREATE DATABASE mine", "DROP DATABASE labelstudio", "ALTER SYSTEM SET session_replication_role = replica"],
)
def test_it_is_refused_outside_of_a_transaction_too(desk: psycopg.Connection, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        desk.execute(statement)  # type: ignore[call-overload]


def test_a_temporary_table_of_the_desk_does_not_stand_in_for_what_a_trigger_reads(desk: psycopg.Connection) -> None:
    functions = desk.execute(
        "SELECT p.proname, p.proconfig FROM pg_proc p WHERE p.prorettype = 'trigger'::regtype "
        "AND p.pronamespace = 'public'::regnamespace AND pg_get_userbyid(p.proowner) = %s",
        [roles.OWNER],
    ).fetchall()
    assert {"audit_ledger_is_append_only", "moderation_decision_of_two"} <= {name for name, _ in functions}
    assert {tuple(config) for _, config in functions} == {("search_path=pg_catalog, public, pg_temp",)}


def test_label_studio_enters_its_own_database_and_no_other(cluster: Cluster) -> None:
    with psycopg.connect(cluster.label_studio, autocommit=True) as connection:
        connection.execute("CREATE TABLE of_its_own (id int)")
        with pytest.raises(InsufficientPrivilege):
            connection.execute("SET session_replication_role = replica")
    for database in ("ecomsite", "postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(_to(cluster.label_studio, database))
    for database in ("labelstudio", "postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(_to(cluster.desk, database))


def _to(url: str, database: str) -> str:
    return f"{url.rpartition('/')[0]}/{database}"


def test_a_table_of_a_later_migration_is_the_desks_to_use_after_migrate(
    cluster: Cluster, desk: psycopg.Connection
) -> None:
    with psycopg.connect(cluster.owner, autocommit=True) as connection:
        connection.execute("CREATE TABLE later (id int GENERATED BY DEFAULT AS IDENTITY, word text)")
    try:
        with pytest.raises(InsufficientPrivilege):
            desk.execute("INSERT INTO later (word) VALUES ('x')")
        assert cluster.manage("migrate", "--no-input", DATABASE_OWNER_URL=cluster.owner)[0] == 0
        desk.execute("INSERT INTO later (word) VALUES ('x')")
        desk.execute("UPDATE later SET word = 'y'")
        with pytest.raises(InsufficientPrivilege):
            desk.execute("ALTER TABLE later ADD COLUMN more text")
    finally:
        with psycopg.connect(cluster.owner, autocommit=True) as connection:
            connection.execute("DROP TABLE later")


def test_migrate_says_what_is_wrong_with_the_owner(cluster: Cluster) -> None:
    status, said = cluster.manage("migrate", "--no-input", DATABASE_OWNER_URL=_to(cluster.owner, "labelstudio"))
    assert status != 0
    assert "DATABASE_OWNER_URL leads to the database labelstudio" in said


def test_the_next_start_changes_nothing(cluster: Cluster, desk: psycopg.Connection) -> None:
    postgres = Postgres(servers.root() / "postgres", urlsplit(cluster.superuser).port or 0)
    rights = (
        "SELECT relname, relacl::text, relowner FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
    )
    before = desk.execute(rights).fetchall()
    assert roles.prepare_desk(postgres) == (cluster.desk, cluster.owner)
    assert roles.prepare_label_studio(postgres) == cluster.label_studio
    assert desk.execute(rights).fetchall() == before


def test_who_owns_the_tables_is_not_told_to_web_and_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner:secret@db.example.com/desk")
    stack = LocalStack(read_plan(), Supervisor(), nullcontext)
    assert not any("secret" in value for value in stack.environment.values())
    assert "DATABASE_OWNER_URL" not in stack.environment
