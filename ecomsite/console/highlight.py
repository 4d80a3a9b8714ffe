"""Show generated text as what it is, untrusted: cut into plain pieces that a template escapes, with what was found in it."""

from __future__ import annotations

import difflib
import itertools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.admin import INVISIBLE

SEVERITIES = ("info", "warn", "block")  # rising
WORDS = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[^\W_]+(?:['’.,-][^\W_]+)*|\s+|.", re.DOTALL)
MAX_DIFF_WORDS = 6000


class Found(Protocol):
    """What `mark` needs to know of a finding."""

    @property
    def severity(self) -> str: ...
    @property
    def start(self) -> int | None: ...
    @property
    def end(self) -> int | None: ...
    @property
    def message(self) -> str: ...


@dataclass(frozen=True)
class Piece:
    """A run of text that one set of findings covers. `control` names an invisible sign that stands for itself alone."""

    text: str
    severity: str = ""
    titles: tuple[str, ...] = ()
    control: str = ""

    @property
    def title(self) -> str:
        return "\n".join(self.titles)


def mark(text: str, findings: Iterable[Found]) -> list[Piece]:
    """Cut `text` at the edges of all spans. Overlapping spans show the gravest severity and all messages.

    Spans beyond the text are cut to it; findings about the whole text mark nothing.
    """
    spans = []
    for finding in findings:
        if finding.start is None or finding.end is None:
            continue
        start, end = max(0, finding.start), min(len(text), finding.end)
        if start < end:
            spans.append((start, end, finding))
    edges = sorted({0, len(text), *(start for start, _, _ in spans), *(end for _, end, _ in spans)})
    pieces: list[Piece] = []
    for start, end in itertools.pairwise(edges):
        covering = [finding for first, last, finding in spans if first <= start and end <= last]
        severity = max((finding.severity for finding in covering), key=_gravity, default="")
        titles = tuple(finding.message for finding in covering)
        pieces += _plain(text[start:end], severity=severity, titles=titles)
    return pieces


def _gravity(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _plain(text: str, *, severity: str, titles: tuple[str, ...]) -> list[Piece]:
    """Set invisible signs apart, so that the page can show them."""
    pieces, at = [], 0
    for match in INVISIBLE.finditer(text):
        if match.start() > at:
            pieces.append(Piece(text[at : match.start()], severity, titles))
        sign = match.group()
        name = unicodedata.name(sign, "CONTROL CHARACTER")
        pieces.append(Piece(f"U+{ord(sign):04X}", severity, (*titles, name), control=name))
        at = match.end()
    if at < len(text):
        pieces.append(Piece(text[at:], severity, titles))
    return pieces


@dataclass(frozen=True)
class Change:
    """A run of words that a person kept, took out or put in: `same`, `out`, `in`."""

    kind: str
    text: str


def diff(before: str, after: str) -> list[Change]:
    """Return what a person changed, word by word (Chinese sign by sign)."""
    old, new = WORDS.findall(before), WORDS.findall(after)
    if max(len(old), len(new)) > MAX_DIFF_WORDS:
        return [Change("out", before), Change("in", after)]
    changes = []
    for kind, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            changes.append(Change("same", "".join(old[i1:i2])))
            continue
        if i1 < i2:
            changes.append(Change("out", "".join(old[i1:i2])))
        if j1 < j2:
            changes.append(Change("in", "".join(new[j1:j2])))
    return changes


@dataclass(frozen=True)
class ShownFact:
    """A fact of the brief, and whether the text says it in so many words."""

    name: str
    value: str
    is_said: bool = field(default=False)


def facts_in(text: str, facts: Sequence[Mapping[str, Any]]) -> list[ShownFact]:
    """Return the facts a draft was written from, each with whether its value stands in `text` (spaces aside)."""
    said = _squeezed(text)
    return [
        ShownFact(
            str(fact.get("name", "")),
            str(fact.get("value", "")),
            bool(_squeezed(str(fact.get("value", "")))) and _squeezed(str(fact.get("value", ""))) in said,
        )
        for fact in facts
    ]


def _squeezed(text: str) -> str:
    return re.sub(r"[\s\u00a0-]+", "", unicodedata.normalize("NFKC", text)).casefold()
