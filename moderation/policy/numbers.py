"""Read the numbers of a text: digits, Chinese numerals and English number words, each with its unit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from catalog.units import UNITS, Quantity, find_quantities, parse_number
from moderation.policy.numerals import in_digits


@dataclass(frozen=True)
class Number:
    """A number at start:end of the original text. `unit` is canonical or ""; `token` is set for names such as IP67."""

    start: int
    end: int
    value: Decimal | None
    unit: str = ""
    token: str = ""
    decimals: int = 0

    @property
    def dimension(self) -> str:
        """What is measured, or "" for a bare number."""
        return UNITS[self.unit].dimension if self.unit else ""

    @property
    def quantity(self) -> Quantity:
        """The number as a quantity; only where it has a unit."""
        return Quantity(self.value or Decimal(0), self.unit)


def read_numbers(text: str) -> list[Number]:
    """Return every number that says something about a product, in order; idioms and list marks are left out."""
    reading = in_digits(text)
    skipped = [match.span() for match in _IDIOMS.finditer(reading.text)]
    found = []
    for number in _compound(reading.text, sorted(_numbers(reading.text), key=lambda number: number.start)):
        while skipped and skipped[0][1] <= number.start:
            skipped.pop(0)
        if skipped and skipped[0][0] <= number.start:
            continue
        start, end = reading.span(number.start, number.end)
        found.append(replace(number, start=start, end=end))
    return found


# --- The numbers of a text in digits ------------------------------------------------------------------------------
_IDIOMS = re.compile(
    (
        r"(?<![a-z0-9])3d(?=立体|印|卡通|打印)|(?<!\d)[5-9]0(?=年代|后)|24/7|24x7|(?<=in[- ])1\b|50/50|\b101\b(?= (?:guide"
        r"|course))|^[ \t]{0,8}\(?\d{1,2}[.)](?= )|\b(?:1|2|3)(?:st|nd|rd)\b|\b\d{1,3}th\b|\b360 ?-?degrees?\b"
    ),
    re.M | re.I,
)
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_])(?:[A-Za-z]{1,12}\d{1,12}|[A-Z]{1,6}-\d{1,12}"
    r"|\d{1,12}[A-Za-z]{1,12})[A-Za-z0-9]{0,20}(?![A-Za-z0-9_])"
)
# A part number as it is printed, in groups: 0 261 231 188.
_GROUPS = re.compile(r"(?<![\w.,-])\d{1,4}(?: \d{3}){2,5}(?![\w-]|[.,]\d)")
_PLAIN = re.compile(r"(?<![A-Za-z0-9_.])\d{1,14}(?:,\d{3})*(?:\.\d{1,9})?(?![A-Za-z0-9_])|[½¼¾⅓⅔⅛⅜⅝⅞]")


def _numbers(reading: str) -> Iterator[Number]:
    taken = bytearray(len(reading))
    for quantity in find_quantities(reading):
        # "26 in." may end an abbreviation or a sentence; the span is the claim either way.
        end = quantity.end - (reading[quantity.end - 1] == ".")
        taken[quantity.start : quantity.end] = b"\1" * (quantity.end - quantity.start)
        written = re.match(r"[-−]?[\d,]*(?:\.(\d+))?", reading[quantity.start : quantity.end])
        decimals = len(written[1] or "") if written else 0
        yield Number(quantity.start, end, quantity.number, quantity.unit, decimals=decimals)
    for match in _GROUPS.finditer(reading):
        if not any(taken[match.start() : match.end()]):
            taken[match.start() : match.end()] = b"\1" * len(match[0])
            yield Number(*match.span(), None, token=match[0].replace(" ", ""))
    for match in _TOKEN.finditer(reading):
        if not any(taken[match.start() : match.end()]):
            taken[match.start() : match.end()] = b"\1" * len(match[0])
            yield Number(*match.span(), None, token=match[0].lower().replace("-", ""))
    for match in _PLAIN.finditer(reading):
        if not any(taken[match.start() : match.end()]):
            yield Number(*match.span(), parse_number(match[0]), decimals=len(match[0].partition(".")[2]))


# 6 ft 2 in, 5 lb 3 oz, 1 h 30 min: one amount in two units, the smaller one last.
_TWO_UNITS: Final = {
    ("ft", "in"),
    ("lb", "oz"),
    ("h", "min"),
    ("min", "s"),
    ("kg", "g"),
    ("m", "cm"),
    ("year", "month"),
}
_BETWEEN: Final = re.compile(r"[ ,.]{0,2}(?:and )?")


def _compound(reading: str, numbers: list[Number]) -> Iterator[Number]:
    before: Number | None = None
    for number in numbers:
        if (
            before
            and (before.unit, number.unit) in _TWO_UNITS
            and before.value is not None
            and number.value is not None
        ):
            ratio = UNITS[before.unit].factor / UNITS[number.unit].factor
            if number.value < ratio and _BETWEEN.fullmatch(reading, before.end, number.start):
                before = replace(before, end=number.end, value=before.value * ratio + number.value, unit=number.unit)
                continue
        if before:
            yield before
        before = number
    if before:
        yield before
