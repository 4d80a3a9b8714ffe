"""What every feed yields: cleaned records or named bad rows, with the limits that keep a hostile file small."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit

from django.utils.dateparse import parse_date, parse_datetime

from catalog.cleaning import clean_line, clean_text, language_of
from catalog.models import Locale, ProductFact
from catalog.units import canonical_unit, parse_number, parse_quantity

MAX_TITLE, MAX_SKU, MAX_BRAND, MAX_CATEGORY, MAX_URL, MAX_FACT_NAME = 500, 120, 200, 300, 1000, 120
MAX_TEXT, MAX_FACT_VALUE, MAX_FACTS = 50_000, 2_000, 100
MAX_NUMBER = Decimal(10) ** 14  # what ProductFact.number holds
_YES_NO = {"yes": True, "true": True, "是": True, "no": False, "false": False, "否": False}
_YES_NO_IN = {"en": ("no", "yes"), "zh-Hans": ("否", "是")}
_CURRENCIES = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "CNY", "￥": "CNY", "元": "CNY", "RMB": "CNY"}
_MONEY = re.compile(
    r"(?P<before>[A-Za-z]{3}|US\$|[$€£¥￥])?\s*(?P<amount>\d[\d.,]*)\s*(?P<after>[A-Za-z]{3}|[$€£¥￥元])?"
    r"(?:\s*[-–~]\s*(?:[A-Za-z]{3}|[$€£¥￥])?\s*\d[\d.,]*\s*(?:[A-Za-z]{3}|[$€£¥￥元])?)?"
)


class BadRow(Exception):
    """A row that cannot be taken; the message is the reason shown to the merchant."""


@dataclass(frozen=True)
class FactRecord:
    """One fact, typed. `number` and `unit` are set for numbers and quantities."""

    name: str
    value: str
    locale: str
    kind: str
    number: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True)
class ProductRecord:
    """A product as a feed states it, cleaned and within limits."""

    sku: str
    title: str
    locale: str
    localized_titles: Mapping[str, str] = field(default_factory=dict)
    brand: str = ""
    category: str = ""
    description: str = ""
    price: Decimal | None = None
    currency: str = ""
    image_url: str = ""
    facts: tuple[FactRecord, ...] = ()


@dataclass(frozen=True)
class ReviewRecord:
    """A customer review as a feed states it. `external_id` is empty when the feed has none."""

    text: str
    locale: str
    external_id: str = ""
    sku: str = ""
    title: str = ""
    rating: Decimal | None = None
    written_at: dt.datetime | None = None


class Record(Protocol):
    """What a row comes to. Its title stands for it where a row is named that was not taken."""

    @property
    def title(self) -> str: ...


R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class FeedRow(Generic[R]):
    """One row of a feed: a record, or the reason why there is none. `line` is the physical line it begins on."""

    line: int
    record: R | None = None
    error: str = ""
    sku: str = ""
    raw: str = ""


def make_product(
    *,
    sku: str,
    title: str,
    locale: str = "",
    localized_titles: Mapping[str, str] | None = None,
    brand: str = "",
    category: str = "",
    description: str = "",
    price: tuple[Decimal, str] | None = None,
    image_url: str = "",
    facts: Callable[[str], Iterable[FactRecord]] = lambda locale: (),
) -> ProductRecord:
    """Clean and check what a feed says about a product. Raises `BadRow` with the reason.

    An empty `locale` is taken from the letters of the title; `facts` gets what it came to.
    """
    sku, title = _line("sku", sku, MAX_SKU), _line("title", title, MAX_TITLE)
    if not sku:
        raise BadRow("the sku is empty")
    if not title:
        raise BadRow("the title is empty")
    locale = _locale(locale) if locale else language_of(title)
    titles = {}
    for name, text in (localized_titles or {}).items():
        if text := _line(f"title in {name}", text, MAX_TITLE):
            titles[_locale(name)] = text
    return ProductRecord(
        sku=sku,
        title=title,
        locale=locale,
        localized_titles=titles,
        brand=_line("brand", brand, MAX_BRAND),
        category=_line("category", category, MAX_CATEGORY),
        description=_text("description", description),
        price=price[0] if price else None,
        currency=price[1] if price else "",
        image_url=_image(image_url),
        facts=_distinct(facts(locale)),
    )


def make_review(
    *,
    text: str,
    external_id: str = "",
    sku: str = "",
    locale: str = "",
    title: str = "",
    rating: str = "",
    written_at: str = "",
) -> ReviewRecord:
    """Clean and check a customer review. Raises `BadRow` with the reason."""
    text = _text("text", text)
    if not text:
        raise BadRow("the text is empty")
    stars = None
    if rating.strip():
        stars = parse_number(rating)
        if stars is None or not 1 <= stars <= 5:
            raise BadRow(f"the rating {rating[:40]!r} is not a number from 1 to 5")
        stars = stars.quantize(Decimal("0.1"))
    return ReviewRecord(
        text=text,
        locale=_locale(locale) if locale.strip() else language_of(text),
        external_id=_line("external_id", external_id, MAX_SKU),
        sku=_line("sku", sku, MAX_SKU),
        title=_line("title", title, MAX_TITLE),
        rating=stars,
        written_at=parse_moment("written_at", written_at.strip()),
    )


def make_fact(name: str, value: str, *, locale: str, unit: str = "") -> FactRecord | None:
    """Type a fact by how it is written: `yes` → boolean, `42` → number, `240 g` → quantity, else text.

    `unit` says what a bare number is measured in. None when the value is empty. Raises `BadRow` when it has no name.
    """
    name, value = _line("name of a fact", name, MAX_FACT_NAME), clean_line(value)
    if not value:
        return None
    if not name:
        raise BadRow(f"the fact {value[:40]!r} has no name")
    if len(value) > MAX_FACT_VALUE:
        raise BadRow(f"the fact {name!r} is {len(value):,} characters long; at most {MAX_FACT_VALUE:,}")
    if value.casefold() in _YES_NO:
        words = _YES_NO_IN.get(locale, _YES_NO_IN["en"])
        return FactRecord(name, words[_YES_NO[value.casefold()]], locale, ProductFact.Kind.BOOLEAN)
    number = parse_number(value)
    if number is not None and unit:
        symbol = canonical_unit(unit)
        if symbol is None:
            raise BadRow(f"the fact {name!r} has the unknown unit {unit[:40]!r}")
        value, number = f"{value} {symbol}", None
    quantity = parse_quantity(value)
    if quantity is not None and abs(quantity.number) < MAX_NUMBER:
        return FactRecord(name, value, locale, ProductFact.Kind.QUANTITY, _stored(quantity.number), quantity.unit)
    if number is not None and abs(number) < MAX_NUMBER:
        return FactRecord(name, value, locale, ProductFact.Kind.NUMBER, _stored(number))
    return FactRecord(name, value, locale, ProductFact.Kind.TEXT)


def parse_price(text: str, *, currency: str = "") -> tuple[Decimal, str] | None:
    """Return (amount, ISO currency) of `12.00 USD`, `$1,265.00`, `€ 9,50`, `¥199`; of a range, the lower end.

    `currency` is used where the text names none. None when the text is empty; raises `BadRow` when it is no price.
    """
    text = clean_line(text)
    if not text:
        return None
    match = _MONEY.fullmatch(text)
    amount = parse_number(match["amount"]) if match else None
    if match is None or amount is None or amount >= 10**10:
        raise BadRow(f"the price {text[:40]!r} cannot be read")
    sign = match["before"] or match["after"] or currency
    return amount.quantize(Decimal("0.01")), _CURRENCIES.get(sign.upper(), sign.upper())


def parse_moment(name: str, text: str) -> dt.datetime | None:
    """Return an ISO 8601 date or time, in UTC where it names no zone; None when the text is empty.

    Raises `BadRow`, which calls it `name`, when it is neither.
    """
    if not text:
        return None
    try:
        moment, day = parse_datetime(text), None
        if moment is None:
            day = parse_date(text)
    except ValueError:
        moment = day = None
    if day is not None:
        moment = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
    if moment is None:
        raise BadRow(f"{name} {text[:40]!r} is no ISO 8601 date or time")
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _stored(number: Decimal) -> Decimal:
    # As the database gives it back, so that a fact hashes alike before and after.
    return number.quantize(Decimal("0.000001"))


def _line(name: str, text: str, limit: int) -> str:
    text = clean_line(text)
    if len(text) > limit:
        raise BadRow(f"the {name} is {len(text):,} characters long; at most {limit:,}")
    return text


def _text(name: str, text: str) -> str:
    text = clean_text(text)
    if len(text) > MAX_TEXT:
        raise BadRow(f"the {name} is {len(text):,} characters long; at most {MAX_TEXT:,}")
    return text


def _locale(name: str) -> str:
    name = name.strip()
    if name.casefold() in ("zh", "zh-cn", "zh_cn", "zh-hans"):
        return Locale.ZH_HANS.value
    if name.casefold().split("-")[0].split("_")[0] == "en":
        return Locale.EN.value
    raise BadRow(f"the locale {name[:40]!r} is none of {', '.join(Locale.values)}")


def _image(url: str) -> str:
    url = _line("image_url", url, MAX_URL)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise BadRow(f"the image_url {url[:80]!r} cannot be read") from None
    is_path = not parts.scheme and not parts.netloc and ".." not in parts.path.split("/") and ":" not in url
    if url and not is_path and not (parts.scheme in ("http", "https") and parts.netloc):
        raise BadRow(f"the image_url {url[:80]!r} is neither an http(s) address nor a path")
    return url


def _distinct(facts: Iterable[FactRecord]) -> tuple[FactRecord, ...]:
    # One fact per name and language, the first said: feeds repeat themselves.
    kept: dict[tuple[str, str], FactRecord] = {}
    for fact in facts:
        kept.setdefault((fact.locale, fact.name), fact)
    if len(kept) > MAX_FACTS:
        raise BadRow(f"{len(kept)} facts; at most {MAX_FACTS}")
    return tuple(kept.values())
