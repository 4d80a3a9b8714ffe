"""What every feed yields: cleaned records or named bad rows, with the limits that keep a hostile file small."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Generic, NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit

from catalog.cleaning import clean_address, clean_line, clean_text
from catalog.feeds.bad_row import BadRow as BadRow
from catalog.feeds.dates import parse_moment as parse_moment
from catalog.feeds.habits import Habits, language_alone
from catalog.feeds.ratings import parse_rating
from catalog.models import Locale

MAX_TITLE, MAX_SKU, MAX_BRAND, MAX_CATEGORY, MAX_URL = 500, 120, 200, 300, 1000
SAY_FORMAT = 'say its format in a mapping, e.g. "%d/%m/%Y"'
MAX_TEXT, MAX_FACTS, MAX_AUTHOR = 50_000, 100, 500
_USUAL_ADDRESS = re.compile(r"https?://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?:/[A-Za-z0-9._~/?=%-]*)?")
REVIEW_ALONE = partial(language_alone, is_review=True)
_SHORTENED = re.compile(r"\d(?:[.,]\d+)?E\+\d{1,3}", re.I)


class FactRecord(NamedTuple):
    """One fact, typed. `number` and `unit` are set for numbers and quantities."""

    name: str
    value: str
    locale: str
    kind: str
    number: Decimal | None = None
    unit: str = ""


class ProductRecord(NamedTuple):
    """A product as a feed states it, cleaned and within limits."""

    sku: str
    title: str
    locale: str
    localized_titles: Mapping[str, str] = MappingProxyType({})
    brand: str = ""
    category: str = ""
    description: str = ""
    price: Decimal | None = None
    currency: str = ""
    image_url: str = ""
    facts: tuple[FactRecord, ...] = ()

    def __hash__(self) -> int:
        return hash((self[:3], frozenset(self.localized_titles.items()), self[4:]))


class ReviewRecord(NamedTuple):
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


class FeedRow(NamedTuple, Generic[R]):
    """One row of a feed: a record, or the reason why there is none. `line` is the physical line it begins on."""

    line: int
    record: R | None = None
    error: str = ""
    sku: str = ""
    raw: str = ""
    notes: tuple[str, ...] = ()  # what else is worth counting, by name
    breaks_off: bool = False  # nothing that follows could be read


def row_of(line: int, make: Callable[[], R], habits: Habits, *, sku: str = "", raw: str = "") -> FeedRow[R]:
    """Return the row that `make` makes, with what it noted in `habits`; where it raises `BadRow`,
    one with the reason.
    """
    try:
        record = make()
    except BadRow as exc:
        habits.take_notes()
        return FeedRow(line, error=str(exc), sku=sku, raw=raw)
    except (ValueError, ArithmeticError) as exc:  # what no check foresaw costs its row, and not the import
        habits.take_notes()
        return FeedRow(line, error=f"it cannot be read: {exc}"[:300], sku=sku, raw=raw)
    return FeedRow(line, record, sku=sku, notes=habits.take_notes())


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
    language: Callable[[str, str], str] = language_alone,
) -> ProductRecord:
    """Clean and check what a feed says about a product. Raises `BadRow` with the reason.

    An empty `locale` is what `language` makes of title and description; `facts` gets what it came to.
    """
    sku, title = checked_key("sku", sku), checked_line("title", title, MAX_TITLE)
    if not sku:
        raise BadRow("the sku is empty")
    if not title:
        raise BadRow("the title is empty")
    description = checked_text("description", description)
    locale = locale_of(locale) if locale.strip() else language(title, description)
    titles = {}
    for name, text in (localized_titles or {}).items():
        if text := checked_line(f"title in {name}", text, MAX_TITLE):
            titles[locale_of(name)] = text
    return ProductRecord(
        sku=sku,
        title=title,
        locale=locale,
        localized_titles=titles,
        brand=checked_line("brand", brand, MAX_BRAND),
        category=checked_line("category", category, MAX_CATEGORY),
        description=description,
        price=price[0] if price else None,
        currency=price[1] if price else "",
        image_url=image_address(image_url),
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
    date_form: str = "",
    language: Callable[[str], str] = REVIEW_ALONE,
) -> ReviewRecord:
    """Clean and check a customer review. Raises `BadRow` with the reason.

    `date_form` says how its date is written; an empty `locale` is what `language` makes of the text.
    """
    text = checked_text("text", text)
    if not text:
        raise BadRow("the text is empty")
    return ReviewRecord(
        text=text,
        locale=locale_of(locale) if locale.strip() else language(text),
        external_id=checked_key("external_id", external_id),
        sku=checked_key("sku", sku),
        title=checked_line("title", title, MAX_TITLE),
        rating=parse_rating(clean_line(rating)),
        written_at=parse_moment("written_at", clean_line(written_at), form=date_form, hint=SAY_FORMAT),
    )


@lru_cache(maxsize=256)
def locale_of(name: str) -> str:
    """Return the language of ours that `name` stands for (`en-GB` → `en`, `zh-CN` → `zh-Hans`). Raises `BadRow`."""
    name = name.strip()
    if name.casefold() in ("zh", "zh-cn", "zh_cn", "zh-hans", "zh_hans", "zh-hans-cn", "zh-sg"):
        return Locale.ZH_HANS.value
    if name.casefold().split("-")[0].split("_")[0] == "en":
        return Locale.EN.value
    raise BadRow(f"the locale {name[:40]!r} is none of {', '.join(Locale.values)}")


def is_shortened(text: str) -> bool:
    """Whether a text is what a spreadsheet makes of a long number: `4.01E+12`."""
    return bool(_SHORTENED.fullmatch(text))


def checked_key(name: str, text: str) -> str:
    """Return a key, cleaned. Raises `BadRow` where it is too long, or a spreadsheet shortened it."""
    text = checked_line(name, text, MAX_SKU)
    if is_shortened(text):
        raise BadRow(
            f"the {name} {text!r} is a number that a spreadsheet shortened: format its column as text, and export anew"
        )
    return text


def checked_line(name: str, text: str, limit: int) -> str:
    """Return one line of text, cleaned. Raises `BadRow` where it is longer than `limit` characters."""
    text = clean_line(text)
    if len(text) > limit:
        raise BadRow(f"the {name} is {len(text):,} characters long; at most {limit:,}")
    return text


def checked_text(name: str, text: str) -> str:
    """Return text of several lines, cleaned. Raises `BadRow` where it is too long."""
    text = clean_text(text)
    if len(text) > MAX_TEXT:
        raise BadRow(f"the {name} is {len(text):,} characters long; at most {MAX_TEXT:,}")
    return text


def image_address(url: str) -> str:
    """Return the address of a picture, cleaned. Raises `BadRow` for what is neither an http(s) address nor a path."""
    if len(url) <= MAX_URL and _USUAL_ADDRESS.fullmatch(url):
        return url
    url = clean_address(url)
    if len(url) > MAX_URL:
        raise BadRow(f"the image_url is {len(url):,} characters long; at most {MAX_URL:,}")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise BadRow(f"the image_url {url[:80]!r} cannot be read") from None
    is_path = not parts.scheme and not parts.netloc and ".." not in parts.path.split("/") and not set(url) & {":", "\\"}
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
