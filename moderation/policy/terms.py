"""Prohibited and risky terms, from reviewed data files: each rule says what, in which language, how grave and why."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

from core.exceptions import PermanentError
from moderation.policy.base import Check, Draft, Hit, Severity
from moderation.policy.folding import fold
from moderation.policy.literals import literals

RULES_FOLDER: Final = Path(__file__).parent / "terms"
HITS_PER_RULE: Final = 20
_KEYS: Final = {"code", "language", "severity", "message", "source", "terms", "patterns", "unless"}


@dataclass(frozen=True)
class Rule:
    """One rule of a file. `terms` are literal words, `patterns` regular expressions, both matched on folded text.

    `unless` lists longer wordings in which the match is innocent (最近 is no superlative).
    """

    code: str
    language: str
    severity: Severity
    message: str
    source: str
    terms: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Return the rule as one expression. Innocent wordings come first and are told by the missing group `hit`."""
        parts = []
        if self.unless:
            parts.append(literals(self.unless))
        wanted = [*self.patterns]
        if self.terms:
            wanted.insert(0, literals(self.terms))
        parts.append(f"(?P<hit>{'|'.join(wanted)})")
        return re.compile("|".join(parts), re.M)


class ProhibitedTermsCheck(Check):
    """Terms that the law or the house forbids, or wants a person to judge.

    Absolute terms route to a person, who sees the rule and its source: SAMR's 2023 guideline on absolute terms asks
    for a judgement in context and speaks against mechanical bans.
    """

    name = "prohibited_terms"

    def __init__(self) -> None:
        self.version = f"1+{rules_hash()}"

    def find(self, draft: Draft) -> list[Hit]:
        """Return the terms found, in the order of the text.

        A term that a fact or the brand carries too is one step milder and names it as evidence; one that only the
        title carries is never blocked, since the merchant has said it already, but a person still sees it.
        """
        folded = fold(draft.text)
        facts = [(fact.name, fold(fact.value).text) for fact in draft.facts] + [("brand", fold(draft.brand).text)]
        title = fold(draft.title).text
        hits = []
        for rule in rules_for(draft.locale):
            for start, end in islice(_matches(rule, folded.text), HITS_PER_RULE):
                term = folded.text[start:end]
                severity, backing = rule.severity, next((name for name, value in facts if term in value), "")
                if backing:
                    severity = _MILDER[severity]
                elif severity is Severity.BLOCK and term in title:
                    severity, backing = Severity.WARN, "title"
                evidence = {"term": term[:100], "source": rule.source, "backed_by": backing}
                hits.append(Hit(rule.code, severity, rule.message, *folded.span(start, end), evidence))
        return sorted(hits, key=lambda hit: (hit.start or 0, hit.end or 0, hit.code))


_MILDER: Final = {Severity.BLOCK: Severity.WARN, Severity.WARN: Severity.INFO, Severity.INFO: Severity.INFO}


@lru_cache
def load_rules(folder: Path = RULES_FOLDER) -> tuple[Rule, ...]:
    """Return the rules of every TOML file in `folder`. Raises `PermanentError` naming the file and the mistake."""
    return tuple(rule for path in sorted(folder.glob("*.toml")) for rule in _read(path))


@lru_cache
def rules_for(locale: str) -> tuple[Rule, ...]:
    """Return the rules for a locale: those of its language and those for any."""
    language = locale.split("-")[0].lower()
    return tuple(rule for rule in load_rules() if rule.language in (language, "any"))


@lru_cache
def rules_hash() -> str:
    """Return a short hash of all rules; part of the check's version, so an edited file is a new version."""
    return hashlib.sha256(repr(load_rules()).encode()).hexdigest()[:8]


def _read(path: Path) -> Iterator[Rule]:
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        for number, entry in enumerate(document["rule"], start=1):
            if unknown := entry.keys() - _KEYS:
                raise ValueError(f"rule {number}: unknown key {', '.join(sorted(unknown))}")
            lists = {key: tuple(entry.get(key, ())) for key in ("terms", "patterns", "unless")}
            rule = Rule(
                entry["code"],
                entry["language"],
                Severity(entry["severity"]),
                entry["message"],
                entry["source"],
                **lists,
            )
            if rule.pattern.match(""):
                raise ValueError(f"rule {number} ({rule.code}) matches the empty text")
            yield rule
    except (KeyError, ValueError, re.error) as exc:
        raise PermanentError(
            f"{path.name} is no rule file: {exc}.", hint="CONTRIBUTING says how a rule is written."
        ) from exc


def _matches(rule: Rule, text: str) -> Iterator[tuple[int, int]]:
    for match in rule.pattern.finditer(text):
        if match["hit"]:
            yield match.span("hit")
