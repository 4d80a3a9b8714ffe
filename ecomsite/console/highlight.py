"""Show generated text as untrusted: in plain pieces that a template escapes, with what was found in it."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.admin import INVISIBLE

SEVERITIES = ("info", "warn", "block")  # rising


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


_LEAST_SAID = {True: 3, False: 1}  # letters; one Chinese sign can be a word


@dataclass(frozen=True)
class ShownFact:
    """A fact of the brief: whether the text says it in so many words or makes a claim of it,
    and whether it is proven.
    """

    name: str
    value: str
    is_said: bool = field(default=False)
    is_proven: bool = field(default=False)


def facts_in(
    text: str,
    facts: Sequence[Mapping[str, Any]],
    *,
    backing: Collection[str] = (),
    proven: Collection[str] = (),
) -> list[ShownFact]:
    """Return the facts a draft was written from, each with whether its value stands in `text` (spaces aside).

    `backing` are the names of facts that back a claim of the text, `proven` those with a proof attached.
    """
    said, shown = _squeezed(text), []
    for fact in facts:
        name, value = str(fact.get("name", "")), str(fact.get("value", ""))
        # "no" stands in many a word; so short a value is said only where a claim rests on it.
        is_said = name in backing or (
            len(_squeezed(value)) >= _LEAST_SAID[value.isascii()] and _squeezed(value) in said
        )
        shown.append(ShownFact(name, value, is_said, name in proven))
    return shown


def _squeezed(text: str) -> str:
    return re.sub(r"[\s\u00a0-]+", "", unicodedata.normalize("NFKC", text)).casefold()
