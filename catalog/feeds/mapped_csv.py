"""Any CSV, with a mapping (`catalog.feeds.mapping`) or, without one, a header of our own field names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from catalog.feeds.base import FeedRow, ProductRecord, R, row_of
from catalog.feeds.habits import Habits
from catalog.feeds.mapping import (
    PRODUCT_FIELDS,
    FieldRule,
    Mapping,
    Row,
    record_product,
    study,
)
from catalog.feeds.texts import TextKind
from core.csv_records import CsvRecord
from core.exceptions import PermanentError
from core.source import Source
from core.spreadsheets import unguarded

DELIMITERS = (",", ";", "\t", "|")


def read_products(source: Source, *, mapping: Mapping | None = None) -> Iterator[FeedRow[ProductRecord]]:
    """Yield the products of a CSV file."""
    table = _Table(source, mapping, known=PRODUCT_FIELDS, required=("sku", "title"))
    habits = table.habits()
    for record, row in table.rows():
        if record.error:
            yield FeedRow(
                record.line, error=record.error, sku=table.sku_in(record), raw=record.raw, breaks_off=record.breaks_off
            )
            continue
        make = partial(record_product, row, table.rules, habits)
        yield row_of(record.line, make, habits, sku=table.rules.fields["sku"].of(row), raw=record.raw)


def read_texts(source: Source, *, mapping: Mapping | None = None, kind: TextKind[R]) -> Iterator[FeedRow[R]]:
    """Yield the texts of one `kind`, customer reviews or messages, of a CSV file."""
    table = _Table(source, mapping, known=kind.fields, required=("text",))
    habits = table.habits()
    for record, row in table.rows():
        if record.error:
            yield FeedRow(record.line, error=record.error, raw=record.raw, breaks_off=record.breaks_off)
            continue
        sku = table.rules.fields["sku"].of(row) if "sku" in table.rules.fields else ""
        yield row_of(record.line, partial(kind.record, row, table.rules, habits), habits, sku=sku, raw=record.raw)


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
        self.rules = mapping or Mapping()
        if not self.rules.names_columns:
            self.rules = self.rules.model_copy(update={"fields": own})
        self.rules.require_known(known)
        if missing := set(required) - set(self.rules.fields):
            raise PermanentError(
                f"nothing says which column of {source.path.name} is {', '.join(sorted(missing))}.",
                hint=f"Give a mapping file with --mapping. Its columns: {', '.join(self.names)[:500]}",
            )
        if twice := sorted(name for name in self.rules.columns if self.names.count(name) > 1):
            raise PermanentError(
                f"{source.path.name} has two columns {', '.join(twice)[:200]}.",
                hint="Rename one of them: nobody can tell which is meant.",
            )
        if absent := self.rules.columns - set(self.names):
            raise PermanentError(
                f"{source.path.name} has no column {', '.join(sorted(absent))}.",
                hint=f"It has: {', '.join(self.names)[:500]}",
            )

    def rows(self, source: Source | None = None) -> Iterator[tuple[CsvRecord, Row]]:
        """Yield the records below the header, from the first one, each with its cells by name."""
        records = (source or self.source).csv_records(delimiter=self.delimiter)
        next(records, None)
        for record in records:
            yield record, dict(zip(self.names, map(unguarded, record.cells), strict=False))

    def habits(self) -> Habits:
        """Return how the file is written, read through when it is first asked."""

        def listen(habits: Habits) -> None:
            with self.source.again() as source:
                study((row for record, row in self.rows(source) if not record.error), self.rules, habits)

        return Habits(listen, decimal=self.rules.decimal, locale=self.rules.language)

    def sku_in(self, record: CsvRecord) -> str:
        """Return the sku that a record seems to have which could not be read."""
        column = self.rules.fields["sku"].column
        cells = record.raw.partition("\n")[0].split(self.delimiter)
        place = self.names.index(column) if column else len(cells)
        return unguarded(cells[place].strip(' "'), is_key=True) if place < len(cells) else ""


def _header(source: Source, mapping: Mapping | None, known: Iterable[str]) -> tuple[str, list[str]]:
    """Return the delimiter and the names of the columns: by the mapping,
    or the delimiter that makes most names known.
    """
    named = mapping.columns if mapping and mapping.names_columns else set()
    wanted = named or set(known)
    best: tuple[int, int, str, list[str]] = (-1, 0, ",", [])
    error = ""
    for rank, delimiter in enumerate([mapping.delimiter] if mapping and mapping.delimiter else DELIMITERS):
        header = next(source.csv_records(delimiter=delimiter), None)
        if header is None or header.error:
            error = error or (f": {header.error}" if header else "")
            continue
        names = [name.strip() for name in header.cells]
        n_known = len(wanted & ({*names} if named else {*names, *map(_folded, names)}))
        best = max(best, (n_known, -rank, delimiter, names))
    if not best[3]:
        raise PermanentError(f"{source.path} has no header line{error}.")
    return best[2], best[3]


def _folded(name: str) -> str:
    return "_".join(name.lower().replace("-", " ").replace("_", " ").split())
