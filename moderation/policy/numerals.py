"""Numerals in words become digits: a hundred and fifty, half a litre, a dozen, 两百五十, 半斤, 一打, 一米八."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from catalog.units import canonical_unit


@dataclass(frozen=True)
class Reading:
    """A text with its numerals in digits; `starts` and `ends` lead from each character back into the original."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original that start:end (not empty) came from."""
        return self.starts[start], self.ends[end - 1]


def in_digits(text: str) -> Reading:
    """Return `text` in half width with its numerals as digits, in time linear in its length."""
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
    return Reading("".join(pieces), starts, ends)


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
    reach = 0
    # Of two that begin at one place the longer one: "two and a half metres", not "two".
    found = sorted([*_mixed(text), *_english(text), *_chinese(text)], key=lambda item: (item[0], -item[1]))
    for start, end, digits in found:
        if start >= reach:
            yield start, end, digits
            reach = end


_VULGAR: Final = {
    "½": "1/2",
    "¼": "1/4",
    "¾": "3/4",
    "⅓": "1/3",
    "⅔": "2/3",
    "⅛": "1/8",
    "⅜": "3/8",
    "⅝": "5/8",
    "⅞": "7/8",
}
_MIXED: Final = re.compile(rf"(?<![\d.,/])(?P<whole>\d{{1,4}})[ \u00a0](?P<part>[{''.join(_VULGAR)}])")


