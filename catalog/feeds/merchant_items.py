"""The items of an XML feed, with the line they begin on; markup inside of an attribute stays with its text."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import ParseError  # the exception alone; parsing is defusedxml's

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from catalog.feeds.bad_row import BadRow
from catalog.feeds.xml_text import REPAIRED, pieces_of
from core.source import MAX_LINE_BYTES, RAW_CHARACTERS, Source

# Markup that never ends (one tag of 100 MB) makes no event; more than this without one is no product feed.
_MAX_SILENCE = 4 * MAX_LINE_BYTES
Item = dict[str, list[str]]


@dataclass(frozen=True)
class Found:
    """One item as it stands in a feed, or (with `error`) why it is none. Nothing follows one that `breaks_off`."""

    line: int
    item: Item
    error: str = ""
    raw: str = ""
    breaks_off: bool = False


def items_of(source: Source) -> Iterator[Found]:
    """Yield the items of a feed; the last one breaks off where the XML cannot be read any further."""
    items = _Items()
    parser = DefusedXMLParser(target=items, forbid_dtd=True)
    items.expat = parser.parser
    try:
        for skipped, text in pieces_of(source):
            items.skipped = skipped
            items.silence += len(text)
            parser.feed(text)
            if items.silence > _MAX_SILENCE:
                raise BadRow(f"more than {_MAX_SILENCE:,} characters without an element")
            yield from items.drain()
        parser.close()
    except (ParseError, DefusedXmlException, BadRow, ValueError, LookupError) as exc:
        yield from items.drain()
        reason = "entities and DTDs are not taken" if isinstance(exc, DefusedXmlException) else str(exc)
        line = parser.parser.CurrentLineNumber + items.skipped
        yield Found(line, {}, error=f"the XML cannot be read from here on: {reason}", breaks_off=True)
        return
    yield from items.drain()


class _Items:
    """Target of the parser: gathers items with the line they begin on, and forgets everything else."""

    def __init__(self) -> None:
        self.expat: Any = None
        self.done: deque[Found] = deque()
        self.silence = self.line = self.skipped = 0
        self.item: Item | None = None
        self.path: list[str] = []
        self.text: list[str] = []
        self.length = 0
        self.detail: dict[str, str] = {}
        self.error = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.silence = 0
        name = attribute(tag.rpartition("}")[2])
        if self.item is None:
            if name in ("item", "entry"):
                self.item, self.line, self.error, self.path = {}, self.expat.CurrentLineNumber + self.skipped, "", []
                self.length = 0
            return
        if self.is_inside_text:
            self.add(f"<{name}>")
        else:
            self.text = []
        self.path.append(name)
        if name == "link" and attributes.get("href"):
            self.item.setdefault("link", []).append(attributes["href"])

    def data(self, text: str) -> None:
        self.silence = 0
        if self.item is None or not self.path:
            return
        if REPAIRED in text:
            self.error = "it holds a character that is not allowed in XML, or is not in the encoding of the file"
        self.add(text)

    def end(self, tag: str) -> None:
        self.silence = 0
        if self.item is None:
            return
        if not self.path:
            raw = str(self.item)[:RAW_CHARACTERS]
            self.done.append(Found(self.line, self.item, error=self.error, raw=raw))
            self.item = None
            return
        name = self.path.pop()
        if self.is_inside_text:
            self.add(f"</{name}>")
            return
        text, self.text = "".join(self.text).strip(), []
        if self.path == ["product_detail"]:
            self.detail[name] = text
        elif name == "product_detail":
            pair = (self.detail.get("attribute_name", ""), self.detail.get("attribute_value", ""))
            self.item.setdefault(name, []).append("\t".join(pair))
            self.detail = {}
        elif text:
            self.item.setdefault(name, []).append(text)

    def close(self) -> None:
        pass

    @property
    def is_inside_text(self) -> bool:
        """Whether an element that begins or ended here is markup within the text of an attribute."""
        return len(self.path) > (1 if self.path[:1] == ["product_detail"] else 0)

    def add(self, text: str) -> None:
        self.length += len(text)
        if self.length > MAX_LINE_BYTES:
            self.error = f"the item is longer than {MAX_LINE_BYTES:,} characters"
        else:
            self.text.append(text)

    def drain(self) -> Iterator[Found]:
        while self.done:
            yield self.done.popleft()


def attribute(name: str) -> str:
    """Return the name of an attribute in one spelling: `g:Image Link` → `image_link`."""
    return name.strip().lower().removeprefix("g:").replace(" ", "_")
