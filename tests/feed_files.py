"""Small feeds for tests: written, and read as an import reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.feeds.base import FeedRow, ProductRecord, ReviewRecord
from catalog.feeds.detection import detect_format, products_of, reviews_of
from catalog.feeds.mapping import read_mapping
from core.files import open_source


def file_of(folder: Path, name: str, content: str | bytes) -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content)
    return path


def _rows(read: Any, path: Path, mapping: str) -> Any:
    with open_source(path) as source:
        rules = read_mapping(file_of(path.parent, "mapping.toml", mapping) if mapping else None)
        return list(
            read(
                source,
                feed_format=detect_format(source, has_mapping=rules is not None and rules.names_columns),
                mapping=rules,
            )
        )


def products_in(path: Path, mapping: str = "") -> list[FeedRow[ProductRecord]]:
    """Return the rows of a product feed."""
    return _rows(products_of, path, mapping)  # type: ignore[no-any-return]


def reviews_in(path: Path, mapping: str = "") -> list[FeedRow[ReviewRecord]]:
    """Return the rows of a review feed."""
    return _rows(reviews_of, path, mapping)  # type: ignore[no-any-return]


def good(rows: list[FeedRow[ProductRecord]]) -> dict[str, ProductRecord]:
    """Return the products by sku."""
    return {row.record.sku: row.record for row in rows if row.record}


def bad(rows: list[FeedRow[Any]]) -> dict[int, str]:
    """Return what is wrong, by line."""
    return {row.line: row.error for row in rows if row.error}


def facts(record: ProductRecord) -> dict[str, str]:
    """Return the facts of a product as they are shown."""
    return {fact.name: fact.value for fact in record.facts}
