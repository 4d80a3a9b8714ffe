"""What readers yield and writers take: rows of plain values, whatever the format."""

from __future__ import annotations

import datetime as dt
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.source import RAW_CHARACTERS
from labeling.label_config import LabelingInterface

VOTES = "votes"
# What a vote in a list of votes says, under the names that a row of its own has.
VOTE_FIELDS = ("rater", "label", "annotated_at", "seconds")


@dataclass(frozen=True, slots=True)
class Row:
    """One label or vote as a file states it, by column; or (with `error`) the beginning of one that cannot be read.

    `line` is the physical line it begins on; in a format without lines, which row of the file it is.
    """

    line: int
    values: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    raw: str = ""


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
    interface: LabelingInterface
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
    votes: Any = row.values.get(VOTES)
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


def as_text(value: Any) -> str:
    """Return a value of any format as a CSV would have it. Raises `ValueError` for a list or an object."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float | Decimal):
        if math.isnan(value):
            return ""
        return str(int(value)) if value % 1 == 0 else str(value)
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    if isinstance(value, list) and len(value) == 1:
        return as_text(value[0])
    if isinstance(value, list | Mapping):
        raise ValueError(f"{len(value)} values instead of one")
    return str(value)


def plain(value: Any) -> Any:
    """Return a value of an item as JSON has it."""
    return value.isoformat() if isinstance(value, dt.datetime) else value


def as_json(value: Any) -> str:
    """Return `value` as JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def raw_of(values: Any) -> str:
    """Return the beginning of a row as it is shown where it could not be taken."""
    return as_json(values)[:RAW_CHARACTERS]
