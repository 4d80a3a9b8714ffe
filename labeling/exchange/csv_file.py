"""Labels as CSV: a header, and one row a label or a vote. Cells that a spreadsheet would run are written harmless."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.exceptions import PermanentError
from core.files import open_source
from core.spreadsheets import escape_formula, unescape_formula
from labeling.exchange.rows import VOTES, Item, Layout, Reading, Row, as_json, plain
from labeling.exchange.text_writer import TextWriter

DELIMITERS = (",", ";", "\t")


@contextmanager
def read(path: Path) -> Iterator[Reading]:
    """Open a CSV file, separated by comma, semicolon or tab, or the first sheet of a workbook.

    Raises `PermanentError` for one without a header.
    """
    with open_source(path) as source:
        first = next(source.lines()).text
        records = source.csv_records(delimiter=max(DELIMITERS, key=first.count))
        header = next(records, None)
        if header is None or header.error:
            raise PermanentError(
                f"{path} has no header line{': ' + header.error if header else ''}.",
                hint="Save it as CSV UTF-8, with the names of the columns on the first line.",
            )
        names = [name.strip() for name in header.cells]
        rows = (
            Row(record.line, error=record.error, raw=record.raw, breaks_off=record.breaks_off)
            if record.error
            else Row(record.line, dict(zip(names, map(unescape_formula, record.cells), strict=False)), raw=record.raw)
            for record in records
        )
        yield Reading(rows, lambda: source.share_read, names)


class Writer(TextWriter):
    """Every cell is quoted: a separator in a text begins no new cell, in no locale."""

    def __init__(self, part: Path, layout: Layout, *, position: int) -> None:
        super().__init__(part, layout, position=position)
        names = [*layout.fields, VOTES] if layout.has_votes else list(layout.fields)
        self.head = _lines([names])

    def text_of(self, items: Sequence[Item], *, is_first: bool) -> str:
        return _lines([self._cells(item) for item in items])

    def _cells(self, item: Item) -> list[Any]:
        cells = [_cell(item.values[name]) for name in self.layout.fields]
        if self.layout.has_votes:
            cells.append(as_json([{name: plain(value) for name, value in vote.items()} for vote in item.votes]))
        return cells


def _cell(value: Any) -> Any:
    return escape_formula(value) if isinstance(value, str) else plain(value)


def _lines(rows: Sequence[Sequence[Any]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return stream.getvalue()
