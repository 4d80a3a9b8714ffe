"""Apache Parquet read as a stream of objects, in the way JSONL is: its columns are the keys."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.csv_records import RAW_CHARACTERS, CsvRecord, Line
from core.exceptions import PermanentError
from core.source import JsonRecord, Source

if TYPE_CHECKING:
    import pyarrow

ROWS_AT_ONCE = 1_000
MOST_BYTES = 512 * 2**20  # of a row group, which is the least that the library may hold at once


class ParquetSource(Source):
    """An open Parquet file. Raises `PermanentError` for one that is broken or whose row groups are too large."""

    kind = "parquet"

    def __init__(self, path: Path) -> None:
        # Imported here: it is large, and most files are none of its.
        import pyarrow as pa
        from pyarrow import parquet

        self.path, self.size, self.n_read = path, path.stat().st_size, 0
        self.stream = path.open("rb")
        try:
            self.file = parquet.ParquetFile(self.stream)
            meta = self.file.metadata
            largest = max((meta.row_group(n).total_byte_size for n in range(meta.num_row_groups)), default=0)
        except (pa.ArrowException, OSError, ValueError) as exc:
            self.stream.close()
            raise PermanentError(f"{path} is no Parquet file that can be read: {_first_line(exc)}.") from exc
        if largest > MOST_BYTES:
            self.stream.close()
            raise PermanentError(
                f"{path} has a row group of {largest:,} bytes; at most {MOST_BYTES:,}.",
                hint="Write it with smaller row groups, or as JSONL.",
            )
        names = self.file.schema_arrow.names
        if twice := next((name for name in names if names.count(name) > 1), ""):
            self.stream.close()
            raise PermanentError(f"{path} has two columns of the name {twice[:40]!r}.")
        self.n_rows = max(int(meta.num_rows), 1)

    @property
    def share_read(self) -> float:
        return min(1.0, self.n_read / self.n_rows)

    def lines(self) -> Iterator[Line]:
        raise PermanentError(f"{self.path} is a Parquet file, which has no lines.", hint="Leave out --format.")

    def csv_records(self, *, delimiter: str = ",") -> Iterator[CsvRecord]:
        raise PermanentError(f"{self.path} is a Parquet file, which has no lines.", hint="Leave out --format.")

    def json_records(self) -> Iterator[JsonRecord]:
        """Yield each row as an object, numbered from 1; the last one says so where the file cannot be read further."""
        import pyarrow as pa

        number = 0
        try:
            for batch in self.file.iter_batches(batch_size=ROWS_AT_ONCE, use_threads=False):
                for record in _records(batch, number):
                    number = self.n_read = record.line
                    yield record
        except (pa.ArrowException, OSError, ValueError) as exc:
            reason = f"from this row on the file cannot be read: {_first_line(exc)}"
            yield JsonRecord(number + 1, "", {}, reason, breaks_off=True)


def _records(batch: pyarrow.RecordBatch, before: int) -> Iterator[JsonRecord]:
    try:
        batch, short = _with_short_floats(batch)
        rows = batch.to_pylist(maps_as_pydicts="lossy")
    except (ValueError, OverflowError) as exc:  # a time that no calendar has; a text that is no UTF-8
        if batch.num_rows == 1:
            yield JsonRecord(before + 1, "", {}, f"it has a value that cannot be read: {_first_line(exc)}")
            return
        for number in range(batch.num_rows):
            yield from _records(batch.slice(number, 1), before + number)
        return
    for number, row in enumerate(rows, start=before + 1):
        try:
            data = {name: _plain(value) for name, value in row.items()}
            for name in short:
                data[name] = _plain(float(data[name])) if data[name] is not None else None
        except (ValueError, RecursionError) as exc:
            yield JsonRecord(number, "", {}, str(exc))
            continue
        yield JsonRecord(number, json.dumps(data, ensure_ascii=False, default=str)[:RAW_CHARACTERS], data)


def _with_short_floats(batch: pyarrow.RecordBatch) -> tuple[pyarrow.RecordBatch, list[str]]:
    """Return `batch` with its floats of 32 bits as texts, and their names:
    1.3 would otherwise come as 1.2999999523162842.
    """
    import pyarrow as pa

    short = [field.name for field in batch.schema if pa.types.is_float32(field.type)]
    for name in short:
        number = batch.schema.get_field_index(name)
        batch = batch.set_column(number, name, batch.column(number).cast(pa.string()))
    return batch, short


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; numbers with a point as `Decimal`.

    Raises `ValueError` for what JSON has no word for.
    """
    if isinstance(value, float):
        if math.isinf(value):
            raise ValueError("a number without end")
        return None if math.isnan(value) else Decimal(repr(value))
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if value is None or isinstance(value, str | int | Decimal):
        return value
    if isinstance(value, bytes):
        raise ValueError("it has bytes where a text was expected")
    return str(value)


def _first_line(exc: Exception) -> str:
    return str(exc).strip().partition("\n")[0][:200]
