"""Opens a file for reading by what it is, whatever its name says. A new kind of file is a class and a line here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.exceptions import PermanentError
from core.parquet import ParquetSource
from core.source import Source
from core.workbook import OLD_OFFICE, WorkbookSource, is_packed_workbook

# How a file begins, whether it is of the kind after all, and who reads it.
KINDS: tuple[tuple[bytes, Callable[[Path], bool], type[Source]], ...] = (
    (b"PAR1", Path.is_file, ParquetSource),
    (b"PK\x03\x04", is_packed_workbook, WorkbookSource),
    (OLD_OFFICE, Path.is_file, WorkbookSource),
)


def open_source(path: Path) -> Source:
    """Return `path` opened: text, unless it begins as another kind does. Use as a context manager.

    Raises `PermanentError` for what is missing, empty, packed, or cannot be read.
    """
    if not path.is_file():
        raise PermanentError(f"there is no file {path}.")
    with path.open("rb") as stream:
        start = stream.read(8)
    kind = next((kind for magic, is_one, kind in KINDS if start.startswith(magic) and is_one(path)), Source)
    return kind(path)
