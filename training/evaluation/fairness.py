"""Texts that name a group of people: how often a model is wrong, and whether that hangs on the group. Pure.

A counterfactual swap puts another group's word where one stands (Garg, S. et al. 2019, AIES): about the same text the
same should be said. The terms are data, `identity_terms.json`, in English and Chinese; a term is no proof of whom a
text is about.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from training.evaluation.perturbations import Changed

TERMS = Path(__file__).with_name("identity_terms.json")
SWAPPED = "swapped identity terms"
# Texts that are swapped, each into every other group of its family.
MOST = 100
_CHINESE = re.compile(r"[\u3400-\u9fff]")


@functools.cache
def terms() -> Mapping[str, tuple[str, str, int]]:
    """Return each term with its family, its group and its place among the terms of the group."""
    families = json.loads(TERMS.read_text(encoding="utf-8"))
    return {
        term: (family, group, place)
        for language in ("en", "zh")
        for family, groups in families[language].items()
        for group, words in groups.items()
        for place, term in enumerate(words)
    }


@functools.cache
def _pattern() -> re.Pattern[str]:
    known = sorted(terms(), key=len, reverse=True)
    return re.compile(
        "|".join(re.escape(term) if _CHINESE.search(term) else rf"\b{re.escape(term)}\b" for term in known),
        re.IGNORECASE,
    )


def groups_in(text: str) -> set[str]:
    """Return the groups that `text` names, as `family: group`."""
    found = (terms()[match.group().lower()] for match in _pattern().finditer(text))
    return {f"{family}: {group}" for family, group, _ in found}


def swaps(texts: Sequence[str], *, most: int = MOST) -> Changed:
    """Return the first `most` of `texts` that name groups, with each family's terms swapped for another group's,
    once a group.
    """
    rows, changed = list[int](), list[str]()
    for row, text in enumerate(texts):
        named = {terms()[match.group().lower()][:2] for match in _pattern().finditer(text)}
        if named and len(set(rows)) < most:
            for family, group in sorted(_others(named)):
                if (other := _swapped(text, family, group)) != text:  # a group may have no term in this language
                    rows.append(row)
                    changed.append(other)
    return Changed(SWAPPED, rows, changed)


def _others(named: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the groups of the families in `named` that are not named themselves."""
    families = {family for family, _ in named}
    return {(family, group) for family, group, _ in terms().values() if family in families} - named


def _swapped(text: str, family: str, group: str) -> str:
    def other(match: re.Match[str]) -> str:
        of, _, place = terms()[match.group().lower()]
        if of != family:
            return match.group()
        is_chinese = bool(_CHINESE.search(match.group()))
        words = [
            term
            for term, (its, whose, _) in terms().items()
            if (its, whose) == (family, group) and bool(_CHINESE.search(term)) == is_chinese
        ]
        return words[min(place, len(words) - 1)] if words else match.group()

    return _pattern().sub(other, text)
