"""A mapping file (TOML): which column of a table, or which key of JSONL (`a.b` for one inside of another), is which.

delimiter = ";"                 # optional; otherwise taken from the header
decimal = ","                   # optional; otherwise taken from what stands in each column
locale = "en"                   # optional; otherwise told from the texts
currency = "USD"                # optional; for prices that name none

These four alone may be said of a format that names its own columns (Shopify, Merchant feeds) as well.

[fields]                        # products: sku title brand category description price currency locale image_url
sku = "Item No"                 # reviews: text title external_id sku locale rating written_at
title = "Name"                  # messages: text external_id sku channel locale author received_at
brand = { value = "Acme" }                                  # the same for every row
category = { column = "Category", split = "|", join = " > " }   # "A | B | C" → "A > B > C"
image_url = { column = "Images", split = "|", take = 1 }    # the first part (-1: the last)
price = { column = "Price", optional = true }               # leave it out where it cannot be read
written_at = { column = "Date", format = "%d/%m/%Y" }       # as strptime has it; the usual forms are read without

[localized_titles]
zh-Hans = "中文名"

[[facts]]                       # one fact from one column
column = "Weight"
name = "weight"
unit = "g"                      # optional: what bare numbers are measured in
locale = "en"                   # optional

[[facts]]                       # many facts from one column: "Key: value | Key: value"
column = "Specification"
split = "|"
key = ":"
keep = { "Item Weight" = "weight", "Colour" = "colour" }    # optional: these keys alone, renamed
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from catalog.currencies import currency_code
from catalog.feeds.bad_row import BadRow
from catalog.feeds.base import FactRecord, ProductRecord, locale_of, make_product
from catalog.feeds.dates import is_form
from catalog.feeds.facts import MAX_FACT_NAME, fact_or_note, is_measure
from catalog.feeds.habits import Habits
from catalog.feeds.prices import parse_price
from catalog.units import canonical_unit
from core.exceptions import PermanentError
from core.spreadsheets import unguarded

PRODUCT_FIELDS = ("sku", "title", "brand", "category", "description", "price", "currency", "locale", "image_url")
REVIEW_FIELDS = ("text", "title", "external_id", "sku", "locale", "rating", "written_at")
DATES = ("written_at", "received_at")
Row = dict[str, str]
_PRICE = "price"


class FieldRule(BaseModel):
    """How one field is made of a row: a column, perhaps split and joined or one part taken; or a constant `value`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str = ""
    value: str = ""
    split: str = ""
    join: str = "\n"
    take: int = 0
    optional: bool = False
    format: str = ""

    @model_validator(mode="before")
    @classmethod
    def _column_alone(cls, data: Any) -> Any:
        return {"column": data} if isinstance(data, str) else data

    def of(self, row: Row) -> str:
        """Return the text of this field in `row`."""
        text = row[self.column] if self.column else self.value
        if not self.split:
            return text
        parts = [part.strip() for part in text.split(self.split) if part.strip()]
        if not self.take:
            return self.join.join(parts)
        at = self.take - 1 if self.take > 0 else self.take
        return parts[at] if -len(parts) <= at < len(parts) else ""


