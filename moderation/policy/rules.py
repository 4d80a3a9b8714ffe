"""The check that runs the rules of policy packs: terms and patterns, judged in the context they stand in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Final

from core.hashing import hash_json
from moderation.policy.base import Check, Draft, Hit, Severity
from moderation.policy.folding import Folded, fold
from moderation.policy.packs import Context, Pack, Rule, dump_packs, load_packs
from moderation.policy.stance import NOTES, SENTENCE_END, why_no_claim
from moderation.policy.together import stand_together

HITS_PER_RULE: Final = 20
# So far around a term its sentence is looked at; keeps a text without full stops linear.
AROUND: Final = 60
_GRAVITY: Final = {Severity.INFO: 0, Severity.WARN: 1, Severity.BLOCK: 2}
_MILDER: Final = {Severity.BLOCK: Severity.WARN, Severity.WARN: Severity.INFO, Severity.INFO: Severity.INFO}


class PolicyRulesCheck(Check):
    """What the law or the house forbids, or wants a person to judge.

    Absolute terms route to a person, who sees the rule and its source: SAMR's 2023 guideline on absolute terms asks
    for a judgement in context and speaks against mechanical bans.
    """

    name = "policy_rules"

    def __init__(self, packs: Sequence[Pack] | None = None, *, on: dt.date | None = None) -> None:
        """Take the rules of `packs` (default: of the files) that are in force `on` a date (default: all of them)."""
        self.packs = tuple(load_packs() if packs is None else packs)
        self.version = f"3+{_hash_of(self.packs)}"
        self._rules = tuple(
            (pack, rule) for pack in self.packs for rule in pack.rules if on is None or pack.valid(rule, on)
        )

    def find(self, draft: Draft) -> list[Hit]:
        """Return what the rules find, in the order of the text.

        A term that a fact or the brand carries too is one step milder and names it as evidence; one that only the
        title carries is never blocked, since the merchant has said it already, but a person still sees it. A term that
        the sentence denies, quotes or tells of, or in a context that exempts it, is shown as info and names why.
        """
        own = [(name, text.folded.text) for name, text in draft.own]
        kind = f"{fold(draft.category).text}\n{own[-1][1]}"
        hits: list[Hit] = []
        for pack, rule in self._rules:
            if _applies(rule, draft, kind):
                hits += islice(_hits(pack, rule, draft, own), HITS_PER_RULE)
        return sorted(_one_for_each(hits), key=lambda hit: (hit.start or 0, hit.end or 0, hit.code))


def _one_for_each(hits: Sequence[Hit]) -> Iterator[Hit]:
    """Yield the gravest of the hits of one code that overlap: several rules may see one mistake."""
    gravest: Hit | None = None
    reach = 0
    for hit in sorted(hits, key=lambda hit: (hit.code, hit.start or 0, hit.end or 0)):
        if gravest and (hit.code != gravest.code or (hit.start or 0) >= reach):
            yield gravest
            gravest, reach = None, 0
        gravest = hit if gravest is None or _GRAVITY[hit.severity] > _GRAVITY[gravest.severity] else gravest
        reach = max(reach, hit.end or 0)
    if gravest:
        yield gravest


def _hits(pack: Pack, rule: Rule, draft: Draft, own: Sequence[tuple[str, str]]) -> Iterator[Hit]:
    seen: list[tuple[int, int]] = []
    for reading in draft.said.readings:
        for start, end, last in chain(_matches(pack, rule, reading), _together(pack, rule, reading)):
            span = reading.span(start, end)
            # The second reading has mostly what the first has, and words together often what a pattern says.
            if any(span[0] < last and first < span[1] for first, last in seen):
                continue
            seen.append(span)
            yield _judged(pack, rule, reading, (start, end, last), own, is_disguised=reading is not draft.said.folded)


def _judged(
    pack: Pack,
    rule: Rule,
    reading: Folded,
    at: tuple[int, int, int],
    own: Sequence[tuple[str, str]],
    *,
    is_disguised: bool,
) -> Hit:
    """Return the hit, as grave as it is in its sentence and beside what the product says of itself."""
    start, end, last = at
    term, severity = reading.text[start:end], rule.severity
    *facts, (_, title) = own
    backing = next((name for name, value in facts if term in value), "")
    said = [value for _, value in own]
    places = (start, last) if rule.together else (start,)
    reasons = (why_no_claim(reading.text, place, end, said, nonetheless=rule.counts_if) for place in places)
    exemption = next(filter(None, reasons), "") or _exemption(pack, rule, reading.text, start, end)
    if exemption:
        severity = Severity.INFO
    elif backing:
        severity = _MILDER[severity]
    elif severity is Severity.BLOCK and term in title:
        severity, backing = Severity.WARN, "title"
    evidence = {
        "term": term[:100],
        "pack": pack.pack,
        "rule": rule.id,
        "source": "; ".join(f"{source.law} {source.article}".strip() for source in rule.sources)[:400],
        "backed_by": backing,
    }
    message = rule.message
    if exemption:
        evidence["exempted_by"] = exemption
        note = pack.contexts[exemption].note if exemption in pack.contexts else NOTES[exemption]
        message = f"{message} ({note or exemption})"
    if is_disguised:
        evidence["disguised"] = "yes"
    return Hit(rule.code, severity, message, *reading.span(start, end), evidence)


def _hash_of(packs: tuple[Pack, ...]) -> str:
    return hash_json(dump_packs(packs))[:8]


def _applies(rule: Rule, draft: Draft, kind: str) -> bool:
    if not rule.speaks(draft.locale) or (rule.channels and draft.channel not in rule.channels):
        return False
    if rule.categories and not any(word in kind for word in rule.categories):
        return False
    return not any(word in kind for word in rule.not_categories)


def _matches(pack: Pack, rule: Rule, reading: Folded) -> Iterator[tuple[int, int, int]]:
    wanted = [pack.contexts[name] for name in rule.only_if]
    for match in rule.pattern.finditer(reading.text):
        if not match["hit"]:
            continue
        start, end = match.span("hit")
        if match["term"] is not None and reading.is_cut_out(start, end):
            continue
        if not wanted or any(_fits(context, reading.text, start, end) for context in wanted):
            yield start, end, start


def _together(pack: Pack, rule: Rule, reading: Folded) -> Iterator[tuple[int, int, int]]:
    if rule.together:
        for spans in stand_together(reading, [pack.lists[name] for name in rule.together]):
            yield min(start for start, _ in spans), max(end for _, end in spans), max(start for start, _ in spans)


def _exemption(pack: Pack, rule: Rule, text: str, start: int, end: int) -> str:
    return next((name for name in rule.not_if if _fits(pack.contexts[name], text, start, end)), "")


def _fits(context: Context, text: str, start: int, end: int) -> bool:
    before = SENTENCE_END.split(text[max(0, start - AROUND) : start])[-1]
    after = SENTENCE_END.split(text[end : end + AROUND], maxsplit=1)[0]
    return context.fits(before, text[start:end], after)
