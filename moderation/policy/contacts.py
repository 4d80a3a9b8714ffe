"""Contacts that are written out: street addresses, digits in words, names on other services; in folded text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from catalog.units import canonical_unit

# "jane (at) example (dot) com", "jane @ example . com".
_EMAIL: Final = re.compile(
    r"(?<![a-z0-9._%+-])[a-z0-9._%+-]{1,40}\s{0,2}(?:[(\[{<]\s?(?:at|@)\s?[)\]}>]|\s(?:at|@)\s"
    r"|艾特)\s{0,2}[a-z0-9-]{1,40}\s{0,2}(?:[(\[{<]\s?(?:dot|\.)\s?[)\]}>]|\s(?:dot|\.)\s|\.|点)\s{0,2}(?:com"
    r"|net|org|cn|co|io|de|uk|edu|gov|info|me)(?![a-z0-9])"
)
_DIGIT: Final = "零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖洞拐0-9"
_SPOKEN: Final = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)"
_PHONE: Final = re.compile(
    # A Chinese mobile number in words, also in those of cheques.
    rf"(?<![{_DIGIT}])(?=[{_DIGIT}]{{0,10}}[零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖])[一幺壹1][三四五六七八九叁肆伍陆柒捌玖3-9]"
    rf"[{_DIGIT}]{{9}}(?![{_DIGIT}])"
    # Seven spoken digits or more.
    rf"|\b{_SPOKEN}(?:[\s,-]{{1,3}}{_SPOKEN}){{6,15}}\b"
)
# Number, name and kind of a street, in the order of each language; a Chinese address down to the house. A house number
# alone is none.
_STREET: Final = re.compile(
    r"(?<![a-z0-9.,£$€-])\d{1,5}[a-z]?,? (?:[a-z][a-z'.-]{1,20} ){1,4}?"
    r"(?:street|avenue|road|boulevard|lane|drive|court|crescent|terrace|highway|parkway|alley|st\.|ave\.|rd\."
    r"|blvd\.?)(?![a-z])|(?<![a-z0-9])p\.? ?o\.? box \d{1,6}"
    # Lindenstrasse 14; via Roma 12; calle Mayor 3; 12 rue des Lilas.
    r"|(?<![a-z])[a-z]{3,20}(?:strasse|str\.|weg|gasse|allee|platz|straat|laan|gracht|gatan|vagen) ?\d{1,4}[a-z]?"
    r"(?![a-z0-9])|(?<![a-z0-9])\d{1,4}(?: ?(?:bis|ter))?,? (?:rue|(?:avenue|boulevard|place|quai|impasse|chemin|allee)"
    r"(?= (?:de|du|des|d')\b)) (?:de |du |des |de la |d')?[a-z]{2,20}"
    r"|(?<![a-z])(?:via|viale|piazza|corso|calle|avenida|paseo|plaza|rua|travessa|ulica|ul\.) (?:[a-z]{2,15} ){1,3}"
    r"\d{1,4}(?![a-z0-9])"
    r"|[\u4e00-\u9fff]{2,6}(?:省|市|自治区)[\u4e00-\u9fff]{1,8}(?:区|县|市)[\u4e00-\u9fff0-9]{1,14}(?:路|街|道|巷|弄|村"
    r"|镇)[\u4e00-\u9fff0-9-]{0,8}?\d{1,5}(?:号|弄|室|栋|幢)"
    r"|[\u4e00-\u9fff]{1,8}(?:路|街|道|巷|弄|胡同|小区|花园)\d{1,5}(?:号|弄)(?:院|楼"
    r"|[\u4e00-\u9fff]{0,6}?\d{1,4}(?:号楼|楼|栋|幢|室|单元|层))"
)
_SERVICE: Final = (
    r"(?:微信号?|加微|威信|薇信|徽信|v信|(?:微|薇|威|徽)[-_.*+~❤♥ ]{1,3}(?:信|芯)|(?<![a-z])(?:weixin|wechat|vx|wx|whatsapp"
    r"|telegram|line ?id)(?![a-z])|扣扣|企鹅号?|抖音号|公众号|小红书号?|快手号)"
)
_CONTACT: Final = re.compile(
    rf"{_SERVICE}(?:号码?|id|群)?[ :：是为加＋+]{{0,3}}[a-z0-9_-]{{5,30}}(?![a-z0-9_-])"
    r"|(?<![a-z])(?:qq群?|q[-_.* ]q群?|q群|扣扣群?|企鹅)(?:号码?)?[ :：是为加]{0,3}(?:\d{5,11}(?!\d)"
    r"|[零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖]{5,11})"
    r"|加 ?(?:我(?!们)|(?:v|vx|wx|qq|微信|群)(?![a-z])|微(?=[:：\s号❤♥]))|私聊我|私信我"
    r"|(?:contact|message|text|dm|e-?mail|call) (?:me|us) (?:at|on|via)\b"
)
_HANDLE: Final = re.compile(r"(?<![\w.@])@[a-z][a-z0-9_]{2,30}(?:\.[a-z0-9_]{1,30})?(?![\w@])")
# "@home" is a way to write "at home".
_PLACES: Final = re.compile(
    r"@(?:home|work|school|night|gym|office|beach|party|play|large|sea|hand|once|last|breakfast|lunch|dinner)$"
)
_UNIT: Final = re.compile(r"\d{1,5} ([a-z]{2,20})\b")
_PATTERNS: Final = (
    ("email", _EMAIL),
    ("phone", _PHONE),
    ("street_address", _STREET),
    ("contact", _CONTACT),
)


def _is_measured(said: str) -> bool:
    """Whether a number with its unit stands where a house number would: 33 rpm drive. A letter alone is a street's."""
    unit = _UNIT.match(said)
    return unit is not None and canonical_unit(unit[1]) is not None


def find_contacts(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the kind and the span of every contact that is written out in folded text, kind by kind."""
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if not _is_measured(match[0]):
                yield kind, *match.span()
    for match in _HANDLE.finditer(text):
        if not _PLACES.match(match[0]):
            yield "social_handle", *match.span()
