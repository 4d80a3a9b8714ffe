"""A file read as a stream, with limits: one endless line or quoted field costs one bad row, not the memory."""

from __future__ import annotations

import csv
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from core.exceptions import PermanentError

MAX_LINE_BYTES = 1_048_576
MAX_RECORD_LINES = 2_000
RAW_CHARACTERS = 2_000
_ARCHIVES = {b"PK\x03\x04": "zip", b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"7z\xbc\xaf": "7z"}

csv.field_size_limit(MAX_LINE_BYTES)


@dataclass(frozen=True)
class Line:
    """One physical line, or (with `error`) the beginning of one that cannot be used."""

    number: int
    text: str
    error: str = ""


@dataclass(frozen=True)
class CsvRecord:
    """One record of a CSV file: its cells, or (with `error`) its raw beginning alone."""

    line: int
    raw: str
    cells: list[str] = field(default_factory=list)
    error: str = ""


@dataclass(frozen=True)
class JsonRecord:
    """One line of a JSONL file: its object, or (with `error`) its raw beginning alone."""

    line: int
    raw: str
    data: dict[str, Any] = field(default_factory=dict)
    error: str = ""


class Source:
    """An open file. Use as a context manager; raises `PermanentError` for a missing, empty or packed file."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise PermanentError(f"there is no file {path}.")
        self.path = path
        self.size = path.stat().st_size
        self.stream = path.open("rb")
        start = self.stream.read(8)
        self.stream.seek(0)
        problem = ""
        if not start:
            problem = "is empty."
        elif kind := next((name for magic, name in _ARCHIVES.items() if start.startswith(magic)), ""):
            problem = f"is a {kind} archive; unpack it first."
        elif start[:2] in (b"\xff\xfe", b"\xfe\xff"):
            problem = "is UTF-16; save it as UTF-8."
        if problem:
            self.stream.close()
            raise PermanentError(f"{path} {problem}")

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stream.close()

    @property
    def share_read(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        return min(1.0, self.stream.tell() / self.size)

    def lines(self) -> Iterator[Line]:
        """Yield the physical lines, decoded; over-long or undecodable ones with an error and cut short."""
        self.stream.seek(0)
        self.stream.seek(3 if self.stream.read(3) == b"\xef\xbb\xbf" else 0)
        number = 0
        while data := self.stream.readline(MAX_LINE_BYTES):
            number += 1
            if len(data) == MAX_LINE_BYTES and not data.endswith(b"\n"):
                while (rest := self.stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                    pass
                beginning = data[:RAW_CHARACTERS].decode("utf-8", "replace")
                yield Line(number, beginning, f"the line is longer than {MAX_LINE_BYTES:,} bytes")
                continue
            try:
                yield Line(number, data.decode("utf-8"))
            except UnicodeDecodeError:
                yield Line(number, data.decode("utf-8", "replace"), "the line is not UTF-8")

    def csv_records(self, *, delimiter: str = ",") -> Iterator[CsvRecord]:
        """Yield the records of a CSV file, the header first, each with the physical line it begins on.

        A quote that is never closed would swallow every row up to the next quote. So a record of several lines
        that comes out with the wrong number of cells, or not quite as quoting goes, is given up at its first line, and reading goes on at its second.
        """
        window = _Window(self.lines())
        reader = csv.reader(window, delimiter=delimiter)
        n_cells = 0
        while True:
            window.start_record()
            error, cells = "", []
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, _Unusable) as exc:
                error = str(exc)
            line, raw = window.record[0].number, window.raw
            if not error and not any(cell.strip() for cell in cells):
                continue
            if not error and n_cells and len(cells) != n_cells:
                error = f"{len(cells)} columns where the header has {n_cells}"
            if len(window.record) > 1:
                error = error or _quoting_error(window.record, delimiter)
                if error:
                    error += "; is a quote left open?"
                    raw = window.give_back()
            n_cells = n_cells or len(cells)
            yield CsvRecord(line, raw.rstrip("\r\n")[:RAW_CHARACTERS], [] if error else cells, error)

    def json_records(self) -> Iterator[JsonRecord]:
        """Yield the object on each line that is not empty; numbers with a point come as `Decimal`."""
        for line in self.lines():
            if not (text := line.text.strip()):
                continue
            data: dict[str, Any] = {}
            error = line.error
            if not error:
                data, error = _json_object(text)
            yield JsonRecord(line.number, text[:RAW_CHARACTERS], data, error)


def _json_object(text: str) -> tuple[dict[str, Any], str]:
    try:
        data = json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except json.JSONDecodeError as exc:
        return {}, f"it is no JSON: {exc.msg} at column {exc.colno}"
    except (RecursionError, ValueError) as exc:  # nested a thousand deep; an integer of ten thousand digits; NaN
        return {}, f"it is no JSON we take: {exc}"
    return (data, "") if isinstance(data, dict) else ({}, "it is no JSON object")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


class _Unusable(Exception):
    """Raised into the CSV reader, which forgets the record it was in and starts afresh."""


def _quoting_error(lines: list[Line], delimiter: str) -> str:
    """Return what a strict reading of one record has against it; sloppy quoting is forgiven within one line only."""
    try:
        next(csv.reader([line.text for line in lines], delimiter=delimiter, strict=True))
    except csv.Error as exc:
        return str(exc)
    return ""


class _Window:
    """Feeds lines to a CSV reader, remembers those of the record in hand, and takes back all but its first."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self.lines = lines
        self.returned: deque[Line] = deque()
        self.record: list[Line] = []

    def start_record(self) -> None:
        self.record = []

    @property
    def raw(self) -> str:
        return "".join(line.text for line in self.record)

    def give_back(self) -> str:
        self.returned.extendleft(reversed(self.record[1:]))
        return self.record[0].text

    def __iter__(self) -> _Window:
        return self

    def __next__(self) -> str:
        line = self.returned.popleft() if self.returned else next(self.lines)
        self.record.append(line)
        if line.error:
            raise _Unusable(line.error)
        if len(self.record) > MAX_RECORD_LINES:
            raise _Unusable(f"the row goes on for more than {MAX_RECORD_LINES:,} lines")
        return line.text
