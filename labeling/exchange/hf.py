"""Labels as a dataset of Hugging Face's `datasets` (Apache-2.0), as `save_to_disk` leaves it: a folder.

The features of a dataset are read by the library; its rows are read from its Arrow files in a stream, because the
library maps whole files into memory.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.exceptions import PermanentError
from labeling.exchange import rows as exchange
from labeling.exchange.rows import VOTE_FIELDS, VOTES, Item, Layout, Reading, Row

if TYPE_CHECKING:
    import datasets
    import pyarrow

TYPES = {"text": "string", "number": "float64", "integer": "int64", "time": "timestamp[us, tz=UTC]"}


@contextmanager
def read(path: Path) -> Iterator[Reading]:
    """Open a saved dataset, or all splits of a saved dictionary of them; class labels come by name.

    Rows are numbered through, from 1. Raises `PermanentError` when the folder holds no dataset.
    """
    library = _library()
    try:
        found = library.load_from_disk(str(path))
    except Exception as exc:  # the library raises whatever a file of its folder makes it
        raise PermanentError(
            f"{path} is no saved dataset: {exc}.", hint="A folder that `datasets` saved is what --format hf reads."
        ) from exc
    splits = list(found.values()) if isinstance(found, library.DatasetDict) else [found]
    total = sum(len(split) for split in splits)
    columns = list(dict.fromkeys(name for split in splits for name in split.column_names))
    n_read = 0

    def rows() -> Iterator[Row]:
        nonlocal n_read
        numbers = count(1)
        for row in (row for split in splits for row in _rows_of(split, numbers)):
            n_read = row.line
            yield row

    yield Reading(rows(), lambda: n_read / max(total, 1), columns)


def _rows_of(split: datasets.Dataset, numbers: Iterator[int]) -> Iterator[Row]:
    import pyarrow as pa

    names = {name: f.names for name, f in split.features.items() if type(f).__name__ == "ClassLabel"}
    for file in split.cache_files:
        try:
            with pa.OSFile(file["filename"]) as stream, pa.ipc.open_stream(stream) as batches:
                for batch in batches:
                    yield from _rows_in(batch, names, numbers)
        except (pa.ArrowException, OSError) as exc:
            reason = f"from this row on {Path(file['filename']).name} cannot be read: {exc}"
            yield Row(next(numbers), error=reason, breaks_off=True)


def _rows_in(batch: pyarrow.RecordBatch, names: Mapping[str, Sequence[str]], numbers: Iterator[int]) -> Iterator[Row]:
    try:
        found = batch.to_pylist()
    except (ValueError, OverflowError) as exc:  # a time that no calendar has; a text that is no UTF-8
        if batch.num_rows == 1:
            yield Row(next(numbers), error=f"it has a value that cannot be read: {exc}")
            return
        for number in range(batch.num_rows):
            yield from _rows_in(batch.slice(number, 1), names, numbers)
        return
    for row in found:
        for name, known in names.items():
            number = row[name]
            row[name] = known[number] if number is not None and 0 <= number < len(known) else None
        yield Row(next(numbers), row)


class Writer(exchange.Writer):
    """Positions are pages: each is a small dataset of its own, and `finish` makes one of them all."""

    def __init__(self, part: Path, layout: Layout, *, position: int) -> None:
        super().__init__(part, layout, position=position)
        part.mkdir(exist_ok=True)
        self.n_pages = position
        for number in count(position):
            if not self._page(number).exists():
                break
            shutil.rmtree(self._page(number))
        shutil.rmtree(self._whole, ignore_errors=True)

    @property
    def _whole(self) -> Path:
        return self.part / "whole"

    def _page(self, number: int) -> Path:
        return self.part / f"{number:06}"

    def write(self, items: Sequence[Item]) -> int:
        columns: dict[str, list[Any]] = {name: [item.values[name] for item in items] for name in self.layout.fields}
        if self.layout.has_votes:
            columns[VOTES] = [list(item.votes) for item in items]
        page = _library().Dataset.from_dict(columns, features=_features(self.layout))
        page.save_to_disk(str(self._page(self.n_pages)))
        self.n_pages += 1
        return self.n_pages

    def finish(self) -> Path:
        library, features = _library(), _features(self.layout)
        pages = [library.load_from_disk(str(self._page(number))) for number in range(self.n_pages)]
        nothing = library.Dataset.from_dict({name: [] for name in features}, features=features)
        if pages:
            library.concatenate_datasets(pages).save_to_disk(str(self._whole))
        else:
            nothing.save_to_disk(str(self._whole), num_shards=1)  # by itself it would make no file, and not read that
        return self._whole


def _features(layout: Layout) -> datasets.Features:
    library = _library()
    features: dict[str, Any] = {name: library.Value(TYPES[kind]) for name, kind in layout.fields.items()}
    if layout.has_votes:
        kinds = dict(zip(VOTE_FIELDS, ("text", "text", "time", "number"), strict=True))
        features[VOTES] = [{name: library.Value(TYPES[kind]) for name, kind in kinds.items()}]
    return library.Features(features)


def _library() -> Any:
    # Imported here: it takes pandas and pyarrow with it.
    import datasets

    datasets.disable_progress_bars()
    return datasets
