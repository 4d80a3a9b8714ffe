"""Google Merchant product data, as TSV and as XML (RSS 2.0 and Atom).

https://support.google.com/merchants/answer/7052112 (attributes), /160567 (TSV), /160589 (XML)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import Any
from xml.etree.ElementTree import ParseError  # the exception alone; parsing is defusedxml's

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from catalog.feeds.base import BadRow, FactRecord, FeedRow, ProductRecord, make_fact, make_product, parse_price
from core.exceptions import PermanentError
from core.source import MAX_LINE_BYTES, RAW_CHARACTERS, Source

FACT_ATTRIBUTES = (
    "color", "size", "material", "pattern", "gender", "age_group", "condition", "multipack", "unit_pricing_measure",
    "energy_efficiency_class", "product_weight", "product_length", "product_width", "product_height",
)  # fmt: skip
_CHUNK = 65_536
# Markup that never ends (one tag of 100 MB) makes no event; more than this without one is no product feed.
_MAX_SILENCE = 4 * MAX_LINE_BYTES
Item = dict[str, list[str]]


def is_merchant_header(names: set[str]) -> bool:
    """Whether column names are those of a Google Merchant feed."""
    names = {_attribute(name) for name in names}
    return {"id", "title"} <= names and bool(names & {"link", "image_link", "availability", "product_type"})


def read_tsv(source: Source) -> Iterator[FeedRow[ProductRecord]]:
    """Yield the products of a tab-separated Merchant feed."""
    records = source.csv_records(delimiter="\t")
    header = next(records, None)
    names = [_attribute(name) for name in header.cells] if header else []
    if not {"id", "title"} <= set(names):
        raise PermanentError(f"{source.path} is no Google Merchant feed: it lacks the columns id and title.")
    for record in records:
        if record.error:
            yield FeedRow(record.line, error=record.error, raw=record.raw)
            continue
        item: Item = {}
        for name, cell in zip(names, record.cells, strict=True):
            if cell.strip():
                item.setdefault(name, []).extend(_details(cell) if name == "product_detail" else [cell])
        yield _row(record.line, item, raw=record.raw)


def read_xml(source: Source) -> Iterator[FeedRow[ProductRecord]]:
    """Yield the products of an XML Merchant feed. Entities and DTDs are refused: they are how XML bombs are built.

    Where the XML breaks off, what came before stands and one bad row names the line.
    """
    items = _Items()
    parser = DefusedXMLParser(target=items, forbid_dtd=True)
    items.expat = parser.parser
    source.stream.seek(0)
    try:
        while chunk := source.stream.read(_CHUNK):
            items.silence += len(chunk)
            parser.feed(chunk)
            if items.silence > _MAX_SILENCE:
                raise BadRow(f"more than {_MAX_SILENCE:,} bytes without an element")
            yield from items.drain()
        parser.close()
    except (ParseError, DefusedXmlException, BadRow, ValueError, LookupError) as exc:
        yield from items.drain()
        reason = "entities and DTDs are not taken" if isinstance(exc, DefusedXmlException) else str(exc)
        yield FeedRow(parser.parser.CurrentLineNumber, error=f"the XML cannot be read from here on: {reason}")
        return
    yield from items.drain()
    if not items.n_found:
        raise PermanentError(f"{source.path} holds no <item> and no <entry>.", hint="Is it a Merchant feed?")


class _Items:
    """Target of the parser: gathers items with the line they begin on, and forgets everything else."""

    def __init__(self) -> None:
        self.expat: Any = None
        self.done: deque[FeedRow[ProductRecord]] = deque()
        self.n_found = self.silence = self.line = 0
        self.item: Item | None = None
        self.path: list[str] = []
        self.text: list[str] = []
        self.length = 0
        self.detail: dict[str, str] = {}
        self.error = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.silence = 0
        name = _attribute(tag.rpartition("}")[2])
        if self.item is None:
            if name in ("item", "entry"):
                self.item, self.line, self.error, self.path = {}, self.expat.CurrentLineNumber, "", []
                self.n_found, self.length = self.n_found + 1, 0
            return
        self.path.append(name)
        self.text = []
        if name == "link" and attributes.get("href"):
            self.item.setdefault("link", []).append(attributes["href"])

    def data(self, text: str) -> None:
        if self.item is None or not self.path:
            self.silence = 0
            return
        self.silence = 0
        self.length += len(text)
        if self.length > MAX_LINE_BYTES:
            self.error = f"the item is longer than {MAX_LINE_BYTES:,} characters"
        else:
            self.text.append(text)

    def end(self, tag: str) -> None:
        self.silence = 0
        if self.item is None:
            return
        if not self.path:
            row = _row(self.line, self.item, raw=str(self.item)[:RAW_CHARACTERS])
            if self.error:
                row = FeedRow(self.line, error=self.error, sku=row.sku, raw=row.raw)
            self.done.append(row)
            self.item = None
            return
        name, text = self.path.pop(), "".join(self.text).strip()
        self.text = []
        if self.path[-1:] == ["product_detail"]:
            self.detail[name] = text
        elif name == "product_detail":
            pair = (self.detail.get("attribute_name", ""), self.detail.get("attribute_value", ""))
            self.item.setdefault(name, []).append("\t".join(pair))
            self.detail = {}
        elif text and not self.path:
            self.item.setdefault(name, []).append(text)

    def close(self) -> None:
        pass

    def drain(self) -> Iterator[FeedRow[ProductRecord]]:
        while self.done:
            yield self.done.popleft()


def _attribute(name: str) -> str:
    return name.strip().lower().removeprefix("g:").replace(" ", "_")


def _details(cell: str) -> list[str]:
    """Split `section:attribute:value,section:attribute:value`; a comma inside a value starts no new detail."""
    details: list[str] = []
    for part in cell.split(","):
        pieces = part.split(":", 2)
        if len(pieces) == 3:
            details.append(f"{pieces[1].strip()}\t{pieces[2].strip()}")
        elif details:
            details[-1] += f",{part}"
    return details


def _row(line: int, item: Item, *, raw: str) -> FeedRow[ProductRecord]:
    def first(*names: str) -> str:
        return next((item[name][0] for name in names if item.get(name)), "")

    sku = first("id")
    try:
        product = make_product(
            sku=sku,
            title=first("title"),
            brand=first("brand"),
            category=first("product_type", "google_product_category"),
            description=first("description", "summary", "content"),
            price=parse_price(first("price")),
            image_url=first("image_link"),
            facts=partial(_facts, item),
        )
        return FeedRow(line, product, sku=sku)
    except BadRow as exc:
        return FeedRow(line, error=str(exc), sku=sku, raw=raw)


def _facts(item: Item, locale: str) -> list[FactRecord]:
    named = [(name.replace("_", " "), ", ".join(item[name])) for name in FACT_ATTRIBUTES if item.get(name)]
    for detail in item.get("product_detail", ()):
        name, _, value = detail.partition("\t")
        named.append((name, value))
    facts = (make_fact(name, value, locale=locale) for name, value in named)
    return [fact for fact in facts if fact]
