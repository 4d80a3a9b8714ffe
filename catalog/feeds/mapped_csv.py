"""Any CSV, with a mapping file (TOML) that says which column is which; without one, a header of our own field names.

delimiter = ","                 # optional
locale = "en"                   # optional; otherwise taken from the letters of the title or text
currency = "USD"                # optional; for prices that name none

[fields]                        # products: sku title brand category description price image_url
sku = "Item No"                 # reviews: text title external_id sku locale rating written_at
title = "Name"
brand = { value = "Acme" }                                  # the same for every row
category = { column = "Category", split = "|", join = " > " }   # "A | B | C" → "A > B > C"
image_url = { column = "Images", split = "|", take = 1 }    # the first part (-1: the last)
price = { column = "Price", optional = true }               # leave it out where it cannot be read

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
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from catalog.feeds.base import (
    BadRow,
    FactRecord,
    FeedRow,
    ProductRecord,
    ReviewRecord,
    make_fact,
    make_product,
    make_review,
    parse_price,
)
from core.exceptions import PermanentError
from core.source import CsvRecord, Source

PRODUCT_FIELDS = ("sku", "title", "brand", "category", "description", "price", "image_url")
REVIEW_FIELDS = ("text", "title", "external_id", "sku", "locale", "rating", "written_at")
Row = dict[str, str]


class FieldRule(BaseModel):
    """How one field is made of a row: a column, perhaps split and joined or one part taken; or a constant `value`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str = ""
    value: str = ""
    split: str = ""
    join: str = "\n"
    take: int = 0
    optional: bool = False

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

    def of(self, row: Row, *, locale: str) -> Iterator[FactRecord]:
        """Yield the facts of this column in `row`."""
        text, locale = row[self.column], self.locale or locale
        for part in text.split(self.split) if self.split else [text]:
            name, value = self.name, part
            if self.key:
                name, found, value = part.partition(self.key)
                name = " ".join(name.split())
                if not found or (self.keep and name not in self.keep):
                    continue
                name = self.keep.get(name, name)
            fact = make_fact(name, value, locale=locale, unit=self.unit) if name else None
            if fact is not None:
                yield fact


class Mapping(BaseModel):
    """A mapping file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    locale: str = ""
    currency: str = ""
    fields: dict[str, FieldRule] = {}
    localized_titles: dict[str, FieldRule] = {}
    facts: tuple[FactRule, ...] = ()

    @property
    def columns(self) -> set[str]:
        """Every column the mapping reads."""
        columns = {rule.column for rule in (*self.fields.values(), *self.localized_titles.values()) if rule.column}
        return columns | {rule.column for rule in self.facts}


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file. Raises `PermanentError` that names what is wrong in it."""
    try:
        return Mapping.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as exc:
        first = exc.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise PermanentError(f"the mapping {path} is wrong at {place or 'its top'}: {first['msg']}.") from exc
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise PermanentError(f"the mapping {path} cannot be read: {exc}.") from exc


def read_products(source: Source, *, mapping: Mapping | None = None) -> Iterator[FeedRow[ProductRecord]]:
    """Yield the products of a CSV file."""
    for record, row, rules in _rows(source, mapping, known=PRODUCT_FIELDS, required=("sku", "title")):
        if record.error:
            yield FeedRow(record.line, error=record.error, raw=record.raw)
            continue
        sku = rules.fields["sku"].of(row)
        try:
            yield FeedRow(record.line, _product(row, rules), sku=sku)
        except BadRow as exc:
            yield FeedRow(record.line, error=str(exc), sku=sku, raw=record.raw)


def read_reviews(source: Source, *, mapping: Mapping | None = None) -> Iterator[FeedRow[ReviewRecord]]:
    """Yield the customer reviews of a CSV file."""
    for record, row, rules in _rows(source, mapping, known=REVIEW_FIELDS, required=("text",)):
        if record.error:
            yield FeedRow(record.line, error=record.error, raw=record.raw)
            continue
        values = {name: rule.of(row) for name, rule in rules.fields.items()}
        values.setdefault("locale", rules.locale)
        try:
            yield FeedRow(record.line, make_review(**values), sku=values.get("sku", ""))
        except BadRow as exc:
            yield FeedRow(record.line, error=str(exc), sku=values.get("sku", ""), raw=record.raw)


def _product(row: Row, rules: Mapping) -> ProductRecord:
    values = {name: rule.of(row) for name, rule in rules.fields.items()}
    price = None
    try:
        price = parse_price(values.pop("price", ""), currency=rules.currency)
    except BadRow:
        if not rules.fields["price"].optional:
            raise
    titles = {locale: rule.of(row) for locale, rule in rules.localized_titles.items()}

    def facts(locale: str) -> list[FactRecord]:
        return [fact for rule in rules.facts for fact in rule.of(row, locale=locale)]

    return make_product(
        sku=values["sku"],
        title=values["title"],
        locale=rules.locale,
        localized_titles=titles,
        brand=values.get("brand", ""),
        category=values.get("category", ""),
        description=values.get("description", ""),
        price=price,
        image_url=values.get("image_url", ""),
        facts=facts,
    )


def _rows(
    source: Source, mapping: Mapping | None, *, known: Iterable[str], required: Iterable[str]
) -> Iterator[tuple[CsvRecord, Row, Mapping]]:
    records = source.csv_records(delimiter=mapping.delimiter if mapping else ",")
    header = next(records, None)
    if header is None or header.error:
        raise PermanentError(f"{source.path} has no header line{': ' + header.error if header else ''}.")
    names = [name.strip() for name in header.cells]
    rules = mapping or Mapping(fields={name: FieldRule(column=name) for name in names if name in known})
    if unknown := set(rules.fields) - set(known):
        raise PermanentError(f"the mapping has unknown fields: {', '.join(sorted(unknown))}.")
    if missing := set(required) - set(rules.fields):
        raise PermanentError(
            f"nothing says which column of {source.path.name} is {', '.join(sorted(missing))}.",
            hint=f"Give a mapping file with --mapping. Its columns: {', '.join(names)[:500]}",
        )
    if absent := rules.columns - set(names):
        raise PermanentError(
            f"{source.path.name} has no column {', '.join(sorted(absent))}.", hint=f"It has: {', '.join(names)[:500]}"
        )
    for record in records:
        yield record, dict(zip(names, record.cells, strict=False)), rules