def _mixed(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _MIXED.finditer(text):
        yield *match.span(), f"{match['whole']} {_VULGAR[match['part']]}"


# --- English ------------------------------------------------------------------------------------------------------
_ONES: Final = {w: n for n, w in enumerate(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], 1)}
_TEENS: Final = {
    w: n
    for n, w in enumerate(
        ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"],
        10,
    )
}
_TENS: Final = {
    w: 10 * n for n, w in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
_VALUES: Final = {**_ONES, **_TEENS, **_TENS}
_SMALL: Final = rf"(?:(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(_ONES)}))?|{'|'.join(_TEENS)}|{'|'.join(_ONES)})"
_HUNDREDS: Final = rf"(?:(?:a|{_SMALL})[- ]hundred(?:(?: and)?[- ]{_SMALL})?)"
_WHOLE: Final = (
    rf"(?:(?:a|{_HUNDREDS}|{_SMALL})[- ]thousand(?:,?(?: and)?[- ](?:{_HUNDREDS}|{_SMALL}))?|{_HUNDREDS}|{_SMALL})"
)
_PARTS: Final = {"half": "0.5", "quarter": "0.25", "third": "1/3", "three quarters": "0.75", "two thirds": "2/3"}
_PART: Final = r"(?:half|quarter|third|three[- ]quarters?|two[- ]thirds?)"
_NUMERAL: Final = re.compile(
    rf"(?<![a-z0-9])(?P<whole>{_WHOLE})(?![a-z])"
    rf"(?: point(?P<decimals>(?: (?:zero|{'|'.join(_ONES)})){{1,6}})(?![a-z])"
    rf"| and (?:(?:a|one)[- ])?(?P<part>{_PART})(?![a-z])| (?P<dozen>dozen)(?![a-z]))?",
    re.I,
)
# "half a litre", "a quarter-inch", "three quarters of an inch"; the unit is looked up.
_PART_OF: Final = re.compile(
    rf"(?<![a-z0-9-])(?:a )?(?P<part>{_PART})(?:(?: of)? an? |[- ])(?P<unit>[a-z]{{2,13}})(?![a-z])", re.I
)
# "a day and a half", "two metres and a quarter"
_AND_A_PART: Final = re.compile(
    rf"(?<![a-z0-9])(?P<whole>an?|{_SMALL}|\d{{1,4}}) (?P<unit>[a-z]{{2,13}}) and (?:a|one)[- ](?P<part>half|quarter)"
    r"(?![a-z])",
    re.I,
)
# An article is a number where the unit is measured by it: "weighs a kilo", "a metre long". "In a second" is none.
_ARTICLE: Final = re.compile(
    r"(?:(?<=weighs )|(?<=weighing )|(?<=holds )|(?<=capacity of ))an?(?= (?P<of>[a-z]{2,13})\b)"
    r"|(?<![a-z0-9])an?(?= (?P<unit>[a-z]{2,13}) (?:wide|long|tall|high|deep|thick|across)\b)",
    re.I,
)
_DOZEN: Final = re.compile(r"(?<![a-z0-9-])(?:(?P<half>half a )|(?P<n>\d{1,3}) |a )dozen(?![a-z])", re.I)
_ALONE_COUNTS: Final = frozenset(["kg", "g", "lb", "oz", "l", "ml", "m", "cm", "mm", "km", "in", "gal", "pt", "year"])
# What comes in twos and is one: a pair of jeans.
_ONE_PAIR: Final = (
    r"(?:[a-z-]+ ){0,3}?(?:shoes|boots|socks|gloves|mittens|trousers|pants|jeans|leggings|shorts|tights|scissors"
    r"|glasses|sunglasses|goggles|earrings|pliers|tweezers|sneakers|sandals|slippers|headphones|earbuds|chopsticks"
    r"|heels|trainers|hands|eyes|skates|skis|wings|ears|batteries|legs|feet)\b"
)
_PAIR: Final = re.compile(rf"(?<![a-z0-9])pair(?= of (?!{_ONE_PAIR}))", re.I)
_PACKS: Final = {"twin": "2", "triple": "3", "quadruple": "4"}
_PACK: Final = re.compile(r"(?<![a-z0-9])(?P<n>twin|triple|quadruple)(?=[- ]packs?(?![a-z]))", re.I)
_DAY_AND_NIGHT: Final = re.compile(r"(?<![a-z])all day and (?:all )?night(?: long)?(?![a-z])", re.I)


def _english(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _NUMERAL.finditer(text):
        if digits := _english_value(match, text):
            yield *match.span(), digits
    for match in _PART_OF.finditer(text):
        if _is_unit(match["unit"]):
            yield *match.span(), f"{_PARTS[_part(match['part'])]} {match['unit']}"
    for match in _AND_A_PART.finditer(text):
        if _is_unit(match["unit"]):
            whole = match["whole"].lower()
            value = Decimal(1 if whole in ("a", "an") else int(whole) if whole.isdigit() else _small(whole))
            yield *match.span(), f"{value + Decimal(_PARTS[match['part'].lower()])} {match['unit']}"
    for match in _ARTICLE.finditer(text):
        if _is_unit(match["of"] or match["unit"]):
            yield *match.span(), "1"
    for match in _DOZEN.finditer(text):
        yield *match.span(), str(6 if match["half"] else 12 * int(match["n"] or 1))
    for match in _PAIR.finditer(text):
        yield *match.span(), "2"
    for match in _PACK.finditer(text):
        yield *match.span(), _PACKS[match["n"].lower()]
    for match in _DAY_AND_NIGHT.finditer(text):
        yield *match.span(), "24 h"


def _english_value(match: re.Match[str], text: str) -> str:
    """Return a numeral in digits, "" for "one" and "a hundred" where they count nothing: one of a kind."""
    whole = match["whole"].lower()
    value = Decimal(_whole(whole))
    if match["decimals"]:
        return f"{value}.{''.join(str(_ONES.get(word, 0)) for word in match['decimals'].lower().split())}"
    if match["part"]:
        part = _PARTS[_part(match["part"])]
        return f"{value} {part}" if "/" in part else str(value + Decimal(part))
    if match["dozen"]:
        return str(value * 12)
    if whole == "one" or whole in ("a hundred", "a thousand"):
        after = re.compile(r"(?P<hyphen>-)?\s?(?P<unit>[a-z]{2,13})(?![a-z])", re.I).match(text, match.end())
        unit = canonical_unit(after["unit"]) if after else None
        if unit is None or (not (after and after["hyphen"]) and whole == "one" and unit not in _ALONE_COUNTS):
            return ""
    return str(value)


def _whole(words: str) -> int:
    total = section = 0
    for word in re.split(r"[-, ]+", words):
        if word == "hundred":
            section = (section or 1) * 100
        elif word == "thousand":
            total, section = (section or 1) * 1000, 0
        elif word in _VALUES:
            section += _VALUES[word]
    return total + section


def _small(words: str) -> int:
    return sum(_VALUES[word] for word in re.split(r"[- ]", words))


def _part(words: str) -> str:
    part = words.lower().replace("-", " ")
    return {"three quarter": "three quarters", "two third": "two thirds"}.get(part, part)


def _is_unit(word: str) -> bool:
    return canonical_unit(word) is not None


# --- Chinese ------------------------------------------------------------------------------------------------------
_HAN_DIGITS: Final = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0, "俩": 2}
_HAN_UNITS: Final = {"十": 10, "百": 100, "千": 1000, "万": 10_000}
_HAN: Final = "零〇一二两俩三四五六七八九十百千万"
_MEASURED: Final = (
    r"(?:公斤|千克|市斤|斤|克(?!拉)|吨|毫升|公升|升|公里|千米|厘米|毫米|公分|平方米|平米|米|英寸|小时|瓦时|瓦|千卡)"
)
_COUNTERS: Final = (
    "个件只条片颗层档种款色块支枚包盒瓶罐袋对副套组轮格门键孔针股核位口扇寸折倍米升克斤秒年月周天码度"
    "毫厘公千英平分小安伏瓦赫流卡人代挡滴本张把台根串节辆头粒杯"
)
_HAN_NUMBER = re.compile(rf"[{_HAN}]{{1,12}}(?:点[零〇一二三四五六七八九]{{1,6}})?(?=[{_COUNTERS}])")
# 一米八, 1米75; 两斤半; 半斤; 一打; 一斤; 百分之二十
_HAN_TALL: Final = re.compile(rf"(?P<m>[{_HAN[1:-4]}\d])米(?P<cm>[{_HAN[1:-4]}\d]{{1,2}})(?![{_HAN}\d{_COUNTERS}])")
_HAN_AND_HALF: Final = re.compile(rf"(?P<n>[{_HAN}]{{1,8}}|\d{{1,6}})(?P<unit>{_MEASURED}|年|个月|天)半")
_HAN_HALF: Final = re.compile(rf"半(?=个?(?P<unit>{_MEASURED}))")
_HAN_DOZEN: Final = re.compile(
    r"(?P<n>[一两二三四五六半]|\d{1,3})打(?=[\u4e00-\u9fff，。、])(?![开造磨破扮包折理底算印])"
)
_HAN_ONE: Final = re.compile(rf"(?<![{_HAN}第唯统])一(?={_MEASURED})")
_HAN_PERCENT: Final = re.compile(rf"百分之(?P<n>[{_HAN}]{{1,6}})")
# Numerals in set phrases: four seasons, three or five friends, ten points = very, hundreds of changes, all around.
_HAN_IDIOMS: Final = re.compile(
    "四季|近两年|这两年|瘦十斤|第二层肌肤|三两|两三|三五|七八|十分|百分(?!之)|万分|千万|百万种|百变|千百|成百上千|四面八方|五颜六色|三百六十度|一年四季"
    "|两人世界|假两件|两全其美|两用|一举两得|三天两头|千家万户|七分|八分|九分|五分|三分|四分|两分|一个|一件|一款|一种|十万个|四周|两周围|半斤八两"
)


def _chinese(text: str) -> Iterator[tuple[int, int, str]]:
    idioms = [match.span() for match in _HAN_IDIOMS.finditer(text)]
    found = sorted((*match.span(), digits) for match, digits in _chinese_numerals(text) if digits)
    position = 0
    for start, end, digits in found:
        while position < len(idioms) and idioms[position][1] <= start:
            position += 1
        if position == len(idioms) or idioms[position][0] >= end:
            yield start, end, digits


def _chinese_numerals(text: str) -> Iterator[tuple[re.Match[str], str]]:
    for match in _HAN_NUMBER.finditer(text):
        yield match, _han_value(match[0])
    for match in _HAN_TALL.finditer(text):
        digits = "".join(_digit(char) for char in match["cm"])
        yield match, f"{_digit(match['m'])}.{digits}米" if digits.isdigit() else ""
    for match in _HAN_AND_HALF.finditer(text):
        whole = match["n"] if match["n"].isdigit() else _han_value(match["n"], alone=True)
        yield match, f"{whole}.5{match['unit']}" if whole.isdigit() else ""
    for match in _HAN_HALF.finditer(text):
        yield match, "0.5"
    for match in _HAN_DOZEN.finditer(text):
        n = match["n"]
        yield match, "6" if n == "半" else str(12 * int(n if n.isdigit() else _HAN_DIGITS[n]))
    for match in _HAN_ONE.finditer(text):
        yield match, "1"
    for match in _HAN_PERCENT.finditer(text):
        digits = _han_value(match["n"], alone=True)
        yield match, f"{digits}%" if digits else ""


def _digit(char: str) -> str:
    return char if char.isdigit() else str(_HAN_DIGITS.get(char, ""))


def _han_value(text: str, *, alone: bool = False) -> str:
    """Return a Chinese numeral in digits (两百五十 → 250, 一点五 → 1.5), "" for 一 alone: it is mostly an article."""
    whole, _, fraction = text.partition("点")
    if not fraction and not alone and whole in ("一", "万", "百", "千"):
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
