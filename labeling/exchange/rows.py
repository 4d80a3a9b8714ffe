"""What readers yield and writers take: rows of plain values, whatever the format."""

from __future__ import annotations

import datetime as dt
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.source import RAW_CHARACTERS
from labeling.question import Question

VOTES = "votes"
# What a vote in a list of votes says, under the names that a row of its own has.
VOTE_FIELDS = ("rater", "label", "annotated_at", "seconds")
WHOLE = 10**18
MOST_DIGITS = 10**1000  # Python refuses to print what has some thousand digits


@dataclass(frozen=True, slots=True)
class Row:
    """One label or vote as a file states it, by column; or (with `error`) the beginning of one that cannot be read.

    `line` is the physical line it begins on; in a format without lines, which row of the file it is. `answers` are the
    values that somebody gave as an answer, where a format tells them from what they were asked about: no other value
    is anybody's label there. `breaks_off`: nothing behind it could be read.
    """

    line: int
    values: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    raw: str = ""
    answers: Mapping[str, Any] | None = None
    breaks_off: bool = False


@dataclass(frozen=True, slots=True)
class Unusable:
    """A value that is there and says nothing, with the reason: it matters only where that value is asked for."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True)
class Reading:
    """An open file. `columns` are known where a format has a header; `share_read` goes from 0 to 1."""

    rows: Iterator[Row]
    share_read: Callable[[], float]
    columns: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A subject with its label, on its way out. `payload` is the data of its task, for Label Studio alone."""

    values: Mapping[str, Any]
    votes: Sequence[Mapping[str, Any]] = ()
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """What an export has in each row: field → `text`, `number`, `integer` or `time`; and, if so, the votes."""

    fields: Mapping[str, str]
    interface: Question
    has_votes: bool = False


class Writer(ABC):
    """Writes items to `part`, from `position` on: what lies beyond was not noted as written, and is cut off."""

    def __init__(self, part: Path, layout: Layout, *, position: int) -> None:
        self.part, self.layout = part, layout

    @abstractmethod
    def write(self, items: Sequence[Item]) -> int:
        """Write `items` and return the position behind them; all before it is on the disk then."""

    @abstractmethod
    def finish(self) -> Path:
        """Complete what was written and return the file or folder that is to take its place; may be called again."""

    def close(self) -> None:  # noqa: B027  (most hold nothing open)
        """Let go of the file."""


def spread(row: Row) -> Iterator[Row]:
    """Yield what a row says: its label, and each of its votes, if it has a list of them, as a row of its own."""
    votes: Any = row.values.get(VOTES) if row.answers is None else None
    is_text = isinstance(votes, str) and votes.startswith("[")
    if not is_text and not isinstance(votes, list):
        yield row  # a column of that name may hold something else
        return
    rest = {name: value for name, value in row.values.items() if name != VOTES}
    if is_text:
        try:
            votes = json.loads(votes)
        except (ValueError, RecursionError):
            votes = None
    if not isinstance(votes, list) or not all(isinstance(vote, Mapping) for vote in votes):
        yield Row(row.line, error=f"the {VOTES} are no list of objects", raw=row.raw)
        return
    yield Row(row.line, rest, raw=row.raw)
    for vote in votes:
        yield Row(row.line, {**rest, **{name: vote.get(name) for name in VOTE_FIELDS}}, raw=row.raw)


# What Label Studio's flat exports (CSV, TSV and JSON_MIN) call the rater, when it was said and how long it took.
FLAT_NAMES = {"rater": ("annotator",), "annotated_at": ("updated_at", "created_at"), "seconds": ("lead_time",)}


def is_flat_export(names: Container[str]) -> bool:
    """Whether a row with the columns `names` is of a flat export of Label Studio: an annotation of somebody."""
    return "annotator" in names and "annotation_id" in names


def in_our_names(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `values` also under the names that are looked for: without capitals, and for those of a flat export."""
    others = _other_names(tuple(values))
    if not others:
        return values
    added = {ours: next((values[name] for name in names if values[name]), None) for ours, names in others.items()}
    return {**added, **values}


def other_names(columns: Sequence[str]) -> set[str]:
    """Return the names under which `in_our_names` finds a row of `columns`, beside their own."""
    return set(_other_names(tuple(columns)))


@lru_cache(maxsize=64)
def _other_names(columns: tuple[str, ...]) -> Mapping[str, Sequence[str]]:
    known = {name.strip().casefold(): name for name in columns} | {name: name for name in columns}
    others: dict[str, Sequence[str]] = {name: (column,) for name, column in known.items() if name not in columns}
    if is_flat_export(known):
        for ours, names in FLAT_NAMES.items():
            if ours not in known:
                others[ours] = [known[name] for name in names if name in known]
    return others


def as_text(value: Any) -> str:
    """Return a value of any format as a CSV would have it.

    Raises `ValueError`, with what it is, for what has no text.
    """
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float | Decimal):
        if math.isnan(value):
            return ""
        # A huge one has no remainder, and needs none: it is no label and no star.
        return str(int(value)) if -WHOLE < value < WHOLE and value % 1 == 0 else str(value)
    if isinstance(value, int):
        if abs(value) >= MOST_DIGITS:
            raise ValueError("a number too long to read")
        return str(value)
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    if isinstance(value, list | Mapping):
        raise ValueError(f"{len(value)} values instead of one")
    if isinstance(value, bytes | bytearray | memoryview):
        raise ValueError("bytes instead of text")
    if isinstance(value, Unusable):
        raise ValueError(value.reason)
    return str(value)


def plain(value: Any) -> Any:
    """Return a value of an item as JSON has it."""
    return value.isoformat() if isinstance(value, dt.datetime) else value


def as_json(value: Any) -> str:
    """Return `value` as JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def raw_of(values: Any) -> str:
    """Return the beginning of a row as it is shown where it could not be taken."""
    try:
        return as_json(values)[:RAW_CHARACTERS]
    except (ValueError, RecursionError, TypeError):  # numbers without end, nested a thousand deep, keys that are none
        return ""
