"""Google Merchant product data, as TSV and as XML (RSS 2.0 and Atom).

https://support.google.com/merchants/answer/7052112 (attributes), /160567 (TSV), /160589 (XML)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from catalog.feeds.base import FeedRow, ProductRecord, make_product, row_of
from catalog.feeds.facts import facts_of, is_measure
from catalog.feeds.habits import Habits
from catalog.feeds.mapping import Mapping
from catalog.feeds.merchant_items import Found, Item, attribute, items_of
from catalog.feeds.numerals import POINT
from catalog.feeds.prices import parse_price
from core.exceptions import PermanentError
from core.source import Source
from core.spreadsheets import unguarded

FACT_ATTRIBUTES = (
    "color",
    "size",
    "material",
    "pattern",
    "gender",
    "age_group",
    "condition",
    "multipack",
    "unit_pricing_measure",
    "energy_efficiency_class",
    "product_weight",
    "product_length",
    "product_width",
    "product_height",
)

DESCRIPTION = ("description", "summary", "content")


def is_merchant_header(names: set[str]) -> bool:
    """Whether column names are those of a Google Merchant feed."""
    names = {attribute(name) for name in names}
    return {"id", "title"} <= names and bool(names & {"link", "image_link", "availability", "product_type"})


def read_tsv(source: Source, *, mapping: Mapping | None = None) -> Iterator[FeedRow[ProductRecord]]:
    """Yield the products of a tab-separated Merchant feed."""
    header = next(source.csv_records(delimiter="\t"), None)
    names = [attribute(name) for name in header.cells] if header else []
    if not {"id", "title"} <= set(names):
        raise PermanentError(f"{source.path} is no Google Merchant feed: it lacks the columns id and title.")

    def items(source: Source) -> Iterator[Found]:
        records = source.csv_records(delimiter="\t")
        next(records, None)
        for record in records:
            item: Item = {}
            for name, cell in zip(names, map(unguarded, record.cells), strict=True) if not record.error else ():
                if cell.strip():
                    item.setdefault(name, []).extend(_details(cell) if name == "product_detail" else [cell])
            yield Found(record.line, item, error=record.error, raw=record.raw, breaks_off=record.breaks_off)

    yield from _rows(source, items, mapping)


def read_xml(source: Source, *, mapping: Mapping | None = None) -> Iterator[FeedRow[ProductRecord]]:
    """Yield the products of an XML Merchant feed. Entities and DTDs are refused: they are how XML bombs are built.

    Where the XML breaks off, what came before stands, and the last row says so.
    """
    if next(items_of(source), None) is None:
        raise PermanentError(f"{source.path} holds no <item> and no <entry>.", hint="Is it a Merchant feed?")
    yield from _rows(source, items_of, mapping)


def _details(cell: str) -> list[str]:
    """Split `section:attribute:value,section:attribute:value`; a comma inside a value starts no new detail."""
    details: list[str] = []
    for part in cell.split(","):
        pieces = part.split(":", 2)
        if len(pieces) == 3:
            details.append(f"{pieces[1].strip()}\t{pieces[2].strip()}")
        elif details:
            details[-1] += f",{part}"
    return details


def _rows(
    source: Source, items: Callable[[Source], Iterator[Found]], mapping: Mapping | None
) -> Iterator[FeedRow[ProductRecord]]:
    def study(habits: Habits) -> None:
        with source.again() as again:
            for found in items(again):
                if not found.error:
                    habits.languages.hear(_first(found.item, "title"), _first(found.item, *DESCRIPTION))
                    habits.numerals.learn("price", found.item.get("price", ())[:1])
                    for name, value in _named(found.item):
                        if is_measure(value):
                            habits.numerals.learn(name, [value])

    said = mapping or Mapping()
    habits = Habits(study, decimal=said.decimal, locale=said.language, usual=POINT)
    for found in items(source):
        yield _row(found, habits, said.currency)


def _first(item: Item, *names: str) -> str:
    return next((item[name][0] for name in names if item.get(name)), "")


def _row(found: Found, habits: Habits, currency: str) -> FeedRow[ProductRecord]:
    first = partial(_first, found.item)

    def product() -> ProductRecord:
        return make_product(
            sku=sku,
            title=first("title"),
            brand=first("brand"),
            category=first("product_type", "google_product_category"),
            description=first(*DESCRIPTION),
            price=parse_price(first("price"), currency=currency, plainly=habits.plainly("price")),
            image_url=first("image_link"),
            facts=lambda locale: facts_of(_named(found.item), locale=locale, habits=habits),
            language=habits.locale_of,
        )

    sku = unguarded(first("id"), is_key=True)
    if found.error:
        return FeedRow(found.line, error=found.error, sku=sku, raw=found.raw, breaks_off=found.breaks_off)
    return row_of(found.line, product, habits, sku=sku, raw=found.raw)


def _named(item: Item) -> list[tuple[str, str]]:
    named = [(name.replace("_", " "), ", ".join(item[name])) for name in FACT_ATTRIBUTES if item.get(name)]
    for detail in item.get("product_detail", ()):
        name, _, value = detail.partition("\t")
        named.append((name, value))
    return [(name, value) for name, value in named if name.strip()]
