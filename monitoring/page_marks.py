"""What a page carries of the AI mark: the text, the visible label, records in its head, the manifest."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from catalog.models import PublishedCopy
from moderation.live import content_credentials, marking

SILENT = {"script", "style", "template", "noscript"}


@dataclass(frozen=True)
class Reading:
    """What was found. `c2pa` is valid, trusted, invalid or unmarked; `record` whether an AIGC record is ours,
    for this text.
    """

    text: bool
    label: bool
    record: bool
    json_ld: bool
    c2pa: str

    @property
    def is_machine_readable(self) -> bool:
        return self.record or self.json_ld or self.c2pa in ("valid", "trusted")

    @property
    def carries_mark(self) -> bool:
        """Whether people and machines are both told."""
        return self.label and self.is_machine_readable


def read(html: str, copy: PublishedCopy) -> Reading:
    """Return what `html`, which is untrusted, carries of the mark of `copy`."""
    page = _Page()
    page.feed(html)
    page.close()
    shown = "".join(page.words)
    label = str(copy.ai_mark.get("label", ""))
    return Reading(
        text=_plain(copy.text) in _plain(shown),
        label=bool(label) and _plain(label) in _plain(shown),
        record=any(marking.is_genuine(record, copy.text) for record in page.records()),
        json_ld=any(_is_marked(node, copy) for node in page.nodes()),
        c2pa=_manifest_state(shown, copy),
    )


def _plain(text: str) -> str:
    """Return `text` without what does not show, for comparing."""
    kept = (sign for sign in unicodedata.normalize("NFC", text) if not _is_selector(sign))
    return " ".join("".join(kept).split())


def _is_selector(sign: str) -> bool:
    return sign == "\ufeff" or "\ufe00" <= sign <= "\ufe0f" or "\U000e0100" <= sign <= "\U000e01ef"


def _manifest_state(shown: str, copy: PublishedCopy) -> str:
    """Return the state of the manifest behind the text as it stands in the page;
    around it a page has words of its own.
    """
    text = unicodedata.normalize("NFC", copy.text)
    at = shown.find(text)
    if at < 0:
        return "unmarked"
    end = at + len(text)
    while end < len(shown) and _is_selector(shown[end]):
        end += 1
    return content_credentials.state_of(shown[at:end])


def _is_marked(node: dict[str, Any], copy: PublishedCopy) -> bool:
    """Whether a node of JSON-LD says that a model wrote this text."""
    says = str(node.get("digitalSourceType", ""))
    told = any(_plain(str(node.get(key, ""))) == _plain(copy.text) for key in ("text", "description"))
    return told and says.rsplit("/", 1)[-1].lower().removesuffix("digitalsource") in (
        marking.MACHINE.lower(),
        marking.EDITED.lower(),
    )


@dataclass
class _Page(HTMLParser):
    words: list[str] = field(default_factory=list)
    metas: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    _silent: list[str] = field(default_factory=list)
    _is_json_ld: bool = False

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "meta" and str(given.get("name", "")).lower() == "aigc":
            self.metas.append(given.get("content") or "")
        if tag in SILENT:
            self._silent.append(tag)
            self._is_json_ld = tag == "script" and given.get("type") == "application/ld+json"
            if self._is_json_ld:
                self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()
            self._is_json_ld = False

    def handle_data(self, data: str) -> None:
        if self._is_json_ld:
            self.scripts[-1] += data
        elif not self._silent:
            self.words.append(data)

    def records(self) -> list[dict[str, Any]]:
        return [found for meta in self.metas if isinstance(found := _json(meta), dict)]

    def nodes(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for script in self.scripts:
            value = _json(script)
            graph = value.get("@graph", [value]) if isinstance(value, dict) else value
            found += [node for node in graph if isinstance(node, dict)] if isinstance(graph, list) else []
        return found


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
