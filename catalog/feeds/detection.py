"""Which format a feed file is in, and the reader for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from catalog.feeds import jsonl, mapped_csv, merchant, shopify
from catalog.feeds.base import FeedRow, ProductRecord, ReviewRecord
from catalog.feeds.mapping import Mapping
from catalog.feeds.texts import MESSAGES, REVIEWS, MessageRecord
from core.exceptions import PermanentError
from core.source import CsvRecord, Source

PRODUCT_READERS: dict[str, Callable[..., Iterator[FeedRow[ProductRecord]]]] = {
    "shopify": shopify.read_products,
    "merchant_tsv": merchant.read_tsv,
    "merchant_xml": merchant.read_xml,
    "jsonl": jsonl.read_products,
    "parquet": jsonl.read_products,
    "csv": mapped_csv.read_products,
}
REVIEW_READERS: dict[str, Callable[..., Iterator[FeedRow[ReviewRecord]]]] = {
    "jsonl": partial(jsonl.read_texts, kind=REVIEWS),
    "parquet": partial(jsonl.read_texts, kind=REVIEWS),
    "csv": partial(mapped_csv.read_texts, kind=REVIEWS),
}
MESSAGE_READERS: dict[str, Callable[..., Iterator[FeedRow[MessageRecord]]]] = {
    "jsonl": partial(jsonl.read_texts, kind=MESSAGES),
    "parquet": partial(jsonl.read_texts, kind=MESSAGES),
    "csv": partial(mapped_csv.read_texts, kind=MESSAGES),
}

MAPPED_FORMATS = ("csv", "jsonl", "parquet")


def detect_format(source: Source, *, has_mapping: bool = False) -> str:
    """Return the name of the format of a feed, by its suffix and its first line. A mapping means a table, or objects.

    The first sheet of a workbook is a table like any other.
    """
    suffix = source.path.suffix.lower()
    if source.kind == "parquet":
        return "parquet"
    if source.kind == "workbook":
        header = next(source.csv_records(), None)
        is_merchants = header is not None and merchant.is_merchant_header(set(header.cells))
        return "csv" if has_mapping else "merchant_tsv" if is_merchants else _by_header(header)
    if suffix in (".jsonl", ".ndjson"):
        return "jsonl"
    beginning = next((line.text.strip() for line in source.lines() if line.text.strip()), "")
    if has_mapping:
        return "jsonl" if beginning.startswith("{") else "csv"
    if beginning.startswith("[") or beginning == "{":
        raise PermanentError(
            f"{source.path} is one JSON document; we read JSONL, an object on each line.",
            hint="`jq -c '.[]' FILE` writes a list so.",
        )
    if suffix in (".xml", ".rss", ".atom") or beginning.startswith("<"):
        return "merchant_xml"
    if beginning.startswith("{"):
        return "jsonl"
    if "\t" in beginning and merchant.is_merchant_header(set(beginning.split("\t"))):
        return "merchant_tsv"
    return _by_header(next(source.csv_records(), None))


def _by_header(header: CsvRecord | None) -> str:
    names = {name.strip().lower() for name in header.cells} if header else set()
    return "shopify" if shopify.is_shopify_header(names) else "csv"


def products_of(source: Source, *, feed_format: str, mapping: Mapping | None) -> Iterator[FeedRow[ProductRecord]]:
    """Return the rows of a product feed. Raises `PermanentError` for an unknown format."""
    reader = PRODUCT_READERS[_known(feed_format, PRODUCT_READERS)]
    return reader(source, mapping=mapping)


def reviews_of(source: Source, *, feed_format: str, mapping: Mapping | None) -> Iterator[FeedRow[ReviewRecord]]:
    """Return the rows of a review feed. Raises `PermanentError` for an unknown format."""
    reader = REVIEW_READERS[_known(feed_format, REVIEW_READERS)]
    return reader(source, mapping=mapping)


def messages_of(source: Source, *, feed_format: str, mapping: Mapping | None) -> Iterator[FeedRow[MessageRecord]]:
    """Return the rows of a file of messages. Raises `PermanentError` for an unknown format."""
    reader = MESSAGE_READERS[_known(feed_format, MESSAGE_READERS)]
    # Words and names of people are not copied into the file of bad rows: its line tells which row it is.
    return (row._replace(raw="") for row in reader(source, mapping=mapping))


def _known(feed_format: str, readers: Iterable[str]) -> str:
    if feed_format not in readers:
        raise PermanentError(f"{feed_format!r} is no format we read here.", hint=f"Formats: {', '.join(readers)}")
    return feed_format
