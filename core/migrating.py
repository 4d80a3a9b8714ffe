"""Migrations from files of SQL, and a look at whether a database can go on to squashed ones.

Django takes a squashed migration out of its plan when only some of what it replaces was applied, and when those single
migrations are not there any more it goes on as if all were done: the tables stay as they were, and nobody is told.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.db import migrations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

HOW = "Nothing was changed; docs/runbook.md has “Upgrading from before the squash”."


def run_sql_file(path: Path) -> migrations.RunSQL:
    """Return the operation that runs the statements in the file `path`.

    They stay when it is taken back, so they have to bear being run again (`CREATE OR REPLACE`).
    """
    return migrations.RunSQL(path.read_text(encoding="utf-8"), migrations.RunSQL.noop)


def half_replaced(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the apps whose database is from the middle of what a squashed migration replaces.

    That is: some of the replaced migrations were applied there, and not all; and they are not in the code any more, so
    that the rest cannot be.
    """
    applied = MigrationRecorder(connection).applied_migrations()
    known = MigrationLoader(None).disk_migrations
    found = []
    for key, migration in known.items():
        before = set(migration.replaces)
        missing = before - applied.keys()
        if key not in applied and missing and missing != before and not missing <= known.keys():
            found.append(migration.app_label)
    return sorted(found)
