"""One error is one finding: what several checks say of the same words and fact is said once, by the gravest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from moderation.policy.base import CheckResult, Hit, Severity

_GRAVITY: Final = {Severity.BLOCK: 0, Severity.WARN: 1, Severity.INFO: 2}
# How the codes of findings about facts begin, what contradicts a fact first: that says more than that none backs it.
CONTRADICTED: Final = ("contradicted_", "excluded_by_fact")
_ABOUT_FACTS: Final = (*CONTRADICTED, "unsupported_", "unproven_")


def is_contradicted(code: str) -> bool:
    """Whether a finding of this code says that a fact says otherwise, beyond that none says so."""
    return code.startswith(CONTRADICTED)


def merged(results: Sequence[CheckResult]) -> list[CheckResult]:
    """Return `results` with one hit for each error about a fact; `also` in its evidence names what else found it.

    Two hits are the same error when their spans overlap and they name the same fact, or one of them names none. Kept is
    the gravest; of equals what contradicts a fact, then what names one, then what a check before found. Other hits stay
    as they are: that a word is prohibited is another matter than that no fact backs it.
    """
    about = [(check, hit) for check, result in enumerate(results) for hit in result.hits if _is_about_fact(hit)]
    about.sort(key=lambda pair: (*_rank(pair[1]), pair[0]))
    kept: list[tuple[int, Hit]] = []
    also: dict[int, list[str]] = {}
    dropped: set[int] = set()
    for check, hit in about:
        same = next((index for index, (_, other) in enumerate(kept) if _is_same(hit, other)), None)
        if same is None:
            kept.append((check, hit))
            continue
        dropped.add(id(hit))
        also.setdefault(id(kept[same][1]), []).append(f"{results[check].check_name}:{hit.code}")
    return [
        replace(result, hits=tuple(_noted(hit, also.get(id(hit))) for hit in result.hits if id(hit) not in dropped))
        for result in results
    ]


def _is_about_fact(hit: Hit) -> bool:
    return hit.start is not None and hit.end is not None and hit.start < hit.end and hit.code.startswith(_ABOUT_FACTS)


def _rank(hit: Hit) -> tuple[int, bool, bool]:
    return _GRAVITY[hit.severity], not is_contradicted(hit.code), not _fact_of(hit)


def _fact_of(hit: Hit) -> str:
    """The fact a hit names, as `name: value`; empty where it names none."""
    said = hit.evidence.get("fact") or hit.evidence.get("nearest_fact") or ""
    return " ".join(str(said).casefold().split())


def _is_same(one: Hit, other: Hit) -> bool:
    if (one.start or 0) >= (other.end or 0) or (other.start or 0) >= (one.end or 0):
        return False
    first, second = _fact_of(one), _fact_of(other)
    # What is quoted is cut to length.
    return not first or not second or first.startswith(second) or second.startswith(first)


def _noted(hit: Hit, others: list[str] | None) -> Hit:
    return replace(hit, evidence={**hit.evidence, "also": sorted(set(others))}) if others else hit
