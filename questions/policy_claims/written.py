"""The sentences that the first judge of claims learnt, from the packs and from this folder; needs no database."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from core import label_sets
from core.exceptions import PermanentError
from labeling.examples import Example
from moderation.policy.base import Severity
from moderation.policy.claim_kinds import KINDS, kind_of, kinds_by_rule
from moderation.policy.packs import Example as PackExample
from moderation.policy.packs import Rule, load_packs
from moderation.policy.rules import PolicyRulesCheck

FOLDER = Path(__file__).parent
# Locale → the sentences written for this project: claims, and harmless ones that look like them.
FILES = {"en": "english.tsv", "zh-Hans": "chinese.tsv"}


def written() -> Iterator[Example]:
    """Yield what the first model learnt, as labels that a file states: learnt from always, tested on as long as people
    have said too little.
    """
    for locale, text, label in first_sentences():
        name = hashlib.sha256(text.encode()).hexdigest()[:16]
        subject = f"questions.policy_claims:{name}"
        yield Example(subject, group=name, locale=locale, fields={"text": text, "label": label}, is_stated=True)


@lru_cache
def first_sentences() -> tuple[tuple[str, str, str], ...]:
    """Return the sentences of the first model: (locale, text, label), those of this folder and the packs' examples.

    Raises `PermanentError` for a line without a kind that there is.
    """
    found = {text: (locale, text, label) for locale, text, label in of_packs()}
    found |= {text: (locale, text, label) for locale, text, label in of_this_folder()}
    return tuple(found.values())


def of_this_folder() -> Iterator[tuple[str, str, str]]:
    """Yield locale, text and label of each sentence of the files of this folder. Raises as `first_sentences`."""
    for locale, name in FILES.items():
        for number, line in enumerate((FOLDER / name).read_text(encoding="utf-8").splitlines(), 1):
            label, _, text = line.partition("\t")
            if not text or label != label_sets.join(label_sets.split(label), tuple(KINDS)):
                raise PermanentError(f"{name}, line {number}: it is no label, a tab and a sentence.")
            yield locale, text, label


def of_packs() -> Iterator[tuple[str, str, str]]:
    """Yield locale, text and label of the bad and good examples of the packs' rules that are about a claim.

    A bad one makes the claims of every rule that finds something in it. A good one makes none, unless it is good by
    what its product is or proves, or another rule finds something: such a one says nothing.
    """
    packs = load_packs()
    check = PolicyRulesCheck(packs)
    for rule, name in [(rule, f"{pack.pack}.{rule.id}") for pack in packs for rule in pack.rules]:
        kind = kinds_by_rule().get(name, "")
        for example in rule.bad if kind else ():
            yield _line(example, rule, {kind, *_found(check, example, rule)})
        for example in rule.good:
            if _is_good_by_its_words(example) and not _found(check, example, rule):
                yield _line(example, rule, set())


def _is_good_by_its_words(example: PackExample) -> bool:
    return not (example.facts or example.category or example.brand or example.title)


def _found(check: PolicyRulesCheck, example: PackExample, rule: Rule) -> set[str]:
    hits = check.find(example.draft(_locale(rule)))
    return {kind for hit in hits if hit.severity != Severity.INFO and (kind := kind_of(hit.evidence))}


def _line(example: PackExample, rule: Rule, kinds: set[str]) -> tuple[str, str, str]:
    return example.locale or _locale(rule), example.text, label_sets.join(kinds, tuple(KINDS))


def _locale(rule: Rule) -> str:
    return "zh-Hans" if rule.locales[0].startswith("zh") else "en"
