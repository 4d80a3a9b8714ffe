"""Find identifiers in folded text by their form and check digits, in linear time."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from moderation.policy.contacts import find_contacts


@dataclass(frozen=True)
class Found:
    """An identifier at start:end of the folded text."""

    kind: str
    start: int
    end: int


def find_identifiers(text: str) -> Iterator[Found]:
    """Yield every identifier in folded text, kind by kind; spans may overlap."""
    yield from _emails(text)
    yield from (Found(*found) for found in find_contacts(text))
    yield from _urls(text)
    yield from _numbers(text)
    yield from _ibans(text)
    yield from _ipv6(text)


# --- Addresses: found by their sign, then read to both sides, so that no run of letters is read twice -------------
_LOCAL: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._%+-")
_HOST: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")
_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9-]{1,63}){1,8}")
_URL_START = re.compile(
    r"(?:https?|ftp)://[^\s<>\"'，。！？；、）】》\u4e00-\u9fff]{1,2000}"
    r"|(?<![a-z0-9.])www\.[a-z0-9-]{1,63}\.[^\s<>\"'，。！？；、）】》\u4e00-\u9fff]{1,2000}"
)
_TLD = re.compile(
    r"\.(?:(?:com|net|org|cn|io|xyz|biz|ru|de|fr|uk|eu|jp)(?:\.[a-z]{2})?(?![a-z0-9-])|co\.[a-z]{2}(?![a-z0-9-])"
    # These endings are words too (Fun.Me): only a path makes them an address.
    r"|(?:co|shop|store|top|vip|info|app|dev|us|me|tv|cc|ly|link|site|online)(?=/))"
    r"(?:/[^\s<>\"'，。！？；、）】》\u4e00-\u9fff]{0,2000})?"
)


def _emails(text: str) -> Iterator[Found]:
    at = text.find("@")
    while at >= 0:
        start = at
        while start > 0 and at - start < 64 and text[start - 1] in _LOCAL:
            start -= 1
        domain = _DOMAIN.match(text, at + 1)
        if domain and start < at and not domain[0].rsplit(".", 1)[1].isdigit():
            yield Found("email", start, domain.end())
        at = text.find("@", at + 1)


def _urls(text: str) -> Iterator[Found]:
    for match in _URL_START.finditer(text):
        yield Found("url", match.start(), match.start() + len(match[0].rstrip(".,;:!?)")))
    for match in _TLD.finditer(text):
        start = match.start()
        while start > 0 and match.start() - start < 63 and text[start - 1] in _HOST:
            start -= 1
        name = text[start : match.start()].strip(".-")
        # "fun.me" and "yes.us" are missing spaces; a two-letter domain needs more than that to count.
        if len(name) >= 3 and any(char.isalpha() for char in name):
            yield Found("url", start, match.start() + len(match[0].rstrip(".,;:!?)")))


def _ipv6(text: str) -> Iterator[Found]:
    for match in re.finditer(r"(?<![0-9a-f:])[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){4,7}(?![0-9a-f:])", text):
        try:
            ipaddress.IPv6Address(match[0])
        except ValueError:
            continue
        yield Found("ip_address", *match.span())


# --- Runs of digits: each is read once, then judged by its check digit, its groups and the words before it --------
_DIGIT_RUN = re.compile(r"(?:\+|\()?\d(?:[ .()/-]{0,2}\d)*(?:x(?![a-z0-9]))?")
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_PHONE_WORD = re.compile(
    r"(?:\b(?:call|phone|tel|telephone|mobile|cell|fax|contact|number|ring|dial|text|sms|whatsapp|hotline|reach"
    r"|answering at|desk)\b|电话|手机|致电|拨打|热线|联系|号码|传真|客服)[^\d]{0,24}$"
)
_CARD_WORD = re.compile(r"\bcard|\bvisa\b|\bmastercard\b|\bpay|银行卡|信用卡|卡号|支付")
# What is measured or counted calls nobody.
_UNIT = re.compile(
    r"(?:m|in|ft|g|l|v|w|x)(?![a-z0-9])|\s?(?:mm|cm|inch(?:es)?|kg|ml|mah|wh|hz|mhz|pcs|pieces)(?![a-z0-9])"
    r"|\s?(?:毫米|厘米|米|克|千克|毫升|升|毫安|伏|瓦|件|片|个|次)"
)
_EXTENSION = re.compile(r"\s{0,2}(?:x|ext\.?|extension)\s{0,2}\d{1,6}(?!\d)")
_US_PHONE = re.compile(r"(?:\+?1[ .-]?)?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])\d{3}[ .-]\d{4}")
_GROUPED_PHONE = re.compile(
    r"\+\d{1,3}[ .-]?(?:\(0\)[ .-]?)?\d(?:[ .()/-]{0,2}\d){5,13}|\(0?\d{1,4}\) ?\d{2,4}(?:[ -]?\d{2,4}){1,3}"
    r"|00[1-9]\d(?:[ ./-]?\d){7,12}|0\d{2,4}(?:[ /-]\d{2,4}){2,3}|0\d{3,4}[ /-]\d{6,7}|(\d\d)(-\d\d){3}"
)
_CN_MOBILE = re.compile(r"(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}")
_SSN = re.compile(r"(?!000|666)\d{3}-(?!00)\d\d-(?!0000)\d{4}")


def _numbers(text: str) -> Iterator[Found]:
    for match in _DIGIT_RUN.finditer(text):
        start, end = match.span()
        # A letter right before makes it a part number (ABC1234567); one right after, a size or a model.
        if start > 0 and text[start - 1].isascii() and (text[start - 1].isalnum() or text[start - 1] in "_#$"):
            continue
        if end - start > 60:
            continue
        kind = "" if _UNIT.match(text, end) else _kind_of(match[0], before=text[max(0, start - 40) : start])
        if kind:
            extension = _EXTENSION.match(text, end) if kind == "phone" else None
            yield Found(kind, start, extension.end() if extension else end)


def _kind_of(run: str, *, before: str) -> str:
    """Return the kind of a run of digits and separators, or "" where it is just a number."""
    digits = re.sub(r"\D", "", run)
    if len(digits) < 7:
        return ""
    compact = re.sub(r"[ -]", "", run)
    if len(compact) == 18 and is_cn_resident_id(compact):
        return "cn_resident_id"
    if _IPV4.fullmatch(run):
        return "ip_address" if all(int(part) < 256 for part in run.split(".")) else ""
    if compact.isdigit() and is_card_number(compact) and _is_grouped_like_a_card(run):
        # One article number (EAN, UPC) in ten passes as a card as well; near the word "card" it is one.
        return "" if is_article_number(compact) and not _CARD_WORD.search(before) else "credit_card"
    if _SSN.fullmatch(run):
        return "us_ssn"
    if _US_PHONE.fullmatch(run) or _CN_MOBILE.fullmatch(run):
        return "phone"
    if _GROUPED_PHONE.fullmatch(run) and 7 <= len(digits) <= 15:
        return "phone"
    if 7 <= len(digits) <= 15 and _PHONE_WORD.search(before):
        return "phone"
    return ""


def _is_grouped_like_a_card(run: str) -> bool:
    groups = re.split(r"[ -]+", run)
    return len(groups) == 1 or (len(groups) >= 3 and all(4 <= len(group) <= 7 for group in groups[:-1]))


def is_card_number(digits: str) -> bool:
    """Return whether `digits` is a payment card number: 12 to 19 digits, an issuer's prefix, the Luhn check digit."""
    if not 12 <= len(digits) <= 19 or (digits[0] not in "23456" and not digits.startswith("1800")):
        return False
    if len(set(digits)) == 1:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_article_number(digits: str) -> bool:
    """Return whether `digits` is a GTIN-12, -13 or -14 by its check digit (GS1 General Specifications 7.9)."""
    if not 12 <= len(digits) <= 14:
        return False
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits))) % 10 == 0


