"""Our own format: one JSON object a line. Every value that has a language may be given per locale.

A product:

    {"sku": "K-100", "title": {"en": "Copper Kettle", "zh-Hans": "铜制水壶"}, "brand": "Fenmoor",
     "category": "Kitchen", "description": "…", "price": "49.00 USD", "image_url": "https://…",
     "facts": {"en": {"capacity": "1.2 l", "dishwasher safe": false}, "zh-Hans": {"容量": "1.2 升"}}}

`title` may be one string and `facts` one object of name → value; their language is then `locale`, or is taken from the
letters of the title. A fact is typed by how it is written: `true` yes or no, `42` a number, `"240 g"` a quantity; a
list is one fact, and `null` none. `price` may be `{"amount": 49, "currency": "USD"}`.

A review: `{"text": "…", "sku": "K-100", "title": "…", "rating": 4, "locale": "en", "written_at": "2026-03-01",
"external_id": "…"}`, of which `text` alone is required. A message of a customer: `{"text": "…", "external_id": "…",
"channel": "email", "author": "…", "sku": "K-100", "locale": "en", "received_at": "2026-03-01T09:30:00Z"}`, likewise.

With a mapping (`catalog.feeds.mapping`), the keys are those that it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Any

from catalog.feeds.bad_row import BadRow
from catalog.feeds.base import (
    FactRecord,
    FeedRow,
    ProductRecord,
    R,
    locale_of,
    make_product,
    row_of,
)
from catalog.feeds.facts import fact_or_note, is_measure
from catalog.feeds.habits import Habits
from catalog.feeds.mapping import PRODUCT_FIELDS, Mapping, record_product, study
from catalog.feeds.numerals import POINT, read_with
from catalog.feeds.prices import parse_price
from catalog.feeds.texts import TextKind
from catalog.models import Locale
from core.exceptions import PermanentError
from core.source import Source

_LOCALES = frozenset(Locale.values)
PRODUCT_KEYS = {*PRODUCT_FIELDS, "facts"}
LIST_MARK = "|"  # between the entries of a list, where a mapping splits them
_POINTS = read_with(POINT)
Objects = Iterable[dict[str, Any]]


def read_products(source: Source, *, mapping: Mapping | None = None) -> Iterator[FeedRow[ProductRecord]]:
    """Yield the products of a JSONL file."""
    rules = mapping or Mapping()
    if not rules.names_columns:
        habits = _habits(source, rules, _study_products, usual=POINT)
        return _read(source, partial(_product, habits, rules.currency), habits)
    _check(rules, PRODUCT_FIELDS, ("sku", "title"))
    habits = _habits(source, rules, lambda objects, habits: study(_readable(objects, rules), rules, habits))
    return _read(source, lambda data: record_product(_flat(data, rules), rules, habits), habits, rules=rules)


def read_texts(source: Source, *, mapping: Mapping | None = None, kind: TextKind[R]) -> Iterator[FeedRow[R]]:
    """Yield the texts of one `kind`, customer reviews or messages, of a JSONL file."""
    rules = mapping or Mapping()
    if not rules.names_columns:
        habits = _habits(source, rules, _study_texts)
        return _read(source, partial(_record, kind, partial(habits.locale_of, is_review=True)), habits)
    _check(rules, kind.fields, ("text",))
    habits = _habits(source, rules, lambda objects, habits: study(_readable(objects, rules), rules, habits))
    return _read(source, lambda data: kind.record(_flat(data, rules), rules, habits), habits, rules=rules)


def _habits(source: Source, rules: Mapping, hear: Callable[[Objects, Habits], None], *, usual: str = "") -> Habits:
    """Return how the file is written, read through when it is first asked."""

    def listen(habits: Habits) -> None:
        with source.again() as again:
            hear((record.data for record in again.json_records() if not record.error), habits)

    return Habits(listen, decimal=rules.decimal, locale=rules.language, usual=usual)


def _read(
    source: Source, make: Callable[[dict[str, Any]], R], habits: Habits, *, rules: Mapping | None = None
) -> Iterator[FeedRow[R]]:
    sku_key = "sku" if rules is None else rules.fields["sku"].column if "sku" in rules.fields else ""
    for record in source.json_records():
        if record.error:
            yield FeedRow(record.line, error=record.error, raw=record.raw, breaks_off=record.breaks_off)
            continue
        try:
            sku = _text(_at(record.data, sku_key)) if sku_key else ""
        except BadRow:
            sku = ""
        yield row_of(record.line, partial(make, record.data), habits, sku=sku, raw=record.raw)


def _product(habits: Habits, usual_currency: str, data: dict[str, Any]) -> ProductRecord:
    _know(data, PRODUCT_KEYS)
    titles: dict[str, str] = {}
    title, locale = data.get("title") or "", _string(data, "locale")
    if isinstance(title, dict):
        titles = {locale_of(name): _string(title, name) for name in title}
        locale = locale_of(locale) if locale else Locale.EN.value if "en" in titles else next(iter(titles), "")
        title = titles.pop(locale, "")
    elif not isinstance(title, str):
        raise BadRow("title is neither a string nor an object of locale → string")
    image = data.get("image_url")
    return make_product(
        sku=_string(data, "sku"),
        title=title,
        locale=locale,
        localized_titles=titles,
        brand=_string(data, "brand"),
        category=_string(data, "category"),
        description=_string(data, "description"),
        price=_price(data, habits, usual_currency),
        image_url=_string({"image_url": image[0] if isinstance(image, list) and image else image or None}, "image_url"),
        facts=partial(_facts, data.get("facts"), habits),
        language=habits.locale_of,
    )


def _price(data: dict[str, Any], habits: Habits, usual_currency: str) -> tuple[Decimal, str] | None:
    price, currency = data.get("price"), _string(data, "currency") or usual_currency
    if isinstance(price, dict) and set(price) <= {"amount", "value", "currency"}:
        currency = _string(price, "currency") or currency
        price = price.get("amount", price.get("value"))
    if isinstance(price, bool) or not isinstance(price, str | int | Decimal | None):
        raise BadRow("price is neither a string nor a number")
    plainly = habits.plainly("price") if isinstance(price, str) else _POINTS
    return parse_price(_text(price), currency=currency, plainly=plainly)


def _facts(facts: Any, habits: Habits, locale: str) -> list[FactRecord]:
    if facts is None:
        return []
    if not isinstance(facts, dict):
        raise BadRow("facts is no object")
    by_locale = facts if facts and facts.keys() <= _LOCALES else {locale: facts}
    made: list[FactRecord] = []
    for language, named in by_locale.items():
        if named is None:
            continue
        if not isinstance(named, dict):
            raise BadRow(f"facts in {language} is no object")
        for name, value in named.items():
            try:
                text = _text(value, mark=", ")
            except BadRow:
                raise BadRow(
                    f"the fact {name[:40]!r} is neither string, number, true, false nor a list of them"
                ) from None
            plainly = habits.plainly(name) if isinstance(value, str) else _POINTS
            if fact := fact_or_note(name, text, locale=language, plainly=plainly, habits=habits):
                made.append(fact)
    return made


def _record(kind: TextKind[R], language: Callable[[str], str], data: dict[str, Any]) -> R:
    _know(data, set(kind.fields))
    return kind.make(**{"text": "", **{name: _string(data, name) for name in data}}, language=language)


def _study_products(objects: Objects, habits: Habits) -> None:
    for data in objects:
        if isinstance(price := data.get("price"), str):
            habits.numerals.learn("price", [price])
        if isinstance(title := data.get("title"), str) and not data.get("locale"):
            more = data.get("description")
            habits.languages.hear(title, more if isinstance(more, str) else "")
        facts = data.get("facts")
        for named in (facts, *facts.values()) if isinstance(facts, dict) else ():
            for name, value in named.items() if isinstance(named, dict) else ():
                if isinstance(value, str) and is_measure(value):
                    habits.numerals.learn(name, [value])


def _study_texts(objects: Objects, habits: Habits) -> None:
    for data in objects:
        if isinstance(text := data.get("text"), str) and not data.get("locale"):
            habits.languages.hear(text, is_review=True)


def _check(mapping: Mapping, known: Iterable[str], required: Iterable[str]) -> None:
    mapping.require_known(known)
    if missing := set(required) - set(mapping.fields):
        raise PermanentError(f"the mapping does not say which key is {', '.join(sorted(missing))}.")


def _readable(objects: Objects, rules: Mapping) -> Iterator[dict[str, str]]:
    for data in objects:
        with suppress(BadRow):
            yield _flat(data, rules)


def _flat(data: dict[str, Any], rules: Mapping) -> dict[str, str]:
    return {column: _text(_at(data, column), mark=LIST_MARK) for column in rules.columns}


def _at(data: Any, path: str) -> Any:
    """Return what is under a key, or under `a.b` inside of another; None where there is nothing."""
    if not isinstance(data, dict) or path in data:
        return data.get(path) if isinstance(data, dict) else None
    first, dot, rest = path.partition(".")
    return _at(data.get(first), rest) if dot else None


def _know(data: dict[str, Any], keys: set[str]) -> None:
    if unknown := set(data) - keys:
        raise BadRow(f"unknown keys: {', '.join(sorted(unknown))[:200]}; give a mapping to say which keys to read")


def _string(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if isinstance(value, str):
        return value
    if isinstance(value, bool | list | dict):
        raise BadRow(f"{name[:40]} is neither a string nor a number")
    return _text(value)


def _text(value: Any, *, mark: str = ", ") -> str:
    """Return a value as text: a number without exponent, a list joined. Raises `BadRow` for an object."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        if abs(value.adjusted()) > 40:
            raise BadRow(f"the number {str(value)[:40]} is out of range")
        return (
            f"{value.quantize(Decimal(1)):f}"
            if value == value.to_integral_value() and value.adjusted() < 27
            else f"{value:f}"
        )
    if isinstance(value, list):
        if any(isinstance(part, list) for part in value):
            raise BadRow("it is a list of lists")
        return mark.join(filter(None, (_text(part) for part in value)))
    if isinstance(value, int):
        return str(value)
    raise BadRow("it is an object where a text was expected")
