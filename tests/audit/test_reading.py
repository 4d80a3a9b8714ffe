"""The fast way of reading gives the verdict of the slow one, whatever a line holds."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from audit import ledger, reading
from audit.ledger import entry_hash
from audit.models import LedgerEntry
from audit.verification import verify
from core.actors import SystemActor
from tests.audit.signed import sql, write

pytestmark = pytest.mark.django_db
ODD = [
    '"',
    "\\",
    "\t",
    "\n",
    "\r",
    "\b",
    "\f",
    "\v",
    "\x01",
    "\x7f",
    "\u2028",
    "é",
    "价",
    "😀",
    "/",
    "'",
    "\\n",
    "\\t",
    "{",
    "a",
    " ",
    "\x85",
]
NUMBERS: list[Any] = [
    0,
    -1,
    0.5,
    -0.0,
    1e16,
    1e15,
    1.5e300,
    1e-7,
    5e-324,
    2**63,
    2**64,
    2**80,
    -(2**70),
    0.1 + 0.2,
    1e22,
    123456789.125,
]


def odd_text(rng: random.Random) -> str:
    return "".join(rng.choices(ODD, k=rng.randint(0, 12)))


def odd_value(rng: random.Random, depth: int = 0) -> Any:
    kind = rng.randrange(7 if depth < 3 else 4)
    if kind == 0:
        return odd_text(rng)
    if kind in (1, 2):
        return rng.choice(NUMBERS)
    if kind == 3:
        return rng.choice([None, True, False])
    if kind == 4:
        return [odd_value(rng, depth + 1) for _ in range(rng.randint(0, 4))]
    return {odd_text(rng): odd_value(rng, depth + 1) for _ in range(rng.randint(0, 4))}


def slow(entry: LedgerEntry) -> str:
    values = {
        name: getattr(entry, name) for name in ("seq", "at", "actor", "action", "subject", "payload", "prev_hash")
    }
    return entry_hash(**values)


def test_odd_lines_verify_and_both_ways_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(11)
    for number in range(60):
        moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(
            microseconds=rng.choice([0, 1, 10**6, 123_450_000])
        )
        monkeypatch.setattr(timezone, "now", lambda moment=moment: moment)
        lines = [
            ledger.Line(
                f"test{odd_text(rng)}", f"thing:{odd_text(rng)}", {odd_text(rng): odd_value(rng) for _ in range(3)}
            )
            for _ in range(5)
        ]
        with transaction.atomic():
            ledger.append_many(lines, actor=SystemActor(f"tests{number}{odd_text(rng)}"))
    result = verify()
    assert result.is_intact, result
    assert result.n_entries == 300
    read = {line[0]: line[3] for lines in reading.lines_after(0) for line in lines}
    assert read == {entry.seq: slow(entry) for entry in LedgerEntry.objects.all()}


@pytest.mark.parametrize(
    "change",
    [
        "at = 'infinity'",
        "at = '-infinity'",
        "at = '20000-01-01'",
        "at = '0044-01-01 BC'",
        "payload = '1e400'",
        "payload = '\"x\"'",
        "entry_hash = ''",
        "entry_hash = repeat('z', 64)",
        "prev_hash = ''",
        "payload = '[]'",
        "actor = ''",
        "subject = E'a\\tb'",
        'actor = \'","at":"x\'',
        "action = E'x\\\\'",
    ],
)
def test_a_line_that_nobody_could_have_written_is_bad_and_breaks_nothing_else(change: str) -> None:
    write(5)
    sql(f"UPDATE audit_ledgerentry SET {change} WHERE seq = 3")
    assert verify().bad_seq == 3


@pytest.mark.parametrize(
    ("change", "bad"),
    [
        (
            "INSERT INTO audit_ledgerentry SELECT 0, at, actor, action, subject, payload, prev_hash, 'x' FROM audit_ledgerentry "
            "WHERE seq = 1",
            0,
        ),
        ("UPDATE audit_ledgerentry SET seq = -5 WHERE seq = 4", -5),
        ("UPDATE audit_ledgerentry SET seq = 9223372036854775807 WHERE seq = 4", 4),
    ],
)
def test_numbers_out_of_order_are_named(change: str, bad: int) -> None:
    write(5)
    sql(change)
    assert verify().bad_seq == bad