def is_cn_resident_id(text: str) -> bool:
    """Return whether `text` is a resident identity number of GB 11643-1999: place, birth date, ISO 7064 MOD 11-2."""
    if not re.fullmatch(r"[1-9]\d{16}[\dx]", text.lower()):
        return False
    try:
        born = dt.date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(text[:17]))
    return 1900 <= born.year <= 2100 and "10x98765432"[total % 11] == text[17].lower()


# ISO 13616: length of the account number by country, for those in wide use.
_IBAN_LENGTHS: Final = {
    "ad": 24,
    "ae": 23,
    "at": 20,
    "be": 16,
    "bg": 22,
    "ch": 21,
    "cy": 28,
    "cz": 24,
    "de": 22,
    "dk": 18,
    "ee": 20,
    "es": 24,
    "fi": 18,
    "fr": 27,
    "gb": 22,
    "gr": 27,
    "hr": 21,
    "hu": 28,
    "ie": 22,
    "il": 23,
    "is": 26,
    "it": 27,
    "li": 21,
    "lt": 20,
    "lu": 20,
    "lv": 21,
    "mc": 27,
    "mt": 31,
    "nl": 18,
    "no": 15,
    "pl": 28,
    "pt": 25,
    "ro": 24,
    "sa": 24,
    "se": 24,
    "si": 19,
    "sk": 24,
    "tr": 26,
    "ua": 29,
}
_IBAN_START = re.compile(r"(?<![a-z0-9])[a-z]{2}\d{2}(?=[ ]?[a-z0-9]{4})")


def _ibans(text: str) -> Iterator[Found]:
    for match in _IBAN_START.finditer(text):
        length = _IBAN_LENGTHS.get(match[0][:2], 0)
        end, seen = match.start(), ""
        while end < len(text) and len(seen) < length and end - match.start() < 2 * length:
            char = text[end]
            if char.isascii() and char.isalnum():
                seen += char
            elif char not in " -":
                break
            end += 1
        if length and len(seen) == length and is_iban(seen):
            yield Found("iban", match.start(), end)


def is_iban(text: str) -> bool:
    """Return whether `text` (no spaces) has right check digits by ISO 7064 MOD 97-10."""
    moved = text[4:] + text[:4]
    return moved.isalnum() and moved.isascii() and int("".join(str(int(char, 36)) for char in moved)) % 97 == 1
