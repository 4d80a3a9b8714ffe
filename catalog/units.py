"""Numbers with units, as merchants and copy write them in English and Chinese: found, parsed and compared. Pure.

A unit is one row of `UNITS`: canonical symbol, dimension, size in the dimension's base unit, and how people write it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation


@dataclass(frozen=True)
class Unit:
    """A canonical unit. `factor` (and for °F `offset`) lead to the base unit of its dimension."""

    symbol: str
    dimension: str
    factor: Decimal
    offset: Decimal = Decimal(0)


@dataclass(frozen=True)
class Quantity:
    """A number with a canonical unit, and where in the text it stood (`text[start:end]`)."""

    number: Decimal
    unit: str
    start: int = 0
    end: int = 0

    @property
    def dimension(self) -> str:
        """What is measured, e.g. `mass`."""
        return UNITS[self.unit].dimension

    @property
    def in_base(self) -> Decimal:
        """The amount in the base unit of its dimension (g, m, ml, s, W, …)."""
        unit = UNITS[self.unit]
        return (self.number + unit.offset) * unit.factor


# dimension | symbol | factor to the base unit | other spellings, separated by commas
_TABLE = """
mass|mg|0.001|milligram,milligrams,毫克
mass|g|1|gram,grams,gm,gms,gr,克
mass|kg|1000|kilogram,kilograms,kilo,kilos,kgs,千克,公斤
mass|t|1000000|tonne,tonnes,吨
mass|oz|28.349523125|ounce,ounces,ozs,盎司
mass|lb|453.59237|lbs,pound,pounds,磅
mass|斤|500|市斤
length|µm|0.000001|μm,um,micron,microns,微米
length|mm|0.001|millimeter,millimeters,millimetre,millimetres,毫米
length|cm|0.01|centimeter,centimeters,centimetre,centimetres,厘米,公分
length|m|1|meter,meters,metre,metres,米
length|km|1000|kilometer,kilometers,kilometre,kilometres,公里,千米
length|in|0.0254|inch,inches,″,”,英寸
length|ft|0.3048|foot,feet,英尺
length|yd|0.9144|yard,yards,码
length|mi|1609.344|mile,miles,英里
area|cm²|0.0001|cm2,sq cm,平方厘米
area|m²|1|m2,sqm,sq m,square meter,square meters,square metre,square metres,平方米,平米
area|ft²|0.09290304|ft2,sq ft,square foot,square feet,平方英尺
volume|ml|1|milliliter,milliliters,millilitre,millilitres,cc,毫升
volume|cl|10|centiliter,centiliters,centilitre,centilitres
volume|l|1000|liter,liters,litre,litres,升,公升
volume|fl oz|29.5735295625|fl. oz,fl.oz,floz,fluid ounce,fluid ounces,液量盎司,液体盎司
volume|cup|236.5882365|cups
volume|pt|473.176473|pint,pints,品脱
volume|qt|946.352946|quart,quarts,夸脱
volume|gal|3785.411784|gallon,gallons,加仑
time|ms|0.001|millisecond,milliseconds,毫秒
time|s|1|sec,secs,second,seconds,秒,秒钟
time|min|60|mins,minute,minutes,分钟
time|h|3600|hr,hrs,hour,hours,小时,个小时
time|day|86400|days,天
time|week|604800|weeks,周,星期,个星期
time|month|2629746|months,个月
time|year|31556952|years,yr,yrs,年
charge|mAh|1|milliamp hours,毫安时,毫安
charge|Ah|1000|amp hours,安时
energy|Wh|1|watt hours,watt-hours,瓦时
energy|kWh|1000|kilowatt hours,千瓦时
food energy|kcal|1|kilocalories,calories,千卡,大卡
food energy|kJ|0.2390057361|kilojoules,千焦
power|mW|0.001|milliwatt,milliwatts,毫瓦
power|W|1|watt,watts,瓦,瓦特
power|kW|1000|kilowatt,kilowatts,千瓦
voltage|V|1|volt,volts,伏,伏特
current|mA|0.001|milliamp,milliamps
current|A|1|amp,amps,ampere,amperes,安,安培
resistance|Ω|1|Ω,ohm,ohms,欧姆,欧
frequency|Hz|1|hertz,赫兹,赫
frequency|kHz|1000|kilohertz,千赫,千赫兹
frequency|MHz|1000000|megahertz,兆赫,兆赫兹
frequency|GHz|1000000000|gigahertz,吉赫
luminous flux|lm|1|lumen,lumens,流明
illuminance|lx|1|lux,勒克斯
colour temperature|K|1|kelvin,开尔文
sound level|dB|1|decibel,decibels,db(a),dba,分贝
data|MB|1|megabyte,megabytes,兆字节
data|GB|1000|gigabyte,gigabytes
data|TB|1000000|terabyte,terabytes
pressure|kPa|1|千帕
pressure|MPa|1000|兆帕
pressure|bar|100|巴
pressure|psi|6.894757|
temperature|°C|1|℃,degrees celsius,celsius,摄氏度
temperature|°F|5/9|℉,degrees fahrenheit,fahrenheit,华氏度
share|%|1|percent,per cent,％
grammage|g/m²|1|g/m2,gsm,克/平方米,克每平方米
rotation|rpm|1|r/min,revolutions per minute,转/分,转/分钟
speed|km/h|1|kmh,kph,公里/小时
speed|mph|1.609344|miles per hour
resolution|MP|1|megapixel,megapixels
resolution|px|0.000001|pixel,pixels,像素
print density|dpi|1|
gem weight|ct|1|carat,carats,克拉
angle|°|1|degree,degrees,度
yarn|D|1|denier,旦
thread count|TC|1|thread count,thread-count,织数
"""
_OFFSETS = {"°F": Decimal(-32)}
# A capital means something else in running text (5G, 4K, 10M, "5 a day"), so these are taken in their own case alone.
_EXACT_CASE = {"g", "m", "A", "K", "s", "t", "D", "MP", "TC"}
# After a number, `in` is more often a preposition; it is an inch unless another word follows that is not one of these.
_AFTER_INCH = "long|wide|tall|high|deep|thick|diameter|in|x|by|and|or|screen|display|panel|frame|pan|blade|drivers?"


def _read_table() -> tuple[dict[str, Unit], dict[str, str]]:
    units: dict[str, Unit] = {}
    spellings: dict[str, str] = {}
    for line in _TABLE.strip().splitlines():
        dimension, symbol, factor, others = line.split("|")
        top, _, bottom = factor.partition("/")
        units[symbol] = Unit(symbol, dimension, Decimal(top) / Decimal(bottom or 1), _OFFSETS.get(symbol, Decimal(0)))
        for spelling in (symbol, *filter(None, others.split(","))):
            spellings[spelling] = symbol
    return units, spellings


UNITS, _SPELLINGS = _read_table()
_FOLDED: dict[str, str] = {}
for _spelling, _symbol in _SPELLINGS.items():
    if _spelling not in _EXACT_CASE:
        # setdefault: where two units differ by case alone (mW, MW) the one earlier in the table is the everyday one.
        _FOLDED.setdefault(_spelling.casefold(), _symbol)

_VULGAR = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8"}
_PLAIN = (
    r"(?:[1-9]\d{0,2}(?:,\d{3}){1,4}(?!\d)(?:\.\d{1,9})?|\d{1,3}(?:\.\d{3}){1,4},\d{1,9}"
    r"|\d{1,14}(?:[.,]\d{1,9})?|\.\d{1,9})"
)
# Fractions as people write them, in lowest terms: `110/240 V` and `8/4` are two numbers. One over nothing is none at
# all.
_FRACTION = (
    r"(?:1/2|[12]/3|[13]/4|[1-4]/5|[15]/6|[1357]/8|1/10|(?:[13579]|1[135])/16|(?:[13579]|[12][13579]|31)/32"
    r"|(?:[13579]|[1-5][13579]|6[13])/64|\d{1,3}/0)(?![\d/]|[.,]\d)"
)
_NUMBER = rf"(?:\d{{1,4}}[ -]{_FRACTION}|{_FRACTION}|\d{{0,4}}[{''.join(_VULGAR)}]|{_PLAIN})"
_LATIN = sorted((s for s in _SPELLINGS if s[0].isascii() and s[-1].isalnum()), key=len, reverse=True)
_SIGNS = sorted((s for s in _SPELLINGS if s not in _LATIN), key=len, reverse=True)
_WORD = rf"(?:(?i:{'|'.join(map(re.escape, _LATIN))})(?![A-Za-z0-9])|{'|'.join(map(re.escape, _SIGNS))}|\"|'')"
_UNIT = rf"(?:[ \u00a0-]?(?P<unit>{_WORD})\.?)"
_ONE = re.compile(rf"(?P<sign>(?<![\w)])[-−])?(?P<number>{_NUMBER})(?:{_UNIT})?")
_LINK = re.compile(r"\s{0,2}(?:[x×*✕–—~～/-]|by|to|and|至|到|乘)\s{0,2}")
_START = re.compile(rf"(?<![A-Za-z0-9_.])(?<!\d,)(?:(?<![\w)])[-−])?{_NUMBER}")
_INCH_IS_PREPOSITION = re.compile(rf"[\s-]+(?!(?:{_AFTER_INCH})\b)[A-Za-z0-9]")

_HYPHENATED = re.compile(r"-[A-Za-z]")


def canonical_unit(word: str) -> str | None:
    """Return the canonical symbol for a spelling of a unit (`ounces` → `oz`, `厘米` → `cm`), or None."""
    word = word.strip().rstrip(".") if len(word) > 1 else word
    if word in ('"', "''"):
        return "in"
    return _SPELLINGS.get(word) or _FOLDED.get(word.casefold())


def spellings_of(symbol: str) -> tuple[str, ...]:
    """Return every way that the canonical unit `symbol` is written, the symbol first; none for an unknown one."""
    return tuple(spelling for spelling, unit in _SPELLINGS.items() if unit == symbol)


def parse_number(text: str) -> Decimal | None:
    """Return the number that `text` is: `1,200`, `5,5`, `1.200,50`, `5-1/2`, `3 ½`, `½`; None when it is none.

    A comma before exactly three digits groups thousands, unless a nought alone stands before it; any other comma is a
    decimal one.
    """
    text = text.strip().replace("−", "-")
    sign, text = (-1, text[1:]) if text.startswith("-") else (1, text)
    if not re.fullmatch(_NUMBER, text):
        return None
    whole, fraction = text, ""
    if text[-1] in _VULGAR:
        whole, fraction = text[:-1], _VULGAR[text[-1]]
    elif "/" in text:
        *head, fraction = re.split(r"[ -]", text)
        whole = head[0] if head else ""
    elif "," in text and (text.rfind(",") < text.rfind(".") or re.fullmatch(r"[1-9]\d{0,2}(?:,\d{3})+", text)):
        whole = text.replace(",", "")
    elif "," in text:
        whole = text.replace(".", "").replace(",", ".")
    try:
        value = Decimal(whole) if whole else Decimal(0)
        if fraction:
            top, bottom = fraction.split("/")
            value += Decimal(top) / Decimal(bottom)
    except (InvalidOperation, ZeroDivisionError):
        return None
    return sign * value


def find_quantities(text: str) -> list[Quantity]:
    """Return every number with a unit in running `text`, in order.

    In `10 x 20 x 3 cm` and `5–10 cm` each number gets the unit; spans cover the number and its own unit.
    """
    found: list[Quantity] = []
    position = 0
    while start := _START.search(text, position):
        chain: list[tuple[Decimal, str, int, int]] = []
        cursor = start.start()
        while match := _ONE.match(text, cursor):
            number = parse_number((match["sign"] or "") + match["number"])
            unit = _unit_here(text, match)
            end = match.end() if unit else match.end("number")
            if number is not None:
                chain.append((number, unit, match.start(), end))
            position = end
            link = _LINK.match(text, end)
            if number is None or link is None or not text[link.end() : link.end() + 1].isdigit():
                break
            cursor = link.end()
        unit = ""
        shared = []
        for number, own, begin, end in reversed(chain):
            unit = own or unit
            if unit:
                shared.append(Quantity(number, unit, begin, end))
        found.extend(reversed(shared))
        position = max(position, start.end())
    return found


def parse_quantity(text: str) -> Quantity | None:
    """Return the one quantity that the whole of `text` is (`1.2 kg`, `500mAh`, `5,5 in`, `300 毫升`), or None."""
    text = text.strip()
    quantities = find_quantities(text)
    if len(quantities) == 1 and (quantities[0].start, quantities[0].end) == (0, len(text)):
        return quantities[0]
    return None


def same_amount(a: Quantity, b: Quantity, *, tolerance: Decimal = Decimal("0.01")) -> bool:
    """Whether two quantities measure the same thing and differ by at most `tolerance` (a share of the larger one)."""
    if a.dimension != b.dimension:
        return False
    x, y = a.in_base, b.in_base
    return abs(x - y) <= tolerance * max(abs(x), abs(y))


def _unit_here(text: str, match: re.Match[str]) -> str:
    """Return the canonical unit of a match, or "" where the letters after the number are no unit after all."""
    written = match["unit"]
    unit = canonical_unit(written) if written else None
    if unit is None:
        return ""
    glued = match.end("number") == match.start("unit")
    after = match.end("unit")
    if unit == "in" and written.isalpha() and len(written) == 2 and _INCH_IS_PREPOSITION.match(text, after):
        return ""  # "5 in the box", "2-in-1"
    if written == '"' and not (glued and _quotes_are_closed(text[max(0, after - 400) : after - 1])):
        return ""
    if len(written) == 1 and written.isascii() and _HYPHENATED.match(text, after):
        return ""  # "3 t-shirts"
    if written == "s" and glued and match["number"].endswith("0"):
        return ""  # "the 1960s", "her 30s"
    if unit == "K" and len(match["number"]) < 4:
        return ""  # "4K"
    return unit


def _quotes_are_closed(before: str) -> bool:
    # A quotation that was opened is closed by the next mark, so that mark is no inch sign: `rated "top 5"`.
    return len(re.findall(r'(?<!\d)"', before)) % 2 == 0
