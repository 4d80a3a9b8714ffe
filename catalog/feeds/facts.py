"""Facts out of names and values: typed by how they are written, with numbers as their column writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import lru_cache, partial

from catalog.cleaning import clean_line
from catalog.feeds.bad_row import BadRow
from catalog.feeds.base import FactRecord, is_shortened
from catalog.feeds.habits import Habits
from catalog.feeds.numerals import COMMA, POINT, Plainly, read_with, with_points
from catalog.models import ProductFact
from catalog.units import canonical_unit, parse_number, parse_quantity

MAX_FACT_NAME, MAX_FACT_VALUE = 120, 2_000
LONGEST_MEASURE = 100  # characters
MAX_NUMBER = Decimal(10) ** 14  # what ProductFact.number holds
_YES_NO = {"yes": True, "true": True, "是": True, "no": False, "false": False, "否": False}
_TEXT, _NUMBER, _QUANTITY, _BOOLEAN = (str(kind.value) for kind in ProductFact.Kind)
_YES_NO_IN = {"en": ("no", "yes"), "zh-Hans": ("否", "是")}
# A number alone, or one with a word behind it that may be its unit.
_MEASURE = re.compile(r"(?P<number>[-−]?[.,]?\d[\d.,'’ \u00a0\u2009\u202f]*?)\s*(?P<unit>[^\d\s.,'’].*)?", re.S)
_BARE_FRACTION = re.compile(r"\d+/\d+")
_DIGIT = re.compile(r"[\d½¼¾⅓⅔⅛⅜⅝⅞]")
_POINTS = read_with(POINT)
TOO_LONG, SHORTENED = "facts left out: too long", "facts left out: numbers that a spreadsheet shortened"


class NotAFact(BadRow):
    """What the product may do without; `note` says why."""

    def __init__(self, message: str, note: str) -> None:
        super().__init__(message)
        self.note = note


def make_fact(name: str, value: str, *, locale: str, unit: str = "", plainly: Plainly = _POINTS) -> FactRecord | None:
    """Type a fact by how it is written: `yes` → boolean, `42` → number, `240 g` → quantity, else text.

    `unit` says what a bare number is measured in, `plainly` reads the numbers of its column (`catalog.feeds.numerals`).
    None when the value is empty. Raises `BadRow` when it has no name, or its number has two readings.
    """
    name = _clean_name(name) if len(name) <= MAX_FACT_NAME else clean_line(name)
    if len(value) <= LONGEST_MEASURE and name and len(name) <= MAX_FACT_NAME and (usual := _usual(value, unit)):
        kind, shown, number, symbol = usual
        if kind == _BOOLEAN:
            shown = _YES_NO_IN.get(locale, _YES_NO_IN["en"])[shown == "yes"]
        return FactRecord(name, shown, locale, kind, number, symbol)
    value = clean_line(value)
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
    if (is_so := _YES_NO.get(value.casefold())) is not None:
        return FactRecord(name, _YES_NO_IN.get(locale, _YES_NO_IN["en"])[is_so], locale, _BOOLEAN)
    try:
        kind, shown, number, symbol = _typed(value, unit, plainly)
    except BadRow as exc:
        raise BadRow(f"the fact {name!r}: {exc}") from None
    return FactRecord(name, shown, locale, kind, number, symbol)


_clean_name = lru_cache(maxsize=4_096)(clean_line)


@lru_cache(maxsize=32_768)
def _usual(value: str, unit: str) -> tuple[str, str, Decimal | None, str] | None:
    """Return what a value comes to in every feed: kind, value, number, unit. None for one that needs a closer look.

    A catalogue says the same again and again, so what was found is kept.
    """
    value = clean_line(value)
    if not value or is_shortened(value):
        return None
    if (is_so := _YES_NO.get(value.casefold())) is not None:
        return _BOOLEAN, "yes" if is_so else "no", None, ""
    signs = set[str]()
    try:
        found = _typed(value, unit, partial(with_points, decimal=lambda: "", signs=signs))
    except BadRow:
        return None
    return None if COMMA in signs else found


def _typed(value: str, unit: str, plainly: Plainly) -> tuple[str, str, Decimal | None, str]:
    plain = value
    if is_measure(value):
        plain = plainly(value)
        if plain != value and value.replace(",", "") == plain and _reading(plain) == _reading(value):
            plain = value  # `1,200 mAh` is read alike by everybody
    elif not _DIGIT.search(value):
        return _TEXT, value, None, ""
    number = None if _BARE_FRACTION.fullmatch(plain) and not unit else parse_number(plain)
    if number is not None and unit:
        if (symbol := canonical_unit(unit)) is None:
            raise BadRow(f"the unit {unit[:40]!r} is unknown")
        plain, number = f"{plain} {symbol}", None
    quantity = parse_quantity(plain)
    if quantity is not None and (stored := _stored(quantity.number)) is not None:
        return _QUANTITY, plain, stored, quantity.unit
    if number is not None and (stored := _stored(number)) is not None:
        return _NUMBER, plain, stored, ""
    return _TEXT, value, None, ""


def _reading(value: str) -> tuple[Decimal | None, object]:
    return parse_number(value), parse_quantity(value)


def is_measure(value: str) -> bool:
    """Whether a value is a number, alone or with a unit."""
    value = value.strip()
    return len(value) <= LONGEST_MEASURE and _is_measure(value)


@lru_cache(maxsize=16_384)
def _is_measure(value: str) -> bool:
    measure = _MEASURE.fullmatch(value)
    return bool(measure and (not measure["unit"] or canonical_unit(measure["unit"])))


def facts_of(named: Iterable[tuple[str, str]], *, locale: str, habits: Habits) -> Iterator[FactRecord]:
    """Yield the facts of (name, value) pairs; one that is too long or was shortened is left out, and noted."""
    for name, value in named:
        if fact := fact_or_note(name, value, locale=locale, plainly=habits.plainly(name), habits=habits):
            yield fact


def fact_or_note(
    name: str, value: str, *, locale: str, plainly: Plainly, habits: Habits, unit: str = ""
) -> FactRecord | None:
    """Return the fact as `make_fact` types it; None for an empty one, and for one that is left out, which is noted."""
    try:
        return make_fact(name, value, locale=locale, unit=unit, plainly=plainly)
    except NotAFact as exc:
        habits.note(exc.note)
        return None


def _stored(number: Decimal) -> Decimal | None:
    # As the database gives it back, so that a fact hashes alike before and after; None where it has no room.
    if abs(number) >= MAX_NUMBER:
        return None
    stored = number.quantize(Decimal("0.000001"))
    return stored if abs(stored) < MAX_NUMBER else None
