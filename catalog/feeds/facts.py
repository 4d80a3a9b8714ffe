"""Facts out of names and values: typed by how they are written, with numbers as their column writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from catalog.cleaning import clean_line
from catalog.feeds.bad_row import BadRow
from catalog.feeds.base import FactRecord, is_shortened
from catalog.feeds.numerals import POINT, with_points
from catalog.models import ProductFact
from catalog.units import canonical_unit, parse_number, parse_quantity

MAX_FACT_NAME, MAX_FACT_VALUE = 120, 2_000
LONGEST_MEASURE = 100  # characters
MAX_NUMBER = Decimal(10) ** 14  # what ProductFact.number holds
_YES_NO = {"yes": True, "true": True, "是": True, "no": False, "false": False, "否": False}
_YES_NO_IN = {"en": ("no", "yes"), "zh-Hans": ("否", "是")}
# A number alone, or one with a word behind it that may be its unit.
_MEASURE = re.compile(r"(?P<number>[-−]?[.,]?\d[\d.,'’ \u00a0\u2009\u202f]*?)\s*(?P<unit>[^\d\s.,'’].*)?", re.S)
_BARE_FRACTION = re.compile(r"\d+/\d+")
TOO_LONG, SHORTENED = "facts left out: too long", "facts left out: numbers that a spreadsheet shortened"


class NotAFact(BadRow):
    """What the product may do without; `note` says why."""

    def __init__(self, message: str, note: str) -> None:
        super().__init__(message)
        self.note = note


def make_fact(name: str, value: str, *, locale: str, unit: str = "", decimal: str = POINT) -> FactRecord | None:
    """Type a fact by how it is written: `yes` → boolean, `42` → number, `240 g` → quantity, else text.

    `unit` says what a bare number is measured in, `decimal` is the decimal sign of its column (`catalog.feeds.numerals`).
    None when the value is empty. Raises `BadRow` when it has no name, or its number has two readings.
    """
    name, value = clean_line(name), clean_line(value)
    if not value:
        return None
    if not name:
        raise BadRow(f"the fact {value[:40]!r} has no name")
    if len(name) > MAX_FACT_NAME:
        raise NotAFact(f"the name of a fact is {len(name):,} characters long; at most {MAX_FACT_NAME}", TOO_LONG)
    if len(value) > MAX_FACT_VALUE:
        raise NotAFact(f"the fact {name!r} is {len(value):,} characters long; at most {MAX_FACT_VALUE:,}", TOO_LONG)
    if is_shortened(value):
        raise NotAFact(f"the fact {name!r} is a number that a spreadsheet shortened", SHORTENED)
    if value.casefold() in _YES_NO:
        words = _YES_NO_IN.get(locale, _YES_NO_IN["en"])
        return FactRecord(name, words[_YES_NO[value.casefold()]], locale, ProductFact.Kind.BOOLEAN)
    plain = value
    if is_measure(value):
        try:
            plain = with_points(value, decimal=decimal)
        except BadRow as exc:
            raise BadRow(f"the fact {name!r}: {exc}") from None
        if plain != value and value.replace(",", "") == plain and _reading(plain) == _reading(value):
            plain = value  # `1,200 mAh` is read alike by everybody
    number = None if _BARE_FRACTION.fullmatch(plain) and not unit else parse_number(plain)
    if number is not None and unit:
        symbol = canonical_unit(unit)
        if symbol is None:
            raise BadRow(f"the fact {name!r} has the unknown unit {unit[:40]!r}")
        plain, number = f"{plain} {symbol}", None
    quantity = parse_quantity(plain)
    if quantity is not None and (stored := _stored(quantity.number)) is not None:
        return FactRecord(name, plain, locale, ProductFact.Kind.QUANTITY, stored, quantity.unit)
    if number is not None and (stored := _stored(number)) is not None:
        return FactRecord(name, plain, locale, ProductFact.Kind.NUMBER, stored)
    return FactRecord(name, value, locale, ProductFact.Kind.TEXT)


def _reading(value: str) -> tuple[Decimal | None, object]:
    return parse_number(value), parse_quantity(value)


def is_measure(value: str) -> bool:
    """Whether a value is a number, alone or with a unit."""
    value = value.strip()
    measure = _MEASURE.fullmatch(value) if len(value) <= LONGEST_MEASURE else None
    return bool(measure and (not measure["unit"] or canonical_unit(measure["unit"])))


def facts_of(
    named: Iterable[tuple[str, str]],
    *,
    locale: str,
    notes: list[str],
    decimal_of: Callable[[str], str] = lambda name: POINT,
) -> Iterator[FactRecord]:
    """Yield the facts of (name, value) pairs; one that is too long or was shortened is left out, and noted."""
    for name, value in named:
        try:
            if fact := make_fact(name, value, locale=locale, decimal=decimal_of(name)):
                yield fact
        except NotAFact as exc:
            notes.append(exc.note)


def _stored(number: Decimal) -> Decimal | None:
    # As the database gives it back, so that a fact hashes alike before and after; None where it has no room.
    if abs(number) >= MAX_NUMBER:
        return None
    stored = number.quantize(Decimal("0.000001"))
    return stored if abs(stored) < MAX_NUMBER else None
