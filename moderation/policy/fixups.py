"""Mend what a claim gets wrong: by the value that the fact has, or by cutting the clause. A person takes it or not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from moderation.policy.claims import Claim

# Beyond that a text is written anew, not mended.
MOST: Final = 12
LONGEST_VALUE: Final = 40
_NUMBER: Final = re.compile(r"[-−]?\d[\d.,]*(?: \d{1,2}/\d{1,2})?|[½¼¾⅓⅔⅛⅜⅝⅞]")
_UNIT: Final = re.compile(r"[\s-]*(?P<unit>[^\d\s.,-][^\d]*)$")
_SEVERAL: Final = re.compile(r"[,，、;；/|\n]|\band\b|\bor\b|和|或")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_SENTENCE_END: Final = re.compile(r"[.!?](?=\s|$)['\"”’)]?\s*|[。！？]|\s*[|\n]\s*")
_CLAUSE_END: Final = re.compile(r"[,;]\s+(?:and |but |or )?|\s+and (?=[a-z]+s\b|an? |has |with |at )|[，；]")

# One of several things in a row, up to where the next one or the end of the sentence stands.
_JOINED: Final = re.compile(r"(?:,? (?:and|or) |, |、|以及|[和与或])$")
_NEXT: Final = re.compile(r"\s*(?:[.!?。！？,，、]|(?:and|or)\b|[和与或]|以及|$)")


@dataclass(frozen=True)
class Fixup:
    """One change that mends a claim: text[start:end] becomes `text`; an empty `text` cuts it."""

    start: int
    end: int
    text: str

    @property
    def span(self) -> str:
        """Return its place as templates cut a text: "6:11"."""
        return f"{self.start}:{self.end}"

    @property
    def as_evidence(self) -> dict[str, Any]:
        """Return it as JSON, for the evidence of a finding."""
        return asdict(self)


def read_fixup(evidence: Mapping[str, Any]) -> Fixup | None:
    """Return the fix-up that the evidence of a finding holds, None where it holds none that can be read."""
    found = evidence.get("fixup")
    if not isinstance(found, Mapping):
        return None
    start, end, text = found.get("start"), found.get("end"), found.get("text")
    if isinstance(start, int) and isinstance(end, int) and isinstance(text, str) and 0 <= start < end:
        return Fixup(start, end, text)
    return None


def fixup_of(claim: Claim, text: str) -> Fixup | None:
    """Return what would mend `claim` in `text`; None where nothing would be left of it."""
    if (value := _value_instead(claim)) and value != claim.text:
        return Fixup(claim.start, claim.end, value)
    joined = (
        None if claim.kind in ("number", "quantity") else _JOINED.search(text, max(0, claim.start - 6), claim.start)
    )
    if joined and _NEXT.match(text, claim.end):
        return Fixup(joined.start(), claim.end, "")
    start, end = _clause(text, claim.start, claim.end)
    return Fixup(start, end, "") if text[:start].strip() or text[end:].strip() else None


def apply_fixups(text: str, fixups: Iterable[Fixup]) -> str:
    """Return `text` with the fix-ups made; of two that overlap the one that begins first, of these the longer one."""
    pieces, position = [], 0
    for fixup in sorted(fixups, key=lambda item: (item.start, -item.end)):
        if position <= fixup.start < fixup.end <= len(text):
            pieces += [text[position : fixup.start], fixup.text]
            position = fixup.end
    return "".join((*pieces, text[position:])).strip()


def _value_instead(claim: Claim) -> str:
    """Return what stands in the fact in the place of the claim, as the claim writes it: 20-inch for 30-inch."""
    instead = claim.instead.strip()
    if not instead or len(instead) > LONGEST_VALUE or _SEVERAL.search(instead):
        return ""
    if claim.kind not in ("number", "quantity"):
        return instead if bool(_HAN.search(instead)) == bool(_HAN.search(claim.text)) else ""
    said, stated = _NUMBER.match(claim.text), _NUMBER.match(instead)
    if said is None or stated is None:
        return instead
    units = [_UNIT.search(whole[match.end() :]) for whole, match in ((claim.text, said), (instead, stated))]
    if claim.has_unit_of_fact or units[1] is None:
        return stated[0] + claim.text[said.end() :]  # the same unit, in the words of the copy
    return instead


def _clause(text: str, start: int, end: int) -> tuple[int, int]:
    """Return what to cut so that start:end is gone: its clause, or the sentence where the rest leans on it."""
    left, right = 0, len(text)
    for border in _SENTENCE_END.finditer(text):
        if border.end() <= start:
            left = border.end()
        elif border.start() >= end:
            right = border.end()
            break
    borders = list(_CLAUSE_END.finditer(text, left, right))
    before = [border for border in borders if border.end() <= start]
    after = [border for border in borders if border.start() >= end]
    if before and (after or right >= end):
        # ", which is 30 cm wide," goes with the comma in front of it; the end of the sentence stays.
        return before[-1].start(), after[0].start() if after else _without_end(text, end, right)
    if after and _HAN.search(text[left:right]):
        return left, after[0].end()
    return left, right


def _without_end(text: str, end: int, right: int) -> int:
    closing = _SENTENCE_END.search(text, end, right)
    return closing.start() if closing else right
