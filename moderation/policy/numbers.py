"""Read the numbers of a text: digits, Chinese numerals and English number words, each with its unit."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from catalog.units import UNITS, Quantity, find_quantities, parse_number


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
    reading, starts, ends = _in_digits(text)
    skipped = [match.span() for match in _IDIOMS.finditer(reading)]
    found = []
    for number in sorted(_numbers(reading), key=lambda number: number.start):
        while skipped and skipped[0][1] <= number.start:
            skipped.pop(0)
        if skipped and skipped[0][0] <= number.start:
            continue
        start, end = starts[number.start], ends[number.end - 1]
        found.append(Number(start, end, number.value, number.unit, number.token, number.decimals))
    return found


# --- Everything that is a number becomes digits; `origins` leads back --------------------------------------------
_ENGLISH: Final = {
    word: value
    for value, word in enumerate(
        [
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ],
        start=2,
    )
} | {
    word: 10 * value
    for value, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
_ENGLISH_NUMBER = re.compile(
    r"(?<![a-z0-9])(?P<word>twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
    rf"|{'|'.join(sorted(_ENGLISH, key=len, reverse=True))})(?:[- ](?P<one>one|two|three|four|five|six|seven|eight"
    rf"|nine))?(?: (?P<hundred>hundred|thousand))?(?![a-z0-9])",
    re.I,
)
_HAN_DIGITS: Final = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0, "俩": 2}
_HAN_UNITS: Final = {"十": 10, "百": 100, "千": 1000, "万": 10_000}
_COUNTERS: Final = (
    "个件只条片颗层档种款色块支枚包盒瓶罐袋对副套组轮格门键孔针股核位口扇寸折倍米升克斤秒年月周天码度"
    "毫厘公千英平分小安伏瓦赫流卡人代挡滴本张把台根串节辆头粒杯"
)
_HAN_NUMBER = re.compile(
    rf"[零〇一二两俩三四五六七八九十百千万]{{1,12}}(?:点[零〇一二三四五六七八九]{{1,6}})?(?=[{_COUNTERS}])"
)
# Numerals in set phrases: four seasons, three or five friends, ten points = very, hundreds of changes.
_HAN_IDIOMS: Final = re.compile(
    "四季|近两年|这两年|瘦十斤|第二层肌肤|三两|两三|三五|七八|十分|百分|万分|千万|百万种|百变|千百|成百上千|四面八方|五颜六色|三百六十度|一年四季|两人世界"
    "|假两件|两全其美|两用|一举两得|三天两头|千家万户|七分|八分|九分|五分|三分|四分|两分|一个|一件|一款|一种|十万个"
)


def _in_digits(text: str) -> tuple[str, list[int], list[int]]:
    """Return the text in half width with numerals as digits, and where each of its characters starts and ends."""
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []

    def add(piece: str, start: int, end: int) -> None:
        pieces.append(piece)
        starts.extend([start] * len(piece))
        ends.extend([end] * len(piece))

    position = 0
    for start, end, digits in _numerals(text):
        for index in range(position, start):
            add(_half_width(text[index]), index, index + 1)
        add(digits, start, end)
        position = end
    for index in range(position, len(text)):
        add(_half_width(text[index]), index, index + 1)
    return "".join(pieces), starts, ends


def _half_width(char: str) -> str:
    if char.isascii():
        return char
    if "\uff01" <= char <= "\uff5e":
        return unicodedata.normalize("NFKC", char)
    category = unicodedata.category(char)
    if category == "Cf":
        return ""
    # Digits of other scripts (٣, ３, 𝟑) count as digits.
    return str(unicodedata.digit(char)) if category == "Nd" else char


def _numerals(text: str) -> Iterator[tuple[int, int, str]]:
    idioms = [match.span() for match in _HAN_IDIOMS.finditer(text)]
    found = [(*match.span(), _english_value(match)) for match in _ENGLISH_NUMBER.finditer(text)]
    position = 0
    for match in _HAN_NUMBER.finditer(text):
        while position < len(idioms) and idioms[position][1] <= match.start():
            position += 1
        if position < len(idioms) and idioms[position][0] < match.end():
            continue
        digits = _han_value(match[0])
        if digits:
            found.append((*match.span(), digits))
    yield from sorted(found)


def _english_value(match: re.Match[str]) -> str:
    value = _ENGLISH[match["word"].lower()]
    if match["one"]:
        if value < 20 or value % 10:
            return str(value)
        value += 1 if match["one"].lower() == "one" else _ENGLISH[match["one"].lower()]
    return str(value * {"hundred": 100, "thousand": 1000}.get((match["hundred"] or "").lower(), 1))


def _han_value(text: str) -> str:
    """Return a Chinese numeral in digits (两百五十 → 250, 一点五 → 1.5), "" for 一 alone: it is mostly an article."""
    whole, _, fraction = text.partition("点")
    if not fraction and whole in ("一", "万", "百", "千"):
        return ""
    if all(char in _HAN_DIGITS for char in whole):
        value = int("".join(str(_HAN_DIGITS[char]) for char in whole))
    else:
        total = section = digit = 0
        for char in whole:
            if char in _HAN_DIGITS:
                digit = _HAN_DIGITS[char]
            elif char == "万":
                total, section, digit = (total + section + digit) * 10_000 or 10_000, 0, 0
            else:
                section, digit = section + (digit or 1) * _HAN_UNITS[char], 0
        value = total + section + digit
    return f"{value}.{''.join(str(_HAN_DIGITS[char]) for char in fraction)}" if fraction else str(value)


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
    for match in _TOKEN.finditer(reading):
        if not any(taken[match.start() : match.end()]):
            taken[match.start() : match.end()] = b"\1" * len(match[0])
            yield Number(*match.span(), None, token=match[0].lower().replace("-", ""))
    for match in _PLAIN.finditer(reading):
        if not any(taken[match.start() : match.end()]):
            yield Number(*match.span(), parse_number(match[0]), decimals=len(match[0].partition(".")[2]))
