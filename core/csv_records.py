"""Records out of the lines of a CSV file. What is quoted badly costs itself, and never becomes another row."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

MAX_LINE_BYTES = 1_048_576
MAX_RECORD_LINES = 2_000
RAW_CHARACTERS = 2_000
NOT_UTF_8 = "the line is not UTF-8: save the file as UTF-8 (in Excel: CSV UTF-8)"
MAX_ESCAPED_LINES = 200  # of one record that is parsed anew with each line
# Of the lines behind a quote that is never closed, so many have to look like rows for the quote to be the mistake.
ROWS_AFTER_QUOTE = 0.8
_SEPARATOR = re.compile(r"sep=([^\"\0])\s*", re.I)

csv.field_size_limit(MAX_LINE_BYTES)


class Line(NamedTuple):
    """One physical line, or (with `error`) the beginning of one that cannot be used.

    `is_odd`: a line that was cut has an odd number of quotes in all.
    """

    number: int
    text: str
    error: str = ""
    is_odd: bool = False


class CsvRecord(NamedTuple):
    """One record of a CSV file: its cells, or (with `error`) its raw beginning alone."""

    line: int
    raw: str
    cells: Sequence[str] = ()
    error: str = ""
    breaks_off: bool = False  # nothing that follows could be read


def csv_records(lines: Iterator[Line], *, delimiter: str = ",") -> Iterator[CsvRecord]:
    """Yield the records in `lines`, the header first, each with the physical line it begins on.

    A record of several lines that comes out with the wrong number of cells, or not quite as quoting goes, is refused
    with all its lines: they are the middle of a text. Only where they look like rows themselves was a quote left open,
    and the first line alone is given up.
    """
    window = _Window(lines)
    if (first := window.peek()) and (named := _SEPARATOR.fullmatch(first.text)):
        delimiter = named[1]
        window.skip()
    strict, reader = csv.reader(window, delimiter=delimiter, strict=True), csv.reader(window, delimiter=delimiter)
    n_cells, quotes_all = 0, False
    while True:
        window.start_record()
        error, cells = "", []
        try:
            cells = next(strict)
            is_strict = True
        except StopIteration:
            return
        except (csv.Error, _Unusable):
            is_strict = False
            window.give_back(0)
            window.start_record()
            try:
                cells = next(reader)
            except (csv.Error, _Unusable) as exc:
                error = str(exc)
                window.is_unfinished |= "field larger" in error
        line, raw = window.record[0].number, window.raw
        if window.has_errors:
            error = next(each.error for each in window.record if each.error)
        if not error and not any(map(str.strip, cells)):
            continue
        if n_cells and len(cells) > n_cells and not any(map(str.strip, cells[n_cells:])):
            del cells[n_cells:]  # a delimiter too many at the end of the line says nothing
        if is_strict and not error:
            error = "" if not n_cells or len(cells) == n_cells else _wrong_width(cells, n_cells)
        else:
            cells, error = _forgiven(window, cells, error, delimiter, n_cells)
        if error and len(window.record) > 1:
            if _are_rows(window.record[1:], delimiter, n_cells, quotes_all):
                error += "; is a quote left open?"
                window.give_back()
                raw = window.raw
            else:
                window.skip_to_end_of_quote()
                error = f"lines {line} to {window.last_number}: {error}"
        if not n_cells:
            n_cells, quotes_all = len(cells), raw.startswith('"')
        yield CsvRecord(line, raw.rstrip("\r\n")[:RAW_CHARACTERS], [] if error else cells, error)


def _forgiven(window: _Window, cells: list[str], error: str, delimiter: str, n_cells: int) -> tuple[list[str], str]:
    """Return the cells of the record in hand and what is wrong with it, after what can be forgiven was."""
    strict = _quoting_error(window.record, delimiter)
    if error:
        if strict and n_cells and len(window.record) == 1:
            _go_on(window)
        return cells, error
    if strict and '\\"' in window.raw and (escaped := _escaped(window, delimiter, n_cells)):
        return escaped, ""
    if strict and n_cells and len(window.record) == 1:
        if len(sloppy := _sloppy(window.raw, delimiter)) == n_cells:
            return sloppy, ""
        _go_on(window)
        return cells, strict
    if n_cells and len(cells) != n_cells:
        return cells, _wrong_width(cells, n_cells)
    return cells, strict if len(window.record) > 1 else ""


def _wrong_width(cells: Sequence[str], n_cells: int) -> str:
    return f"{len(cells)} columns where the header has {n_cells}"


def _quoting_error(lines: Sequence[Line], delimiter: str) -> str:
    """Return what a strict reading of one record has against it; sloppy quoting is forgiven within one line only."""
    if not any('"' in line.text for line in lines):
        return ""
    try:
        next(csv.reader([line.text for line in lines], delimiter=delimiter, strict=True))
    except csv.Error as exc:
        return str(exc)
    return ""


def _escaped(window: _Window, delimiter: str, n_cells: int) -> list[str]:
    """Return the cells of a record whose quotes are escaped as `\\"`, which may go on further; empty if it is none."""
    n_before = len(window.record)
    while len(window.record) <= MAX_ESCAPED_LINES:
        texts = [line.text for line in window.record]
        try:
            cells = next(csv.reader(texts, delimiter=delimiter, escapechar="\\", strict=True))
        except csv.Error as exc:
            if "unexpected end" not in str(exc) or not window.take_one_more():
                break
            continue
        if n_cells and len(cells) != n_cells:
            break
        return cells
    window.give_back(n_before)
    return []


def _go_on(window: _Window) -> None:
    """Take the lines up to the next quote: the text may go on behind one within it, as in `"24" wide`."""
    while len(window.record) <= MAX_ESCAPED_LINES and window.take_one_more():
        if _has_quote(window.record[-1].text):
            return
    window.give_back()


def _has_quote(text: str) -> bool:
    return '"' in text.replace('""', "")


def _sloppy(text: str, delimiter: str) -> list[str]:
    """Return the cells of one record in which quotes stand unescaped inside of quotes: `"the "soft" one",2`."""
    mark = re.escape(delimiter)
    cell = re.compile(rf'(?:"(?P<quoted>.*?)"[ ]*|(?P<plain>[^"{mark}][^{mark}]*|))(?P<end>{mark}|$)')
    cells, position, text = [], 0, text.rstrip("\r\n")
    while match := cell.match(text, position):
        cells.append(
            (match["quoted"] or "").replace('""', '"') if match["quoted"] is not None else match["plain"] or ""
        )
        if not match["end"]:
            return cells
        position = match.end()
    return []


def _are_rows(lines: Sequence[Line], delimiter: str, n_cells: int, quotes_all: bool) -> bool:
    """Whether `lines`, the rest of a refused record, are rows behind an open quote, and not the middle of a text.

    The first one with a quote tells: rows begin a cell with it, a text ends one.
    """
    mark = re.escape(delimiter)
    cell = rf'(?:"(?:[^"]|"")*"|[^"{mark}\r\n]*)'
    row = re.compile(rf"{cell}(?:{mark}{cell}){{{max(n_cells - 1, 0)}}}[\r\n]*")
    # The first cell of a row is hardly one of several lines, where not all are quoted.
    begun = re.compile(rf'(?:{cell}{mark}){{{0 if quotes_all else 1},{max(n_cells - 1, 1)}}}"(?:[^"]|"")*[\r\n]*')
    n_rows = n_read = 0
    for line in lines:
        if quotes_all and not line.text.startswith('"'):
            return False
        n_read += 1
        if row.fullmatch(line.text):
            n_rows += 1
            if _has_quote(line.text):
                break
        elif _has_quote(line.text):
            if not begun.fullmatch(line.text):
                return False
            n_rows += 1
            break
    return n_rows >= ROWS_AFTER_QUOTE * n_read


class _Unusable(Exception):
    """Raised into the CSV reader, which forgets the record it was in and starts afresh."""


class _Window:
    """Feeds lines to a CSV reader, remembers those of the record in hand, and takes back what is asked."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self.lines = lines
        self.returned: deque[Line] = deque()
        self.record: list[Line] = []
        self.last_number = 0
        self.is_unfinished = self.has_errors = False

    def peek(self) -> Line | None:
        self.returned.extend(islice(self.lines, 1))
        return self.returned[0] if self.returned else None

    def skip(self) -> None:
        self.returned.popleft()

    def start_record(self) -> None:
        self.record, self.is_unfinished, self.has_errors = [], False, False

    @property
    def raw(self) -> str:
        return self.record[0].text if len(self.record) == 1 else "".join(line.text for line in self.record)

    def give_back(self, keep: int = 1) -> None:
        self.returned.extendleft(reversed(self.record[keep:]))
        del self.record[keep:]

    def take_one_more(self) -> bool:
        line = self._next()
        if line is not None:
            self.record.append(line)
        return line is not None and not line.error

    def skip_to_end_of_quote(self) -> None:
        """Leave a text behind that was too long to be read to its end."""
        self.last_number = self.record[-1].number
        while self.is_unfinished and (line := self._next()):
            self.last_number = line.number
            self.is_unfinished = not (line.is_odd if line.error else line.text.count('"') % 2)

    def _next(self) -> Line | None:
        return self.returned.popleft() if self.returned else next(self.lines, None)

    def __iter__(self) -> _Window:
        return self

    def __next__(self) -> str:
        line = self.returned.popleft() if self.returned else next(self.lines)
        self.record.append(line)
        if len(self.record) > MAX_RECORD_LINES:
            self.is_unfinished = True
            raise _Unusable(f"the row goes on for more than {MAX_RECORD_LINES:,} lines")
        if not line.error:
            return line.text
        self.has_errors = True
        if line.error != NOT_UTF_8:
            return '"\n' if line.is_odd else "\n"  # as far as quotes go, it is as long as that
        return line.text
