"""A ledger with lines and signed heads, and a superuser's hands on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from audit import checks, ledger
from audit.models import LedgerEntry
from core.actors import SystemActor

ACTOR = SystemActor("tests")


def write(n: int) -> list[LedgerEntry]:
    """Append `n` lines in one transaction."""
    with transaction.atomic():
        lines = [ledger.Line("test.done", f"thing:{i}", {"i": i, "ü": 'a "price", 价格', "f": 0.5}) for i in range(n)]
        return ledger.append_many(lines, actor=ACTOR)


def write_and_sign(*sizes: int) -> None:
    """Append so many lines for each of `sizes`, and sign a head after each."""
    for n in sizes:
        write(n)
        result = checks.check_new()
        assert result is not None
        assert result.is_intact, result


@contextmanager
def superuser() -> Iterator[None]:
    """Switch all triggers off, as who owns the database can."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        yield
        cursor.execute("SET session_replication_role = origin")


def sql(*statements: str) -> None:
    """Run statements as a superuser."""
    with superuser(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
