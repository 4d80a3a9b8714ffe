"""Labels as a dataset of Hugging Face's `datasets` (Apache-2.0), as `save_to_disk` leaves it: a folder.

The features of a dataset are read by the library; its rows are read from its Arrow files in a stream, because the
library maps whole files into memory.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.exceptions import PermanentError
from labeling.exchange import rows as exchange
from labeling.exchange.rows import VOTE_FIELDS, VOTES, Item, Layout, Reading, Row

if TYPE_CHECKING:
    import datasets

TYPES = {"text": "string", "number": "float64", "integer": "int64", "time": "timestamp[us, tz=UTC]"}


@contextmanager
def read(path: Path) -> Iterator[Reading]:
    """Open a saved dataset, or all splits of a saved dictionary of them; class labels come by name.

    Rows are numbered through, from 1. Raises `PermanentError` when the folder holds no dataset.
    """
    library = _library()
    try:
        found = library.load_from_disk(str(path))
    except (OSError, ValueError, KeyError) as exc:
        raise PermanentError(f"{path} is no saved dataset: {exc}.") from exc
    splits = list(found.values()) if isinstance(found, library.DatasetDict) else [found]
    total = sum(len(split) for split in splits)
    columns = list(dict.fromkeys(name for split in splits for name in split.column_names))
    n_read = 0

    def rows() -> Iterator[Row]:
        nonlocal n_read
        for n_read, values in enumerate((row for split in splits for row in _rows_of(split)), 1):
            yield Row(n_read, values)

    yield Reading(rows(), lambda: n_read / max(total, 1), columns)


def _rows_of(split: datasets.Dataset) -> Iterator[dict[str, Any]]:
    import pyarrow as pa

    names = {name: f.names for name, f in split.features.items() if type(f).__name__ == "ClassLabel"}
    for file in split.cache_files:
        with pa.OSFile(file["filename"]) as stream, pa.ipc.open_stream(stream) as batches:
            for batch in batches:
                for row in batch.to_pylist():
                    for name, known in names.items():
                        number = row[name]
                        row[name] = known[number] if number is not None and 0 <= number < len(known) else None
                    yield row


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
