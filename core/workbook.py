"""Workbooks of Excel (`.xlsx`): the first sheet that holds anything, row by row, as if it were a CSV file."""

from __future__ import annotations

import datetime as dt
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from core.csv_records import RAW_CHARACTERS, CsvRecord, Line
from core.exceptions import PermanentError
from core.source import JsonRecord, Source

MOST_BYTES = 200 * 2**20  # unpacked
LAST_ROW = 1_048_576  # of any sheet: a row beyond it is made up
OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_SAVE = "Save the sheet as CSV UTF-8, and import that."


class WorkbookSource(Source):
    """An open workbook. Raises `PermanentError` for one that is broken, empty, locked, too large,
    or of another program.
    """

    kind = "workbook"

    def __init__(self, path: Path) -> None:
        self.path, self.size, self.n_read = path, path.stat().st_size, 0
        _check(path)
        self.stream = path.open("rb")  # the library would go by the name
        # Imported here: most files are none of its.
        import openpyxl

        try:
            with warnings.catch_warnings(action="ignore"):  # of styles and extensions that it leaves out
                self.book = openpyxl.load_workbook(self.stream, read_only=True, data_only=True)
        except Exception as exc:  # the library raises whatever a part of the archive makes it
            self.stream.close()
            raise _unreadable(path, exc) from exc
        try:
            self.sheet = self._first_sheet()
        except BaseException:
            self.__exit__()
            raise
        self.n_rows = self.sheet.max_row or 1

    def __exit__(self, *exc: object) -> None:
        self.book.close()
        self.stream.close()

    @property
    def share_read(self) -> float:
        return min(1.0, self.n_read / self.n_rows)

    def lines(self) -> Iterator[Line]:
        """Yield the rows as lines without quotes: enough to tell what the sheet is about."""
        for record in self._records():
            yield Line(record.line, ",".join(record.cells), record.error)

    def csv_records(self, *, delimiter: str = ",") -> Iterator[CsvRecord]:
        """Yield the rows that are not empty, the header first, numbered as the sheet has them."""
        n_cells = 0
        for record in self._records():
            if record.error:
                yield record
                return
            cells = list(record.cells)
            if not n_cells:
                n_cells = len(cells)
            cells += [""] * (n_cells - len(cells))
            self.n_read = record.line
            error = f"{len(cells)} columns where the header has {n_cells}" if len(cells) > n_cells else ""
            yield CsvRecord(record.line, record.raw, [] if error else cells, error)

    def json_records(self) -> Iterator[JsonRecord]:
        raise PermanentError(f"{self.path} is a workbook, and no JSONL.", hint="Leave out --format.")

    def _first_sheet(self) -> Any:
        for sheet in self.book.worksheets:
            self.sheet = sheet
            if next(islice(self._records(), 1), None) is not None:
                return sheet
        raise PermanentError(f"the workbook {self.path} holds no table.", hint=_SAVE)

    def _records(self) -> Iterator[CsvRecord]:
        """Yield the cells of each row that is not empty, without the empty ones at its end."""
        number = 0
        try:
            self.sheet.reset_dimensions()  # what a sheet says of its size is not believed
            for number, row in enumerate(self.sheet.iter_rows(values_only=True), start=1):
                if number > LAST_ROW:
                    raise ValueError(f"it has more than {LAST_ROW:,} rows")
                cells = [_text(cell) for cell in row]
                while cells and not cells[-1].strip():
                    cells.pop()
                if cells:
                    yield CsvRecord(number, ",".join(cells)[:RAW_CHARACTERS], cells)
        except Exception as exc:
            reason = f"from here on the sheet cannot be read: {_first_line(exc)}"
            yield CsvRecord(number + 1, "", error=reason, breaks_off=True)


def is_packed_workbook(path: Path) -> bool:
    """Whether an archive is a workbook, of Excel or of LibreOffice; one that cannot be read is what its name says."""
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return True
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            kind = archive.open("mimetype").read(100) if "mimetype" in names else b""
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError, zlib.error):
        return False
    return any(name.startswith("xl/") for name in names) or b"opendocument.spreadsheet" in kind


def _check(path: Path) -> None:
    """Raise `PermanentError` for what is no workbook that we read, or would take too much memory.

    What an archive says of the sizes in it is not believed: it is unpacked once, and no further than that.
    """
    with path.open("rb") as stream:
        if stream.read(len(OLD_OFFICE)) == OLD_OFFICE:
            raise PermanentError(
                f"{path} is an Excel workbook of the old kind, or a locked one.",
                hint="Save it as .xlsx or as CSV UTF-8.",
            )
    size = 0
    try:
        with zipfile.ZipFile(path) as archive:
            if not any(name.startswith("xl/") for name in archive.namelist()):
                raise PermanentError(
                    f"{path} is a spreadsheet of LibreOffice.", hint="Save it as .xlsx or as CSV UTF-8."
                )
            for info in archive.infolist():
                with archive.open(info) as member:
                    while chunk := member.read(1 << 20):
                        size += len(chunk)
                        if size > MOST_BYTES:
                            raise PermanentError(
                                f"the workbook {path} unpacks to more than {MOST_BYTES:,} bytes.", hint=_SAVE
                            )
    except (OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error) as exc:
        raise _unreadable(path, exc) from exc


def _unreadable(path: Path, exc: Exception) -> PermanentError:
    return PermanentError(f"the workbook {path} cannot be read: {_first_line(exc)}.", hint=_SAVE)


def _first_line(exc: Exception) -> str:
    return (str(exc) or type(exc).__name__).strip().partition("\n")[0][:200]


def _text(cell: Any) -> str:
    """Return a cell as a CSV would have it: numbers as they are shown, dates in ISO 8601, yes and no."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):  # of which Excel keeps fifteen digits
        number = Decimal(f"{cell:.15g}")
        return f"{number:f}" if number.is_finite() else ""
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)
