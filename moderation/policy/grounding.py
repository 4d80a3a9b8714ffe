"""No claim without a fact: every claim of a draft is linked to the fact that backs it, or reported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from moderation.policy.base import MAX_EXAMINED, Check, Draft, Hit, Severity
from moderation.policy.claims import Claim
from moderation.policy.evidence import Evidence
from moderation.policy.fixups import MOST, Fixup, apply_fixups, fixup_of
from moderation.policy.folding import Folded, fold
from moderation.policy.name_claims import name_claims
from moderation.policy.number_claims import number_claims
from moderation.policy.part_claims import part_claims
from moderation.policy.statement_claims import statement_claims
from moderation.policy.text import Text
from moderation.policy.word_claims import word_claims
from moderation.policy.words import words_of


class GroundingCheck(Check):
    """Claims that no fact backs, of whatever kind; a person confirms or dismisses each."""

    name = "grounding"
    version = "4"

    def find(self, draft: Draft) -> list[Hit]:
        """Return a hit for each claim without a fact behind it, and for each "first" that a proof stands behind."""
        evidence = Evidence(draft)
        found = _claims(draft, evidence)
        fixups = _fixups(draft, found, evidence)
        return [_hit(claim, fixups.get(index)) for index, claim in enumerate(found) if _is_told(claim)]


def _is_told(claim: Claim) -> bool:
    return bool(claim.code) or claim.kind == "first or only"


def _fixups(draft: Draft, found: Sequence[Claim], evidence: Evidence) -> dict[int, Fixup]:
    """Return what mends the claims that somebody is asked about, by their place in `found`.

    They were tried, all together or else one by one: with them there are fewer such claims. A text with many faults, or
    of which nothing would be left, is written anew, not mended.
    """
    asked = [index for index, claim in enumerate(found) if claim.code and claim.severity != Severity.INFO]
    if len(asked) > MOST or len(draft.text) > MAX_EXAMINED:
        return {}
    drawn = {index: fixup for index in asked if (fixup := fixup_of(found[index], draft.text))}
    if not any(char.isalnum() for char in apply_fixups(draft.text, drawn.values())):
        return {}
    if drawn and _n_asked(draft, drawn.values(), evidence) == len(asked) - len(drawn):
        return drawn
    return {index: fixup for index, fixup in drawn.items() if _n_asked(draft, [fixup], evidence) < len(asked)}


def _n_asked(draft: Draft, fixups: Iterable[Fixup], evidence: Evidence) -> int:
    """Return how many claims somebody would be asked about, were `fixups` made."""
    mended = replace(draft, text=apply_fixups(draft.text, fixups))
    return sum(bool(claim.code) and claim.severity != Severity.INFO for claim in _claims(mended, evidence))


def _hit(claim: Claim, fixup: Fixup | None) -> Hit:
    evidence: dict[str, Any] = {"claim": claim.text[:200], "kind": claim.kind, "nearest_fact": claim.nearest[:200]}
    if claim.attribute:
        evidence["attribute"] = claim.attribute
    if claim.attribute_at:
        evidence["attribute_at"] = list(claim.attribute_at)
    if fixup:
        evidence["fixup"] = fixup.as_evidence
    if not claim.code:
        message = f"“{claim.text[:80]}”: the fact {claim.fact} says so, and a proof is attached to it."
        return Hit("proven_claim", Severity.INFO, message, claim.start, claim.end, evidence)
    return Hit(claim.code, claim.severity, _message(claim), claim.start, claim.end, evidence)


def claims(draft: Draft) -> list[Claim]:
    """Return every claim of `draft` in the order of the text, with the fact that backs it or what is wrong with it."""
    return _claims(draft, Evidence(draft))


def _claims(draft: Draft, evidence: Evidence) -> list[Claim]:
    """Return the claims of `draft` by what its product is known to be, which no change of the text changes."""
    said = draft.said if len(draft.text) <= MAX_EXAMINED else Text(draft.text[:MAX_EXAMINED])
    text = said.raw
    parts = list(part_claims(said, evidence))
    others = [*word_claims(said, evidence), *statement_claims(said, evidence), *name_claims(text, evidence)]
    # What a fact about the whole backs may be wrong of the part that the sentence speaks of.
    spans = [(claim.start, claim.end) for claim in parts]
    phrases = [
        *parts,
        *(one for one in others if not any(start < one.end and one.start < end for start, end in spans)),
    ]
    # The 9001 in "ISO 9001" and the 3 in "3 out of 5" are no numbers of their own.
    covered = bytearray(len(text))
    for claim in phrases:
        covered[claim.start : claim.end] = b"\1" * (claim.end - claim.start)
    numbers = [claim for claim in number_claims(text, evidence) if not all(covered[claim.start : claim.end])]
    names = _name_spans(said.folded, draft)
    found = [_own_name(claim, names) for claim in _one_for_each_span([*phrases, *numbers])]
    return sorted(found, key=lambda claim: (claim.start, claim.end, claim.kind))


def _one_for_each_span(found: Sequence[Claim]) -> list[Claim]:
    """Of several claims on one span keep one: 蕾丝 is a material and a pattern; a fact that backs either is enough."""
    kept: dict[tuple[int, int], Claim] = {}
    for claim in found:
        span = (claim.start, claim.end)
        if span not in kept or (kept[span].code and not claim.code):
            kept[span] = claim
    return list(kept.values())


def grounding_score(draft: Draft) -> float:
    """Return how well the facts back `draft`, in [0, 1]; it ranks the drafts of one request.

    score = p * (0.5 + 0.35 * r + 0.15 * t), where p = ((b + 1) / (c + 1))² for b backed of c claims (1 without
    claims, so saying nothing false is not punished), r = share of the facts the text mentions, out of as many as the
    channel has room for (4 in a description, 2 in a recommendation line, 1 in a slogan), t = 1 where the brand stands
    in the text, else the share of the title's words that do. It falls with each unbacked claim and rises with each
    fact mentioned.
    """
    if not draft.text.strip():
        return 0.0
    made = claims(draft)
    backed = sum(1 for claim in made if claim.fact is not None)
    precision = ((backed + 1) / (len(made) + 1)) ** 2
    return precision * (0.5 + 0.35 * _recall(draft, made) + 0.15 * _names_product(draft))


_ROOM: Final = {"description": 4, "recommendation": 2, "ad_slogan": 1}


def _recall(draft: Draft, made: Sequence[Claim]) -> float:
    if not draft.facts:
        return 1.0
    said = set(draft.said.words.words)
    linked = {claim.fact for claim in made}
    mentioned = sum(1 for fact in draft.facts if fact.name in linked or _shares_words(fact.value, said))
    return min(1.0, mentioned / min(len(draft.facts), _ROOM.get(draft.channel, 4)))


def _shares_words(value: str, said: set[str]) -> bool:
    words = {word for word in words_of(value).words if word.isalpha()}
    return bool(words) and 2 * len(words & said) > len(words)


def _names_product(draft: Draft) -> float:
    if draft.brand and fold(draft.brand).text in draft.said.folded.text:
        return 1.0
    title = set(words_of(draft.title).words)
    return len(title & set(draft.said.words.words)) / len(title) if title else 0.0


# --- The product's own name is no claim ---------------------------------------------------------------------------
def _name_spans(folded: Folded, draft: Draft) -> list[tuple[int, int]]:
    spans = []
    for name in {fold(draft.title).text.strip(), fold(draft.brand).text.strip()} - {""}:
        at = folded.text.find(name)
        while at >= 0:
            spans.append(folded.span(at, at + len(name)))
            at = folded.text.find(name, at + len(name))
    return spans


def _own_name(claim: Claim, names: Sequence[tuple[int, int]]) -> Claim:
    if claim.code and any(start <= claim.start and claim.end <= end for start, end in names):
        return claim.backed_by("title")
    return claim


_MESSAGES: Final = {
    "unsupported_unit": "The facts have this number with another unit than “{}”.",
    "contradicted_material": "The facts name another material than “{}”.",
    "contradicted_attribute": "The facts say something else than “{}”.",
    "contradicted_yes_no": "The facts say the opposite of “{}”.",
    "contradicted_origin": "The facts name another origin than “{}”.",
    "unsupported_name": "No fact knows the name “{}”.",
    "unsupported_comparison": "No fact backs the comparison “{}”.",
    "unsupported_first": "“{}”: no fact says so, and it needs a proof.",
    "unproven_claim": "“{}”: a fact says so, but no proof is attached to it.",
}


def _message(claim: Claim) -> str:
    said = _MESSAGES.get(claim.code, "No fact says “{}”.").format(claim.text[:80])
    return f"{said} Nearest: {claim.nearest[:200]}" if claim.nearest else said
