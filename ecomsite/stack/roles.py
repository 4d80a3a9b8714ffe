"""The roles of the embedded PostgreSQL: an owner that migrates, the desk that reads and writes, Label Studio.

Web and workers connect as the desk. It owns nothing: it can neither drop nor disable the triggers that keep the ledger
append-only. What it may do with each table is granted after each migration (`ecomsite/table_rights.py`). Everything
here may be repeated, and brings a cluster from before there were roles up to date.
"""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import sql

from ecomsite.stack.postgres import Postgres

OWNER, DESK, LABEL_STUDIO = "ecomsite_owner", "ecomsite_app", "labelstudio"
HAND_OVER = Path(__file__).with_name("hand_over.sql")


def prepare_desk(postgres: Postgres) -> tuple[str, str]:
    """Make the desk's database and its two roles, and return their URLs: the desk's own and its owner's."""
    postgres.create_database("ecomsite", extensions=("vector", "pg_trgm"))
    with psycopg.connect(postgres.url("ecomsite")) as connection:
        for role in (OWNER, DESK):
            _make_role(connection, role, postgres.password_of(role))
        _give_database(connection, "ecomsite", OWNER)
        for statement in ("CONNECT, TEMPORARY ON DATABASE ecomsite", "USAGE ON SCHEMA public"):
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.SQL(statement), sql.Identifier(DESK)))
    return postgres.url("ecomsite", role=DESK), postgres.url("ecomsite", role=OWNER)


def prepare_label_studio(postgres: Postgres) -> str:
    """Make Label Studio's database and the role that owns it and can enter no other, and return its URL."""
    postgres.create_database("labelstudio")
    with psycopg.connect(postgres.url("labelstudio")) as connection:
        _make_role(connection, LABEL_STUDIO, postgres.password_of(LABEL_STUDIO))
        _give_database(connection, "labelstudio", LABEL_STUDIO)
    return postgres.url("labelstudio", role=LABEL_STUDIO)


def _make_role(connection: psycopg.Connection, role: str, password: str) -> None:
    """Make `role`, if it is not there, and see to it that it can log in by `password` and has no rights of its own."""
    name = sql.Identifier(role)
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {}").format(name))
    # Hashed here: a statement may be logged.
    secret = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(
        sql.SQL("ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {}").format(
            name, sql.Literal(secret)
        )
    )


def _give_database(connection: psycopg.Connection, database: str, owner: str) -> None:
    """Give `database`, which `connection` is to, and all that is in it to `owner`;
    nobody else may enter unless granted.
    """
    names = {"database": sql.Identifier(database), "owner": sql.Identifier(owner)}
    for statement in (
        "ALTER DATABASE {database} OWNER TO {owner}",
        # PUBLIC may enter a database by default, these two of the cluster as well.
        "REVOKE ALL ON DATABASE {database}, postgres, template1 FROM PUBLIC",
        "ALTER SCHEMA public OWNER TO pg_database_owner",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    ):
        connection.execute(sql.SQL(statement).format(**names))
    connection.execute("SELECT set_config('ecomsite.owner', %s, true)", [owner])
    connection.execute(HAND_OVER.read_bytes())
