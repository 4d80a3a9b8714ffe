"""Drafts set as the house sets type: spaces, quotes, units, width and doubling of signs; no letter and no digit."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Final, Literal, cast

from django.conf import settings

if TYPE_CHECKING:
    from inference.contracts import CopyBrief

# Raised with every change that can change a text; stands beside each text that was tidied.
VERSION: Final = "2"
Quotes = Literal["straight", "curly"]

_MASK: Final = "\ue000"  # stands for a value of the product; drafts hold no such sign, `prompts.clean` removes them
_DIGITS: Final = "0123456789"
_PASSES: Final = 8
_HAN: Final = r"\u3400-\u9fff"
_WIDE_ALNUM: Final = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B) if chr(code).isalnum()}
_NARROW: Final = {"，": ",", "；": ";", "：": ":", "！": "!", "？": "?", "。": ".", "、": ",", "（": "(", "）": ")"}
_WIDE: Final = {",": "，", ";": "；", ":": "：", "!": "！", "?": "？", ".": "。"}
# A quote after a digit is a unit (5'10", 27″) and never touched.
_SINGLE, _DOUBLE = re.compile(r"(?<!\d)[‘’]"), re.compile(r"(?<!\d)[“”]")
_SYMBOLS: Final = (
    "mg|g|kg|mm|cm|m|km|ml|cl|dl|mL|L|W|kW|Wh|kWh|mAh|V|Hz|kHz|MHz|GHz|MB|GB|TB|dB|kPa|hPa|Nm|rpm|oz|lb|lbs|ft"
)
_HAN_UNITS: Final = (
    "毫克|克|千克|公斤|斤|吨|毫米|厘米|公分|米|公里|千米|英寸|毫升|升|瓦|千瓦|伏|安|毫安|赫兹|度|摄氏度"
    "|秒|分钟|小时|天|年|个|件|只|片|支|盒|包|袋|瓶|双|条|套|层|色|码|寸|平方米|立方米"
)
_NUMBER_UNIT: Final = re.compile(rf"(?<![\w{_MASK}.,/-])(\d+(?:[.,]\d+)?)({_SYMBOLS})(?![\w/-])")
_NUMBER_HAN_UNIT: Final = re.compile(rf"(?<=\d) (?=(?:{_HAN_UNITS}))")


def tidy(text: str, *, locale: str, keep: Collection[str] = (), quotes: Quotes = "straight") -> str:
    """Return `text` set by the style of its language. Letters and digits stay, in their order; wide ones get narrow.

    What stands in `keep` (title, brand, values of facts) is left to the letter. Doing it again changes nothing.
    Sources: GB/T 15834-2011 for Chinese punctuation, the SI brochure 5.4.3 for the space before a unit.
    """
    if _MASK in text:
        return text
    values = sorted({value for value in keep if len(value) > 1 and value.strip() == value}, key=lambda v: (-len(v), v))
    own = re.compile("|".join(map(re.escape, values))) if values else None
    for _ in range(_PASSES):
        tidied = _pass(text, own, is_chinese=locale.startswith("zh"), quotes=quotes)
        if tidied == text:
            return text
        text = tidied
    return text


def tidied(text: str, brief: CopyBrief) -> str:
    """Return `text`, written from `brief`, as the settings have it set; what the brief says is left to the letter."""
    keep = (brief.title, brief.brand, *(fact.value for fact in brief.facts))
    return tidy(text, locale=brief.locale, keep=keep, quotes=cast("Quotes", settings.MODERATION.quotes))


def _pass(text: str, own: re.Pattern[str] | None, *, is_chinese: bool, quotes: Quotes) -> str:
    kept: list[str] = []
    if own:
        text = own.sub(lambda match: _masked(match[0], kept), text)
    text = _spaces(text.translate(_WIDE_ALNUM))
    text = _chinese(text) if is_chinese else _english(text, quotes)
    text = _doubled(text)
    pieces = text.split(_MASK)
    return "".join(piece + value for piece, value in zip(pieces, [*kept, ""], strict=True))


def _masked(value: str, kept: list[str]) -> str:
    """Return what stands for `value`, and note what is to be put back. Digits at its ends stay to be seen: whether a
    sign beside them is a quote or an inch, a comma or part of a number, is known by them, and they change never.
    """
    first, last = len(value) - len(value.lstrip(_DIGITS)), len(value.rstrip(_DIGITS))
    if last <= first:
        return value
    kept.append(value[first:last])
    return value[:first] + _MASK + value[last:]


def _spaces(text: str) -> str:
    text = re.sub(r"[^\S\n]+", " ", text)
    return re.sub(r" ?\n ?", "\n", re.sub(r"\n{3,}", "\n\n", text)).strip()


def _doubled(text: str) -> str:
    """Leave one of a sign that stands twice; an ellipsis of three stays, and so does all that a digit follows."""
    text = re.sub(r"([,;:!?，；：！？。、])\1+(?!\d)", r"\1", text)
    text = re.sub(r"(?<!\.)\.\.(?![.\w])", ".", text)
    return re.sub(r"[,，、]+(?=[.。!！?？](?!\w))", "", text)


def _english(text: str, quotes: Quotes) -> str:
    # Between digits a wide comma may part two numbers or belong to one: that is left to who reads it.
    text = re.sub(rf"(?<!\d)[{''.join(_NARROW)}]|[{''.join(_NARROW)}](?!\d)", _narrowed, text)
    text = re.sub(r" +(?=[,;:!?](?:\s|$))| +(?=\.(?:\s|$))", "", text)
    text = re.sub(r"(?<=[^\W\d_]{2})([,;])(?=[^\W\d_]{2})", r"\1 ", text)
    text = _NUMBER_UNIT.sub(r"\1 \2", text)
    if quotes == "straight":
        return _SINGLE.sub("'", _DOUBLE.sub('"', text))
    text = re.sub(r"(?<=[^\W\d_])'(?=[^\W\d_])", "’", text)
    return re.sub(r"(?:(?<=\s)|^)\"([^\"\n]*[^\"\n\s\d])\"(?!\w)", r"“\1”", text)


def _narrowed(match: re.Match[str]) -> str:
    sign, rest = _NARROW[match[0]], match.string[match.end() : match.end() + 1]
    follows = sign not in "(" and rest and not rest.isspace() and rest not in "\"'”’)）.,!?" and rest not in _NARROW
    return sign + " " if follows else sign


def _chinese(text: str) -> str:
    text = re.sub(rf"(?<=[{_HAN}”’」』）])[,;:!?.](?![\w.,;:!?])", lambda match: _WIDE[match[0]], text)
    text = re.sub(rf"(?<=[{_HAN}])[,;:!?](?=[{_HAN}])", lambda match: _WIDE[match[0]], text)
    text = re.sub(rf"\(([^()\n]*[{_HAN}][^()\n]*)\)", r"（\1）", text)
    text = re.sub(r" *([，。；：！？、（）]) *", r"\1", text)
    text = _NUMBER_HAN_UNIT.sub("", text)
    text = text.translate(str.maketrans("「」『』", "“”‘’"))
    return re.sub(rf"(?<!\d)\"([^\"\n]*[{_HAN}][^\"\n]*)(?<!\d)\"", r"“\1”", text)
