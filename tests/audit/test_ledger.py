"""The ledger: chained, append-only, and honest about where it breaks."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from audit import ledger
from audit.models import LedgerEntry
from audit.verification import verify
from core.actors import SystemActor

ACTOR = SystemActor("tests")


def write(n: int) -> list[LedgerEntry]:
    with transaction.atomic():
        lines = [ledger.Line("test.done", f"thing:{i}", {"i": i, "ü": "价格"}) for i in range(n)]
        return ledger.append_many(lines, actor=ACTOR)


@pytest.mark.django_db
def test_a_chain_of_lines_verifies() -> None:
    write(25)
    ledger.append("test.more", subject="thing:x", actor=ACTOR)
    result = verify()
    assert (result.is_intact, result.n_entries) == (True, 26)


@pytest.mark.django_db(transaction=True)
def test_it_refuses_to_write_outside_a_transaction() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        ledger.append("test.done", subject="thing:1", actor=ACTOR)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_ledgerentry SET actor = 'user:1'",
        "DELETE FROM audit_ledgerentry",
        "TRUNCATE audit_ledgerentry",
    ],
)
def test_the_database_refuses_to_change_or_delete_a_line(sql: str) -> None:
    write(2)
    with connection.cursor() as cursor:  # the test session switches one trigger off: see django_db_setup
        cursor.execute("ALTER TABLE audit_ledgerentry ENABLE TRIGGER USER")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert verify().n_entries == 2


TAMPERING = {
    "UPDATE audit_ledgerentry SET payload = '{}' WHERE seq = 7": (7, "does not match its hash"),
    "UPDATE audit_ledgerentry SET actor = 'user:9' WHERE seq = 3": (3, "does not match its hash"),
    "DELETE FROM audit_ledgerentry WHERE seq = 5": (5, "missing"),
    "UPDATE audit_ledgerentry SET prev_hash = repeat('0', 64) WHERE seq = 4": (4, "does not follow"),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("sql", "found"), TAMPERING.items())
def test_it_names_the_first_bad_line_when_a_superuser_tampers(sql: str, found: tuple[int, str]) -> None:
    write(10)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_ledgerentry DISABLE TRIGGER USER")
        cursor.execute(sql)
    result = verify()
    assert result.bad_seq == found[0]
    assert found[1] in result.reason


@pytest.mark.django_db
def test_a_cut_tail_is_evident_against_a_head_kept_elsewhere() -> None:
    head = write(10)[-1].entry_hash
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_ledgerentry DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM audit_ledgerentry WHERE seq > 8")
    assert verify().is_intact
    with pytest.raises(CommandError, match="cut or rewritten"):
        call_command("verify_ledger", expected_head=head)
