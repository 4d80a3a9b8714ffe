"""Prices as feeds write them: an amount, and a code or a sign before or behind it."""

from __future__ import annotations

import re
from decimal import Decimal

from catalog.cleaning import clean_line
from catalog.currencies import CODES, SIGNS, currency_code
from catalog.feeds.bad_row import BadRow
from catalog.feeds.numerals import Plainly, read_with

LONGEST = 100  # characters
MAX_AMOUNT = Decimal(10) ** 10  # what Product.price holds
_CENT = Decimal("0.01")
_NOISE = Decimal("0.00001")  # 19.989999999999998 is 19.99 as a computer keeps it
_SIGN = "|".join(re.escape(sign) for sign in sorted(SIGNS, key=len, reverse=True))
_CURRENCY = rf"(?:{_SIGN}|[A-Za-z]{{1,12}}|\$)"
_ONE = rf"(?:(?P<before{{0}}>{_CURRENCY})\s*)?(?P<amount{{0}}>\d*\.?\d+)\s*(?P<after{{0}}>{_CURRENCY})?"
_MONEY = re.compile(_ONE.replace("{0}", "") + r"(?:\s*[-–~]\s*" + _ONE.replace("{0}", "_2") + r")?", re.I)
# What most feeds write; read as below, without looking for what else it might be.
_USUAL = re.compile(r"(?P<amount>\d{1,9}(?:\.\d{1,2})?)(?: (?P<code>[A-Z]{3}))?")
_UNDECIDED = read_with("")
_NO_CENTS = re.compile(r"(?<=\d)[.,]\s?[-–—]{1,2}(?![\d])")  # `12,- €`


def parse_price(text: str, *, currency: str = "", plainly: Plainly = _UNDECIDED) -> tuple[Decimal, str] | None:
    """Return (amount, ISO currency) of `12.00 USD`, `$1,265.00`, `€ 9,50`, `¥199`; of a range, the lower end.

    `currency` is used where the text names none; `plainly` reads the numbers of its column (`catalog.feeds.numerals`).
    None when the text is empty; raises `BadRow` when it is no price.
    """
    text = clean_line(text)
    if not text:
        return None
    if (usual := _USUAL.fullmatch(text)) and (not (code := usual["code"] or currency) or code in CODES):
        return Decimal(usual["amount"]).quantize(_CENT), code
    if len(text) > LONGEST:
        raise BadRow(f"the price {text[:40]!r}… cannot be read")
    try:
        plain = plainly(_NO_CENTS.sub("", text))
    except BadRow as exc:
        raise BadRow(f"the price {text[:40]!r} has two readings: {exc}") from None
    match = _MONEY.fullmatch(plain)
    if match is None:
        raise BadRow(f"the price {text[:40]!r} cannot be read")
    named = [code for name in ("before", "after", "before_2", "after_2") if (code := match[name])]
    codes = {_code(name, text) for name in named} or ({_code(currency, text)} if currency.strip() else {""})
    if len(codes) > 1:
        raise BadRow(f"the price {text[:40]!r} names two currencies")
    return _amount(Decimal(match["amount"]), text), codes.pop()


def _code(written: str, text: str) -> str:
    code = currency_code(clean_line(written))
    if code is None:
        raise BadRow(f"{written[:40]!r} in the price {text[:40]!r} is no currency: a code like EUR is one")
    return code


def _amount(amount: Decimal, text: str) -> Decimal:
    if amount >= MAX_AMOUNT - 1:
        raise BadRow(f"the price {text[:40]!r} cannot be read: it is {MAX_AMOUNT - 1:,} or more")
    rounded = amount.quantize(_CENT)
    if abs(rounded - amount) > _NOISE:
        raise BadRow(f"the price {text[:40]!r} has more than the two decimals that are kept")
    return rounded
