"""Writes `ecomsite/from_6c052e0.sql`: what the migrations since that commit do to a database.

    python -m tests.migrations.write_upgrade

It restores the dump, migrates it, and writes down each statement on the way. Run it while the single migrations are
still there: once they are squashed this file is how a desk of 6c052e0 comes along (docs/runbook.md).
"""

from __future__ import annotations

import lzma
import os
import re
from pathlib import Path
from typing import Any

import psycopg

from tests import servers

HERE = Path(__file__).parent
INTO = HERE.parents[1] / "ecomsite" / "from_6c052e0.sql"
HEAD = """\
-- Brings a database of ecomsite at commit 6c052e0 to where the migrations were before they were squashed.
-- Written by tests/migrations/write_upgrade.py. `manage.py migrate` runs it, in one transaction, where it is needed.

DO $$
BEGIN
    IF (SELECT count(*) FROM django_migrations WHERE app IN ({apps})) <> {n}
            OR NOT EXISTS (SELECT FROM django_migrations WHERE (app, name) = ('moderation', '0014_shadow_constraints')) THEN
        RAISE EXCEPTION 'this is no database of 6c052e0';
    END IF;
END $$;
-- Checks that wait for the end of the transaction would keep tables from being changed.
SET CONSTRAINTS ALL IMMEDIATE;
"""
NOTE = "INSERT INTO django_migrations (app, name, applied) VALUES ('{app}', '{name}', now());"


def _done(url: str) -> list[tuple[str, str]]:
    with psycopg.connect(url) as reading:
        return reading.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall()


def _written_down(url: str) -> str:
    """Migrate the database at `url`; returns the statements, those of each migration under its name."""
    os.environ["DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = "ecomsite.settings"
    import django

    django.setup()
    from django.db import connection
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.migrations.executor import MigrationExecutor

    said: list[str] = []
    execute = BaseDatabaseSchemaEditor.execute

    def noting(self: Any, statement: Any, params: Any = ()) -> None:
        text = str(statement)
        if params:
            text %= tuple(map(self.quote_value, params))
        said.append(text.strip().rstrip(";") + ";")
        execute(self, statement, params)

    BaseDatabaseSchemaEditor.execute = noting  # type: ignore[method-assign]
    executor = MigrationExecutor(connection)
    parts = []
    for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes()):
        said.clear()
        executor = MigrationExecutor(connection)
        executor.migrate([(migration.app_label, migration.name)])
        note = NOTE.format(app=migration.app_label, name=migration.name)
        parts.append("\n".join([f"-- {migration.app_label} {migration.name}", *said, note]))
    return "\n\n".join(parts)


def main() -> None:
    """Write the file anew."""
    servers.start()
    database = servers.database_of("upgrade")
    servers.create_database(database)
    url = servers.url_of(database)
    with psycopg.connect(url, autocommit=True) as writing:
        writing.execute(lzma.decompress((HERE / "desk_6c052e0.sql.xz").read_bytes()))
    ours = [
        app
        for app, name in _done(url)
        if re.match(r"\d{4}_", name) and app not in {"admin", "auth", "contenttypes", "sessions"}
    ]
    apps = ", ".join(f"'{app}'" for app in sorted(set(ours)))
    INTO.write_text(HEAD.format(apps=apps, n=len(ours)) + "\n" + _written_down(url) + "\n")


if __name__ == "__main__":
    main()
