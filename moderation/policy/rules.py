"""The check that runs the rules of policy packs: terms and patterns, judged in the context they stand in."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from core.hashing import hash_json
from moderation.policy.base import Check, Draft, Hit, Severity
from moderation.policy.folding import Folded, fold
from moderation.policy.packs import Context, Pack, Rule, dump_packs, load_packs

HITS_PER_RULE: Final = 20
# So far around a term its sentence is looked at; keeps a text without full stops linear.
AROUND: Final = 60
_SENTENCE_END: Final = re.compile(r"[。！？!?；;\n]|\.(?=\s|$)")
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
        self.version = f"2+{_hash_of(self.packs)}"
        self._rules = tuple(
            (pack, rule) for pack in self.packs for rule in pack.rules if on is None or pack.valid(rule, on)
        )

    def find(self, draft: Draft) -> list[Hit]:
        """Return what the rules find, in the order of the text.

        A term that a fact or the brand carries too is one step milder and names it as evidence; one that only the
        title carries is never blocked, since the merchant has said it already, but a person still sees it. A term in
        a context that exempts it is shown as info and names the exemption.
        """
        folded = fold(draft.text)
        facts = [(fact.name, fold(fact.value).text) for fact in draft.facts] + [("brand", fold(draft.brand).text)]
        title = fold(draft.title).text
        kind = f"{fold(draft.category).text}\n{title}"
        hits = []
        for pack, rule in self._rules:
            if not _applies(rule, draft, kind):
                continue
            for start, end in islice(_matches(pack, rule, folded.text), HITS_PER_RULE):
                term, severity = folded.text[start:end], rule.severity
                backing = next((name for name, value in facts if term in value), "")
                exemption = _exemption(pack, rule, folded.text, start, end)
                if exemption:
                    severity = Severity.INFO
                elif backing:
                    severity = _MILDER[severity]
                elif severity is Severity.BLOCK and term in title:
                    severity, backing = Severity.WARN, "title"
                hits.append(_hit(pack, rule, folded, (start, end), severity, backing, exemption))
        return sorted(hits, key=lambda hit: (hit.start or 0, hit.end or 0, hit.code))


def _hit(
    pack: Pack, rule: Rule, folded: Folded, span: tuple[int, int], severity: Severity, backing: str, exemption: str
) -> Hit:
    evidence = {
        "term": folded.text[slice(*span)][:100],
        "pack": pack.pack,
        "rule": rule.id,
        "source": "; ".join(f"{source.law} {source.article}".strip() for source in rule.sources)[:400],
        "backed_by": backing,
    }
    message = rule.message
    if exemption:
        evidence["exempted_by"] = exemption
        message = f"{message} ({pack.contexts[exemption].note or exemption})"
    return Hit(rule.code, severity, message, *folded.span(*span), evidence)


def _hash_of(packs: tuple[Pack, ...]) -> str:
    return hash_json(dump_packs(packs))[:8]


def _applies(rule: Rule, draft: Draft, kind: str) -> bool:
    if not rule.speaks(draft.locale) or (rule.channels and draft.channel not in rule.channels):
        return False
    if rule.categories and not any(word in kind for word in rule.categories):
        return False
    return not any(word in kind for word in rule.not_categories)


def _matches(pack: Pack, rule: Rule, text: str) -> Iterator[tuple[int, int]]:
    wanted = [pack.contexts[name] for name in rule.only_if]
    for match in rule.pattern.finditer(text):
        if match["hit"] and (not wanted or any(_fits(context, text, *match.span("hit")) for context in wanted)):
            yield match.span("hit")


def _exemption(pack: Pack, rule: Rule, text: str, start: int, end: int) -> str:
    return next((name for name in rule.not_if if _fits(pack.contexts[name], text, start, end)), "")


def _fits(context: Context, text: str, start: int, end: int) -> bool:
    before = _SENTENCE_END.split(text[max(0, start - AROUND) : start])[-1]
    after = _SENTENCE_END.split(text[end : end + AROUND], maxsplit=1)[0]
    return context.fits(before, text[start:end], after)
