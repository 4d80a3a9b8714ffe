"""Labels as JSONL: one object a line, which may hold its votes as a list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.files import open_source
from labeling.exchange.rows import VOTES, Item, Reading, Row, as_json, plain
from labeling.exchange.text_writer import TextWriter


@contextmanager
def read(path: Path) -> Iterator[Reading]:
    """Open a JSONL or a Parquet file."""
    with open_source(path) as source:
        rows = (
            Row(record.line, record.data, record.error, record.raw, breaks_off=record.breaks_off)
            for record in source.json_records()
        )
        yield Reading(rows, lambda: source.share_read)


class Writer(TextWriter):
    """One object a line."""

    def text_of(self, items: Sequence[Item], *, is_first: bool) -> str:
        return "".join(f"{as_json(self._object(item))}\n" for item in items)

    def _object(self, item: Item) -> dict[str, object]:
        values: dict[str, object] = {name: plain(value) for name, value in item.values.items()}
        if self.layout.has_votes:
            values[VOTES] = [{name: plain(value) for name, value in vote.items()} for vote in item.votes]
        return values
