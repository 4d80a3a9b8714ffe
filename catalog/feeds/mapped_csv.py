"""Any CSV, with a mapping (`catalog.feeds.mapping`) or, without one, a header of our own field names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from catalog.feeds.base import FeedRow, ProductRecord, ReviewRecord, row_of
from catalog.feeds.mapping import (
    PRODUCT_FIELDS,
    REVIEW_FIELDS,
    FieldRule,
    Mapping,
    Row,
    numerals_in,
    record_product,
    record_review,
)
from core.csv_records import CsvRecord
from core.exceptions import PermanentError
from core.source import Source
from core.spreadsheets import unguarded

DELIMITERS = (",", ";", "\t", "|")


def read_products(source: Source, *, mapping: Mapping | None = None) -> Iterator[FeedRow[ProductRecord]]:
    """Yield the products of a CSV file, which is read twice: first for how its columns write numbers."""
    table = _Table(source, mapping, known=PRODUCT_FIELDS, required=("sku", "title"))
    numerals = numerals_in((row for record, row in table.rows() if not record.error), table.rules)
    said = numerals.notes()
    for record, row in table.rows():
        if record.error:
            yield FeedRow(record.line, error=record.error, sku=table.sku_in(record), raw=record.raw)
            continue
        sku, notes = table.rules.fields["sku"].of(row), list(said)
        make = partial(record_product, row, table.rules, numerals, notes)
        yield row_of(record.line, make, sku=sku, raw=record.raw, notes=notes)


def read_reviews(source: Source, *, mapping: Mapping | None = None) -> Iterator[FeedRow[ReviewRecord]]:
    """Yield the customer reviews of a CSV file."""
    table = _Table(source, mapping, known=REVIEW_FIELDS, required=("text",))
    for record, row in table.rows():
        if record.error:
            yield FeedRow(record.line, error=record.error, raw=record.raw)
            continue
        sku = table.rules.fields["sku"].of(row) if "sku" in table.rules.fields else ""
        yield row_of(record.line, partial(record_review, row, table.rules), sku=sku, raw=record.raw)


class _Table:
    """The rows of a CSV file under the names of its header. Raises `PermanentError` where that does not do."""

    def __init__(
        self, source: Source, mapping: Mapping | None, *, known: Sequence[str], required: Sequence[str]
    ) -> None:
        self.source = source
        self.delimiter, self.names = _header(source, mapping, known)
        own = {name: FieldRule(column=name) for name in self.names if name in known}
        folded = {_folded(name): name for name in reversed(self.names)}
        own |= {name: FieldRule(column=folded[name]) for name in known if name not in own and name in folded}
        self.rules = mapping or Mapping(fields=own)
        self.rules.require_known(known)
        if missing := set(required) - set(self.rules.fields):
            raise PermanentError(
                f"nothing says which column of {source.path.name} is {', '.join(sorted(missing))}.",
                hint=f"Give a mapping file with --mapping. Its columns: {', '.join(self.names)[:500]}",
            )
        if absent := self.rules.columns - set(self.names):
            raise PermanentError(
                f"{source.path.name} has no column {', '.join(sorted(absent))}.",
                hint=f"It has: {', '.join(self.names)[:500]}",
            )

    def rows(self) -> Iterator[tuple[CsvRecord, Row]]:
        """Yield the records below the header, from the first one, each with its cells by name."""
        records = self.source.csv_records(delimiter=self.delimiter)
        next(records, None)
        for record in records:
            yield record, dict(zip(self.names, map(unguarded, record.cells), strict=False))

    def sku_in(self, record: CsvRecord) -> str:
        """Return the sku that a record seems to have which could not be read."""
        column = self.rules.fields["sku"].column
        cells = record.raw.partition("\n")[0].split(self.delimiter)
        place = self.names.index(column) if column else len(cells)
        return unguarded(cells[place].strip(' "'), is_key=True) if place < len(cells) else ""


def _header(source: Source, mapping: Mapping | None, known: Iterable[str]) -> tuple[str, list[str]]:
    """Return the delimiter and the names of the columns: by the mapping, or the delimiter that makes most names known."""
    wanted = mapping.columns if mapping else set(known)
    best: tuple[int, int, str, list[str]] = (-1, 0, ",", [])
    error = ""
    for rank, delimiter in enumerate([mapping.delimiter] if mapping and mapping.delimiter else DELIMITERS):
        header = next(source.csv_records(delimiter=delimiter), None)
        if header is None or header.error:
            error = error or (f": {header.error}" if header else "")
            continue
        names = [name.strip() for name in header.cells]
        n_known = len(wanted & ({*names} if mapping else {*names, *map(_folded, names)}))
        best = max(best, (n_known, -rank, delimiter, names))
    if not best[3]:
        raise PermanentError(f"{source.path} has no header line{error}.")
    return best[2], best[3]


def _folded(name: str) -> str:
    return "_".join(name.lower().replace("-", " ").replace("_", " ").split())
