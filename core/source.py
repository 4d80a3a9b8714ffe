"""A file read as a stream, with limits: one endless line or quoted field costs one bad row, not the memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from core.csv_records import MAX_LINE_BYTES, NOT_UTF_8, RAW_CHARACTERS, CsvRecord, Line, csv_records
from core.exceptions import PermanentError

__all__ = ("MAX_LINE_BYTES", "RAW_CHARACTERS", "CsvRecord", "JsonRecord", "Line", "Source")

TOO_LONG = f"the line is longer than {MAX_LINE_BYTES:,} bytes"
_CHUNK = 65_536
_UTF_16 = re.compile(rb"(?:[^\0]\0){3}|(?:\0[^\0]){3}")  # without a mark, as far as Latin letters show it
_ENDS = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_ARCHIVES = {b"PK\x03\x04": "zip", b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"7z\xbc\xaf": "7z"}


class JsonRecord(NamedTuple):
    """One line of a JSONL file: its object, or (with `error`) its raw beginning alone."""

    line: int
    raw: str
    data: dict[str, Any]
    error: str = ""
    breaks_off: bool = False  # nothing that follows could be read


class Source:
    """An open file. Use as a context manager; raises `PermanentError` for a missing, empty or packed file."""

    kind = "text"

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
        elif start[:2] in (b"\xff\xfe", b"\xfe\xff") or _UTF_16.match(start):
            problem = "is UTF-16; save it as UTF-8 (in Excel: CSV UTF-8)."
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

    def again(self) -> Source:
        """Return the same file opened once more, to be read beside this one."""
        return type(self)(self.path)

    def lines(self) -> Iterator[Line]:
        """Yield the physical lines, decoded; over-long or undecodable ones with an error and cut short."""
        self.stream.seek(0)
        beginning = self.stream.read(_CHUNK)
        # Some tools put a mark before the one that is there.
        self.stream.seek(len(beginning) - len(_without_marks(beginning)))
        lines = self._lines_of_old_macs() if _has_carriage_returns_alone(beginning) else self._lines()
        for number, (data, error, n_quotes) in enumerate(lines, start=1):
            if error:
                yield Line(number, data[:RAW_CHARACTERS].decode("utf-8", "replace"), error, bool(n_quotes % 2))
                continue
            try:
                yield Line(number, data.decode("utf-8"))
            except UnicodeDecodeError:
                yield Line(number, data.decode("utf-8", "replace"), NOT_UTF_8)

    def _lines(self) -> Iterator[tuple[bytes, str, int]]:
        """Yield each line, or the beginning of one that is too long with the reason and the quotes in all of it."""
        while data := self.stream.readline(MAX_LINE_BYTES):
            if len(data) < MAX_LINE_BYTES or data.endswith(b"\n"):
                if b"\r" not in data or data.find(b"\r") >= len(data) - 2:
                    yield data, "", 0
                else:  # lines of several kinds were put together
                    for part in _ENDS.findall(data):
                        yield part, "", 0
                continue
            n_quotes = data.count(b'"')
            while rest := self.stream.readline(MAX_LINE_BYTES):
                n_quotes += rest.count(b'"')
                if rest.endswith(b"\n"):
                    break
            yield data, TOO_LONG, n_quotes

    def _lines_of_old_macs(self) -> Iterator[tuple[bytes, str, int]]:
        data, cut, n_quotes = b"", b"", 0
        while chunk := self.stream.read(_CHUNK):
            *whole, data = (data + chunk).split(b"\r")
            for line in whole:
                n_quotes += line.count(b'"')
                yield (cut, TOO_LONG, n_quotes) if cut else (line + b"\n", "", 0)
                cut, n_quotes = b"", 0
            if len(data) > MAX_LINE_BYTES:
                cut, n_quotes, data = cut or data[:RAW_CHARACTERS], n_quotes + data.count(b'"'), b""
        if data or cut:
            yield (cut, TOO_LONG, n_quotes + data.count(b'"')) if cut else (data, "", 0)

    def csv_records(self, *, delimiter: str = ",") -> Iterator[CsvRecord]:
        """Yield the records of a CSV file, the header first, each with the physical line it begins on.

        A first line `sep=;`, as Excel writes it, is taken for what it says.
        """
        return csv_records(self.lines(), delimiter=delimiter)

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


def _without_marks(beginning: bytes) -> bytes:
    while beginning.startswith(b"\xef\xbb\xbf"):
        beginning = beginning[3:]
    return beginning


def _has_carriage_returns_alone(beginning: bytes) -> bool:
    return b"\r" in beginning and b"\n" not in beginning.rstrip(b"\r\n")


def _json_object(text: str) -> tuple[dict[str, Any], str]:
    try:
        data = _DECODER.decode(text)
    except json.JSONDecodeError as exc:
        return {}, f"it is no JSON: {exc.msg} at column {exc.colno}"
    except (RecursionError, ValueError) as exc:  # nested a thousand deep; an integer of ten thousand digits; NaN
        return {}, f"it is no JSON we take: {exc}"
    return (data, "") if isinstance(data, dict) else ({}, "it is no JSON object")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)[:40]!r} stands there twice")
    return data


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_once_each)
