"""A database that is too old for squashed migrations is refused and named, instead of left as it is in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from core.migrating import half_replaced, run_sql_file
from monitoring import health

pytestmark = pytest.mark.django_db
SINGLE = [("outbox", "0001_one"), ("outbox", "0002_two")]


@pytest.fixture
def _squashed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last migration of the outbox replaces two that are in no folder any more, and is not noted as applied."""
    key = MigrationLoader(connection).graph.leaf_nodes("outbox")[0]
    kind = type(MigrationLoader(None).disk_migrations[key])
    monkeypatch.setattr(kind, "replaces", SINGLE)
    MigrationRecorder(connection).record_unapplied(*key)
    monkeypatch.setattr(health, "_is_migrated", False)


@pytest.mark.usefixtures("_squashed")
@pytest.mark.parametrize("applied", [[], SINGLE])
def test_a_new_database_and_one_with_all_of_them_can_go_on(applied: list[tuple[str, str]]) -> None:
    for key in applied:
        MigrationRecorder(connection).record_applied(*key)
    assert half_replaced(connection) == []


@pytest.mark.usefixtures("_squashed")
def test_a_database_with_some_of_them_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    MigrationRecorder(connection).record_applied(*SINGLE[0])
    assert half_replaced(connection) == ["outbox"]
    with pytest.raises(CommandError, match=r"this is no database of 6c052e0[\s\S]*docs/runbook\.md"):
        call_command("migrate", verbosity=0)
    with pytest.raises(CommandError, match=r"before the squash of outbox\. Nothing was changed"):
        call_command("migrate", check_unapplied=True, verbosity=0)
    part = health.check_database()
    assert (part.state, part.words) == ("down", "1 migrations have not been applied.")


def test_statements_of_a_file_can_be_run_again(tmp_path: Path) -> None:
    path = tmp_path / "one.sql"
    path.write_text("CREATE OR REPLACE FUNCTION thrice(n int) RETURNS int LANGUAGE sql AS 'SELECT 3 * n';")
    operation = run_sql_file(path)
    for _ in range(2):
        with connection.schema_editor(atomic=False) as editor:
            operation.database_forwards("outbox", editor, None, None)
            operation.database_backwards("outbox", editor, None, None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT thrice(14)")
        assert cursor.fetchone() == (42,)