class FactRule(BaseModel):
    """How facts are made of one column: one fact of the given `name`, or one per `Key: value` part."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    name: str = ""
    unit: str = ""
    locale: str = ""
    split: str = ""
    key: str = ""
    keep: dict[str, str] = {}

    @model_validator(mode="after")
    def _named(self) -> FactRule:
        if bool(self.name) == bool(self.key):
            raise ValueError("give a fact either `name`, or `key` to read names from the column")
        return self

    def of(self, row: Row, *, locale: str, habits: Habits) -> Iterator[FactRecord]:
        """Yield the facts of this column in `row`."""
        language = locale_of(self.locale) if self.locale else locale
        for name, value in self.pairs(row):
            plainly = habits.plainly(self.column)
            if fact := fact_or_note(name, value, locale=language, unit=self.unit, plainly=plainly, habits=habits):
                yield fact

    def pairs(self, row: Row) -> Iterator[tuple[str, str]]:
        """Yield the names and values of this column in `row`."""
        text = row[self.column]
        for part in text.split(self.split) if self.split else [text]:
            name, value = self.name, part
            if self.key:
                name, found, value = part.partition(self.key)
                name = " ".join(name.split())
                if not found or (self.keep and name not in self.keep):
                    continue
                name = self.keep.get(name, name)
            if name:
                yield name, value


class Mapping(BaseModel):
    """A mapping file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delimiter: str = Field(default="", max_length=1)
    decimal: Literal["", ",", "."] = ""
    locale: str = ""
    currency: str = ""
    fields: dict[str, FieldRule] = {}
    localized_titles: dict[str, FieldRule] = {}
    facts: tuple[FactRule, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Mapping:
        for place, name in (
            ("locale", self.locale),
            *((f"localized_titles.{name}", name) for name in self.localized_titles),
        ):
            if name:
                _check(place, locale_of, name)
        if self.delimiter in ('"', "\r", "\n", "\0"):
            raise ValueError(f"delimiter: {self.delimiter!r} cannot be one")
        if self.currency and not currency_code(self.currency):
            raise ValueError(f"currency: {self.currency[:40]!r} is no currency; a code like EUR is one")
        for name, field in self.fields.items():
            if field.format and (name not in DATES or not is_form(field.format)):
                raise ValueError(
                    f"fields.{name}.format: {field.format[:40]!r} is none; {' and '.join(DATES)} take one like %d/%m/%Y"
                )
        for rule in self.facts:
            if rule.locale:
                _check("facts.locale", locale_of, rule.locale)
            if rule.unit and canonical_unit(rule.unit) is None:
                raise ValueError(f"facts.unit: {rule.unit[:40]!r} is no unit that we know")
            if any(len(name) > MAX_FACT_NAME for name in (rule.name, *rule.keep.values())):
                raise ValueError(f"facts.name: at most {MAX_FACT_NAME} characters")
        return self

    @property
    def language(self) -> str:
        """The locale of ours that it says the texts are in; empty where it says none."""
        return locale_of(self.locale) if self.locale else ""

    @property
    def names_columns(self) -> bool:
        """Whether it says which column is which, and not only how a feed is written."""
        return bool(self.fields or self.localized_titles or self.facts)

    def require_known(self, known: Iterable[str]) -> None:
        """Raise `PermanentError` where there are fields that are none of `known`."""
        if unknown := set(self.fields) - set(known):
            raise PermanentError(f"the mapping has unknown fields: {', '.join(sorted(unknown))}.")

    @property
    def columns(self) -> set[str]:
        """Every column the mapping reads."""
        columns = {rule.column for rule in (*self.fields.values(), *self.localized_titles.values()) if rule.column}
        return columns | {rule.column for rule in self.facts}


def read_mapping(path: Path | None, said: dict[str, str] | None = None) -> Mapping | None:
    """Read a mapping file, with what was `said` beside it and stands above it; None where there is neither.

    Raises `PermanentError` that names what is wrong.
    """
    said = {name: value for name, value in (said or {}).items() if value}
    if path is None:
        return _mapping(said, "what was said of the feed") if said else None
    return _mapping({**_toml(path), **said}, f"the mapping {path}")


def _mapping(values: dict[str, Any], what: str) -> Mapping:
    try:
        return Mapping.model_validate(values)
    except ValidationError as exc:
        first = exc.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise PermanentError(f"{what} is wrong at {place or 'its top'}: {first['msg']}.") from exc


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as exc:
        raise PermanentError(f"the mapping {path} cannot be read: it is not UTF-8.", hint="Save it as UTF-8.") from exc
    except (OSError, RecursionError, tomllib.TOMLDecodeError) as exc:
        raise PermanentError(f"the mapping {path} cannot be read: {exc}.") from exc


def record_product(row: Row, rules: Mapping, habits: Habits) -> ProductRecord:
    """Return the product that `rules` make of `row`. Raises `BadRow`."""
    values = {name: rule.of(row) for name, rule in rules.fields.items()}
    price, written = None, rules.fields.get("price")
    try:
        currency = values.get("currency", "").strip() or rules.currency
        price = parse_price(values.get("price", ""), currency=currency, plainly=habits.plainly(_PRICE))
    except BadRow:
        if written is None or not written.optional:
            raise
    return make_product(
        sku=unguarded(values["sku"], is_key=True),
        title=values["title"],
        locale=values.get("locale", ""),
        localized_titles={locale: rule.of(row) for locale, rule in rules.localized_titles.items()},
        brand=values.get("brand", ""),
        category=values.get("category", ""),
        description=values.get("description", ""),
        price=price,
        image_url=values.get("image_url", ""),
        facts=lambda locale: [fact for rule in rules.facts for fact in rule.of(row, locale=locale, habits=habits)],
        language=habits.locale_of,
    )


def study(rows: Iterable[Row], rules: Mapping, habits: Habits) -> None:
    """Have `habits` hear the columns that `rules` read titles, texts, prices and facts from."""
    title, text, more, price, locale = (
        rules.fields.get(name) for name in ("title", "text", "description", "price", "locale")
    )
    for row in rows:
        if not (locale and locale.of(row).strip()):
            if text:
                habits.languages.hear(text.of(row), is_review=True)
            elif title:
                habits.languages.hear(title.of(row), more.of(row) if more else "")
        if price:
            habits.numerals.learn(_PRICE, [price.of(row)])
        for rule in rules.facts:
            habits.numerals.learn(rule.column, (value for _, value in rule.pairs(row) if is_measure(value)))


def _check(place: str, read: Callable[[str], object], text: str) -> None:
    try:
        read(text)
    except BadRow as exc:
        raise ValueError(f"{place}: {exc}") from None
