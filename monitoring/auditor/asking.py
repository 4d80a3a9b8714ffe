"""What an auditor may ask with, and what comes back: a sentence and tables, for the page and the command alike."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

MOST_ROWS = 1000


def moment(text: str) -> dt.datetime:
    """Return the moment `text` names (UTC): `2026-11-01` is the end of that day, `2026-11-01T14:30` that minute.

    Raises `ArgumentTypeError`, a `TypeError`-free way for a command and a form to say that it is no date.
    """
    try:
        if len(text) <= 10 and (day := parse_date(text)):
            return dt.datetime.combine(day, dt.time.max, tzinfo=dt.UTC)
        if found := parse_datetime(text):
            return found if timezone.is_aware(found) else found.replace(tzinfo=dt.UTC)
    except ValueError:
        pass
    raise ArgumentTypeError(f"{text!r} is no date: write 2026-11-01 or 2026-11-01T14:30")


@dataclass(frozen=True)
class Asked:
    """What the question is about; every part may be empty.

    `person` is `user:<id>`, `since` and `until` bound a time.
    """

    sku: str = ""
    at: dt.datetime | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    person: str = ""
    seconds: float | None = None
    model: str = ""
    code: str = ""

    def within(self, field_name: str) -> dict[str, dt.datetime]:
        """Return the filter that keeps rows whose `field_name` lies in the time asked about."""
        bounds = {f"{field_name}__gte": self.since, f"{field_name}__lte": self.until or self.at}
        return {name: value for name, value in bounds.items() if value is not None}


@dataclass(frozen=True)
class Table:
    """A table of plain cells. `note` says what is left out or how to read it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: str = ""


@dataclass(frozen=True)
class Answer:
    """The answer in one sentence, and what it rests on. `alarm`: it is not as it has to be."""

    words: str
    tables: Sequence[Table] = ()
    alarm: bool = False


@dataclass(frozen=True)
class Question:
    """One question. `options` are the fields of `Asked` that it takes, those it cannot do without in `needs`."""

    number: int
    words: str
    answer: Callable[[Asked], Answer]
    options: Sequence[str] = ()
    needs: Sequence[str] = ()
    elsewhere: str = ""


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, note: str = "") -> Table:
    """Return a table of at most `MOST_ROWS` rows; says so where there are more."""
    kept: list[Sequence[Any]] = []
    for row in rows:
        if len(kept) == MOST_ROWS:
            note = f"{note} Only the first {MOST_ROWS:,} are shown: narrow the question.".strip()
            break
        kept.append([_plain(cell) for cell in row])
    return Table(title, columns, kept, note)


def _plain(cell: Any) -> Any:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, dt.datetime):
        return f"{cell.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}"
    if isinstance(cell, dt.timedelta):
        return f"{cell.total_seconds():.1f} s"
    if isinstance(cell, float):
        return f"{cell:.4g}"
    if cell is None:
        return "–"
    return cell if isinstance(cell, int) else str(cell)
