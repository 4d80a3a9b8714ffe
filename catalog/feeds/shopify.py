"""Shopify's product CSV, in its older and newer column names. Rows of a handle may stand in any order.

https://help.shopify.com/en/manual/products/import-export/using-csv
A product per variant SKU; variants without a SKU make one product, whose sku is the handle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b

from catalog.feeds.base import FactRecord, FeedRow, ProductRecord, make_product, row_of
from catalog.feeds.facts import facts_of, is_measure
from catalog.feeds.habits import Habits
from catalog.feeds.mapping import Mapping
from catalog.feeds.metafields import metafield
from catalog.feeds.numerals import POINT
from catalog.feeds.prices import parse_price
from core.exceptions import PermanentError
from core.source import CsvRecord, Source
from core.spreadsheets import unguarded

MAX_GROUP = 2_048  # Shopify's own limit of variants per product
_NAMES = {
    "handle": ("handle", "url handle"),
    "title": ("title",),
    "body": ("body (html)", "description"),
    "brand": ("vendor",),
    "category": ("type", "product category"),
    "sku": ("variant sku", "sku"),
    "grams": ("variant grams", "weight value (grams)"),
    "price": ("variant price", "price"),
    "image": ("image src", "product image url"),
    "position": ("image position", "product image position"),
    "variant_image": ("variant image", "variant image url"),
}
_FACT_COLUMNS = {"google shopping / gender": "gender", "google shopping / age group": "age group"}


@dataclass(frozen=True)
class _Variant:
    record: CsvRecord
    row: dict[str, str]

    def get(self, field: str) -> str:
        return next((self.row[name] for name in _NAMES[field] if self.row.get(name, "").strip()), "")

    def option(self, n: int) -> str:
        return self.row.get(f"option{n} value", "").strip()

    @property
    def is_image_only(self) -> bool:
        return not any((self.get("title"), self.get("sku"), self.get("price"), self.option(1)))


def is_shopify_header(names: set[str]) -> bool:
    """Whether lower-case column names are those of a Shopify product CSV."""
    return "title" in names and any(name in names for name in _NAMES["handle"])


def read_products(source: Source, *, mapping: Mapping | None = None) -> Iterator[FeedRow[ProductRecord]]:
    """Yield the products of a Shopify CSV; the rows of one handle are held at a time, of scattered ones until its last.

    The file is read twice: first for which handles are scattered, and how it is written.
    """
    header = next(source.csv_records(), None)
    names = [name.strip().lower() for name in header.cells] if header else []
    if not is_shopify_header(set(names)):
        raise PermanentError(f"{source.path} is no Shopify product CSV: it lacks Handle or Title.")
    said = mapping or Mapping()
    habits = Habits(lambda habits: None, decimal=said.decimal, locale=said.language, usual=POINT)
    last_lines = _scattered(_variants(source, names), habits)
    products = partial(_products, habits=habits, currency=said.currency)
    waiting: dict[str, list[_Variant]] = {}
    handle, group = "", list[_Variant]()
    for variant in _variants(source, names):
        if variant.record.error:
            record = variant.record
            yield FeedRow(record.line, error=record.error, raw=record.raw, breaks_off=record.breaks_off)
            continue
        own = variant.get("handle")
        if last_line := last_lines.get(_digest(own)):
            waiting.setdefault(own, []).append(variant)
            if variant.record.line >= last_line:
                yield from products(waiting.pop(own))
            continue
        if own != handle or len(group) >= MAX_GROUP:
            yield from products(group)
            handle, group = own, []
        group.append(variant)
    for left in (group, *waiting.values()):
        yield from products(left)


def _variants(source: Source, names: list[str]) -> Iterator[_Variant]:
    records = source.csv_records()
    next(records, None)
    for record in records:
        cells = map(unguarded, record.cells)
        yield _Variant(record, {} if record.error else dict(zip(names, cells, strict=True)))


def _scattered(variants: Iterator[_Variant], habits: Habits) -> dict[bytes, int]:
    """Return the last line of each handle whose rows do not follow each other; `habits` learns along."""
    seen, last_lines, before = set[bytes](), dict[bytes, int](), b""
    for variant in variants:
        if variant.record.error:
            continue
        habits.languages.hear(variant.get("title"), variant.get("body"))
        habits.numerals.learn("price", [variant.get("price")])
        for name, value in _metafields(variant):
            if is_measure(value):
                habits.numerals.learn(name, [value])
        handle = _digest(variant.get("handle"))
        if handle in last_lines or (handle != before and handle in seen):
            last_lines[handle] = variant.record.line
        seen.add(handle)
        before = handle
    return last_lines


def _digest(handle: str) -> bytes:
    return blake2b(handle.encode("utf-8", "surrogatepass"), digest_size=12).digest()


def _products(group: list[_Variant], *, habits: Habits, currency: str) -> Iterator[FeedRow[ProductRecord]]:
    variants = [variant for variant in group if not variant.is_image_only]
    if not variants:
        return
    # What is said once for a product stands in the row with its title, wherever that is.
    leading = next((variant for variant in group if variant.get("title")), group[0])
    image = leading.get("image") or _first_image(group)
    row = partial(_row, leading, image=image, habits=habits, currency=currency)
    with_sku = [variant for variant in variants if variant.get("sku").strip()]
    if not with_sku:
        yield row(variants, sku=leading.get("handle"))
        return
    for variant in variants:
        sku = variant.get("sku")
        if sku.strip():
            yield row([variant], sku=sku, is_one_of_many=len(variants) > 1)
        else:
            reason = "this variant has no SKU while others of its handle have one"
            yield FeedRow(variant.record.line, error=reason, sku=variant.get("handle"), raw=variant.record.raw)


def _first_image(group: list[_Variant]) -> str:
    def place(variant: _Variant) -> float:
        return float(variant.get("position")) if variant.get("position").strip().isdecimal() else float("inf")

    return next((variant.get("image") for variant in sorted(group, key=place) if variant.get("image")), "")


def _row(
    first: _Variant,
    variants: list[_Variant],
    *,
    sku: str,
    image: str,
    habits: Habits,
    currency: str,
    is_one_of_many: bool = False,
) -> FeedRow[ProductRecord]:
    own, sku = variants[0], unguarded(sku, is_key=True)

    def product() -> ProductRecord:
        options = _options(first, variants)
        title = first.get("title")
        if title and is_one_of_many and options:
            title = f"{title} – {' / '.join(options.values())}"
        return make_product(
            sku=sku,
            title=title,
            brand=first.get("brand"),
            category=first.get("category"),
            description=first.get("body"),
            price=parse_price(own.get("price"), currency=currency, plainly=habits.plainly("price")),
            image_url=(own.get("variant_image") if is_one_of_many else "") or image,
            facts=partial(_facts, first, own, options, habits),
            language=habits.locale_of,
        )

    return row_of(own.record.line, product, habits, sku=sku, raw=own.record.raw)


def _options(first: _Variant, variants: list[_Variant]) -> dict[str, str]:
    """Return option name → value, or the values the variants come in."""
    options = {}
    for n in (1, 2, 3):
        name = first.row.get(f"option{n} name", "").strip()
        values = dict.fromkeys(variant.option(n) for variant in variants if variant.option(n))
        if name and values and (name, list(values)) != ("Title", ["Default Title"]):
            options[name] = ", ".join(values)
    return options


def _facts(first: _Variant, own: _Variant, options: dict[str, str], habits: Habits, locale: str) -> list[FactRecord]:
    named = {name.lower(): value for name, value in options.items()}
    grams = own.get("grams").strip()
    if grams and set(grams) - set("0.,"):
        named["weight"] = f"{grams} g"
    named |= {_FACT_COLUMNS[column]: value for column, value in first.row.items() if column in _FACT_COLUMNS}
    named |= _metafields(first)
    return list(facts_of(named.items(), locale=locale, habits=habits))


def _metafields(variant: _Variant) -> list[tuple[str, str]]:
    found = (metafield(column, value) for column, value in variant.row.items() if value.strip())
    return [pair for pair in found if pair]
