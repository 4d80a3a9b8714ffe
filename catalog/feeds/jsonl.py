"""Our own format: one JSON object a line. Every value that has a language may be given per locale.

A product:

    {"sku": "K-100", "title": {"en": "Copper Kettle", "zh-Hans": "铜制水壶"}, "brand": "Fenmoor",
     "category": "Kitchen", "description": "…", "price": "49.00 USD", "image_url": "https://…",
     "facts": {"en": {"capacity": "1.2 l", "dishwasher safe": false}, "zh-Hans": {"容量": "1.2 升"}}}

`title` may be one string and `facts` one object of name → value; their language is then `locale`, or is taken from the
letters of the title. A fact is typed by how it is written: `true` yes or no, `42` a number, `"240 g"` a quantity.

A review: `{"text": "…", "sku": "K-100", "title": "…", "rating": 4, "locale": "en", "written_at": "2026-03-01",
"external_id": "…"}`, of which `text` alone is required.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from catalog.feeds.base import (
    BadRow,
    FactRecord,
    FeedRow,
    ProductRecord,
    R,
    ReviewRecord,
    make_fact,
    make_product,
    make_review,
    parse_price,
)
from catalog.models import Locale
from core.source import Source

PRODUCT_KEYS = {
    "sku", "title", "locale", "brand", "category", "description", "price", "currency", "image_url", "facts",
}  # fmt: skip
REVIEW_KEYS = {"text", "external_id", "sku", "locale", "title", "rating", "written_at"}


def read_products(source: Source) -> Iterator[FeedRow[ProductRecord]]:
    """Yield the products of a JSONL file."""
    return _read(source, _product)


def read_reviews(source: Source) -> Iterator[FeedRow[ReviewRecord]]:
    """Yield the customer reviews of a JSONL file."""
    return _read(source, _review)


def _read(source: Source, make: Callable[[dict[str, Any]], R]) -> Iterator[FeedRow[R]]:
    for record in source.json_records():
        sku, error = "", record.error
        if not error:
            try:
                sku = _string(record.data, "sku") if isinstance(record.data.get("sku"), str | int) else ""
                yield FeedRow(record.line, make(record.data), sku=sku)
                continue
            except BadRow as exc:
                error = str(exc)
        yield FeedRow(record.line, error=error, sku=sku, raw=record.raw)


def _product(data: dict[str, Any]) -> ProductRecord:
    _know(data, PRODUCT_KEYS)
    titles: dict[str, str] = {}
    title, locale = data.get("title", ""), _string(data, "locale")
    if isinstance(title, dict):
        titles = {name: _string(title, name) for name in title}
        locale = locale or (Locale.EN.value if "en" in titles else next(iter(titles), ""))
        title = titles.pop(locale, "")
    elif not isinstance(title, str):
        raise BadRow("title is neither a string nor an object of locale → string")
    price = data.get("price")
    if not isinstance(price, str | int | Decimal | None):
        raise BadRow("price is neither a string nor a number")
    return make_product(
        sku=_string(data, "sku"),
        title=title,
        locale=locale,
        localized_titles=titles,
        brand=_string(data, "brand"),
        category=_string(data, "category"),
        description=_string(data, "description"),
        price=parse_price("" if price is None else str(price), currency=_string(data, "currency")),
        image_url=_string(data, "image_url"),
        facts=partial(_facts, data.get("facts", {})),
    )


def _facts(facts: Any, locale: str) -> list[FactRecord]:
    if not isinstance(facts, dict):
        raise BadRow("facts is no object")
    by_locale = facts if facts and set(facts) <= set(Locale.values) else {locale: facts}
    made = []
    for language, named in by_locale.items():
        if not isinstance(named, dict):
            raise BadRow(f"facts in {language} is no object")
        for name, value in named.items():
            if value is True or value is False:
                value = "yes" if value else "no"
            elif not isinstance(value, str | int | Decimal):
                raise BadRow(f"the fact {name[:40]!r} is neither string, number, true nor false")
            if fact := make_fact(name, str(value), locale=language):
                made.append(fact)
    return made


def _review(data: dict[str, Any]) -> ReviewRecord:
    _know(data, REVIEW_KEYS)
    return make_review(**{"text": "", **{name: _string(data, name) for name in data}})


def _know(data: dict[str, Any], keys: set[str]) -> None:
    if unknown := set(data) - keys:
        raise BadRow(f"unknown keys: {', '.join(sorted(unknown))[:200]}")


def _string(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise BadRow(f"{name[:40]} is neither a string nor a number")
    return str(value)
