"""The formats that labels come and go in, and how a file's is told."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from core.exceptions import PermanentError
from labeling.exchange import csv_file, hf, jsonl, label_studio
from labeling.exchange.rows import Layout, Reading, Writer

READERS = {
    "ls-json": label_studio.read,
    "csv": csv_file.read,
    "xlsx": csv_file.read,
    "jsonl": jsonl.read,
    "parquet": jsonl.read,
    "hf": hf.read,
}
WRITERS: dict[str, type[Writer]] = {
    "ls-json": label_studio.Writer,
    "csv": csv_file.Writer,
    "jsonl": jsonl.Writer,
    "hf": hf.Writer,
}
SUFFIXES = {
    ".json": "ls-json",
    ".csv": "csv",
    ".tsv": "csv",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
WORKBOOKS = (".xls", ".ods", ".numbers")


def format_of(path: Path) -> str:
    """Return the format of the file or folder at `path`, by its suffix. Raises `PermanentError` for another suffix."""
    if path.is_dir():
        return "hf"
    if path.suffix.lower() in WORKBOOKS:
        raise PermanentError(
            f"{path.name} is a workbook.", hint="Save the sheet as .xlsx or as CSV UTF-8, and import that."
        )
    try:
        return SUFFIXES[path.suffix.lower()]
    except KeyError:
        raise PermanentError(
            f"the name {path.name} does not say its format.", hint=f"Give one with --format: {', '.join(READERS)}."
        ) from None


def open_file(path: Path, *, file_format: str) -> AbstractContextManager[Reading]:
    """Open `path` for reading. Raises `PermanentError` for an unknown format, and for a file that is not of it."""
    return READERS[_known(file_format)](path)


def writer_of(file_format: str, part: Path, layout: Layout, *, position: int) -> Writer:
    """Return who writes `part` in `file_format`, from `position` on. Raises `PermanentError` for an unknown format."""
    return WRITERS[_known(file_format)](part, layout, position=position)


def _known(file_format: str) -> str:
    if file_format not in READERS:
        raise PermanentError(f"{file_format!r} is no format of labels.", hint=f"Formats: {', '.join(READERS)}.")
    return file_format
