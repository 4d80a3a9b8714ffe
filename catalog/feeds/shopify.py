"""Shopify's product CSV, in its older and newer column names. Rows of one handle follow each other.

https://help.shopify.com/en/manual/products/import-export/using-csv
A product per variant SKU; variants without a SKU make one product, whose sku is the handle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from catalog.feeds.base import BadRow, FactRecord, FeedRow, ProductRecord, make_fact, make_product, parse_price
from core.exceptions import PermanentError
from core.source import CsvRecord, Source

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
    "variant_image": ("variant image", "variant image url"),
}
_FACT_COLUMNS = {"google shopping / gender": "gender", "google shopping / age group": "age group"}
_METAFIELD = re.compile(r"(?P<name>.+) \(product\.metafields\.[^)]+\)")


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


def read_products(source: Source) -> Iterator[FeedRow[ProductRecord]]:
    """Yield the products of a Shopify CSV; one handle's rows are held at a time."""
    records = source.csv_records()
    header = next(records, None)
    names = [name.strip().lower() for name in header.cells] if header else []
    if not is_shopify_header(set(names)):
        raise PermanentError(f"{source.path} is no Shopify product CSV: it lacks Handle or Title.")
    handle, group = "", list[_Variant]()
    for record in records:
        if record.error:
            yield FeedRow(record.line, error=record.error, raw=record.raw)
            continue
        variant = _Variant(record, dict(zip(names, record.cells, strict=True)))
        if variant.get("handle") != handle or len(group) >= MAX_GROUP:
            yield from _products(group)
            handle, group = variant.get("handle"), []
        group.append(variant)
    yield from _products(group)


def _products(group: list[_Variant]) -> Iterator[FeedRow[ProductRecord]]:
    variants = [variant for variant in group if not variant.is_image_only]
    if not variants:
        return
    with_sku = [variant for variant in variants if variant.get("sku").strip()]
    if not with_sku:
        yield _row(group[0], variants, sku=group[0].get("handle"))
        return
    for variant in variants:
        sku = variant.get("sku")
        if sku.strip():
            yield _row(group[0], [variant], sku=sku, is_one_of_many=len(variants) > 1)
        else:
            reason = "this variant has no SKU while others of its handle have one"
            yield FeedRow(variant.record.line, error=reason, sku=variant.get("handle"), raw=variant.record.raw)


def _row(
    first: _Variant, variants: list[_Variant], *, sku: str, is_one_of_many: bool = False
) -> FeedRow[ProductRecord]:
    own = variants[0]
    try:
        options = _options(first, variants)
        title = first.get("title")
        if title and is_one_of_many and options:
            title = f"{title} – {' / '.join(options.values())}"
        product = make_product(
            sku=sku,
            title=title,
            brand=first.get("brand"),
            category=first.get("category"),
            description=first.get("body"),
            price=parse_price(own.get("price")),
            image_url=(own.get("variant_image") if is_one_of_many else "") or first.get("image"),
            facts=partial(_facts, first, own, options),
        )
        return FeedRow(own.record.line, product, sku=sku)
    except BadRow as exc:
        return FeedRow(own.record.line, error=str(exc), sku=sku, raw=own.record.raw)


def _options(first: _Variant, variants: list[_Variant]) -> dict[str, str]:
    """Return option name → value, or the values the variants come in."""
    options = {}
    for n in (1, 2, 3):
        name = first.row.get(f"option{n} name", "").strip()
        values = dict.fromkeys(variant.option(n) for variant in variants if variant.option(n))
        if name and values and (name, list(values)) != ("Title", ["Default Title"]):
            options[name] = ", ".join(values)
    return options


def _facts(first: _Variant, own: _Variant, options: dict[str, str], locale: str) -> list[FactRecord]:
    named = {name.lower(): value for name, value in options.items()}
    if own.get("grams").strip() not in ("", "0", "0.0"):
        named["weight"] = f"{own.get('grams').strip()} g"
    for column, value in first.row.items():
        if column in _FACT_COLUMNS:
            named[_FACT_COLUMNS[column]] = value
        elif match := _METAFIELD.fullmatch(column):
            named[match["name"]] = value
    facts = (make_fact(name, value, locale=locale) for name, value in named.items())
    return [fact for fact in facts if fact]
