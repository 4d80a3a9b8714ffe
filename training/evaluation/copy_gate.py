"""Whether a new copywriter may take over: rules on what was measured of its texts and the champion's. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from training.evaluation import copy_metrics
from training.evaluation.copy_metrics import Floats, interval
from training.evaluation.gate import FAIL, INCONCLUSIVE, PASS, Verdict, worst

GATE_VERSION = "copy-3"
# Said beside the findings; it decides nothing.
NOTE = "note"
# Name of a figure → value, low and high of the paired difference.
Gaps = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Rules:
    """`min_products`: with fewer nothing is told. `max_blocked`: where there is no champion to be compared with.

    `min_slice`: products of a language, channel or category that is judged apart, and products with a text that a
    person wrote, from which on the distance to such texts is judged.
    """

    min_products: int = 30
    min_slice: int = 15
    max_blocked: float = 0.05


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured of n texts by one model, (n,) each. Of two models that are compared, text i answers one prompt.

    `edit_distance`: to the text that a person wrote; NaN where none did.
    """

    products: Sequence[str]
    unsupported_claims: Floats
    blocked: Floats
    edit_distance: Floats


def judge(
    new: Measured | None,
    old: Measured | None,
    *,
    rules: Rules,
    groups: Mapping[str, Sequence[str]] | None = None,
    facts: Mapping[str, bool] | None = None,
) -> Verdict:
    """Return whether the model that wrote `new` (None: it wrote nothing) may replace the one that wrote `old` (None:
    there is none).

    It has to make fewer claims that no fact backs, beyond chance; to be blocked no more often; and not to be further
    from what people wrote, beyond chance. Beyond chance: the 95 % interval of the paired difference, products drawn
    again, does not hold zero. Too few texts of people to tell is a note and decides nothing: where drafts are let out
    as they are, people have nothing to add, and a model with fewer claims may still take over. In no slice (`groups`:
    name → value of each text) may it make more such claims, beyond chance at 95 % for all slices together. `facts` are
    conditions that hold or do not.
    """
    findings = [(PASS if holds else FAIL, words) for words, holds in (facts or {}).items()]
    n = len(set(new.products)) if new else 0
    if new is None or n < rules.min_products:
        findings.append((INCONCLUSIVE, f"{n} products are too few to tell: {rules.min_products} are needed"))
    elif old is None:
        share = float(new.blocked.mean())
        words = (
            f"{share:.1%} of its texts are blocked, at most {rules.max_blocked:.0%}; there is no champion to "
            "compare with"
        )
        findings.append((PASS if share <= rules.max_blocked else FAIL, words))
    else:
        gaps = differences(new, old)
        findings += [_claims(new, old, gaps), _blocked(new, old, gaps), _distance(new, old, gaps, rules)]
        findings += _by_slice(new, old, groups or {}, rules)
    return worst(findings)


def differences(new: Measured, old: Measured) -> Gaps:
    """Return the paired differences, new less old, with 95 % intervals: below zero the new model is better."""
    names = ("unsupported_claims", "blocked", "edit_distance")
    return {
        name: interval(gap, new.products)
        for name in names
        if not np.isnan(gap := getattr(new, name) - getattr(old, name)).all()
    }


def _claims(new: Measured, old: Measured, gaps: Gaps) -> tuple[str, str]:
    found = gaps["unsupported_claims"]
    words = (
        f"{new.unsupported_claims.mean():.2f} claims without a fact in a text, the champion "
        f"{old.unsupported_claims.mean():.2f}: {_words(found)}; it has to be below zero"
    )
    if found["high"] < 0:
        return PASS, words
    return (FAIL if found["low"] > 0 else INCONCLUSIVE), words


def _blocked(new: Measured, old: Measured, gaps: Gaps) -> tuple[str, str]:
    found = gaps["blocked"]
    words = f"{new.blocked.mean():.1%} of its texts are blocked, of the champion's {old.blocked.mean():.1%}"
    if found["value"] <= 0:
        return PASS, words
    return (FAIL if found["low"] > 0 else INCONCLUSIVE), f"{words}: {_words(found)}"


def _distance(new: Measured, old: Measured, gaps: Gaps, rules: Rules) -> tuple[str, str]:
    known = np.flatnonzero(~np.isnan(new.edit_distance - old.edit_distance))
    n = len({new.products[place] for place in known})
    if n < rules.min_slice:
        return NOTE, (
            f"people wrote a text of their own for {n} products: too few to tell how far from such texts it is, "
            f"{rules.min_slice} are needed"
        )
    found = gaps["edit_distance"]
    words = (
        f"{np.nanmean(new.edit_distance):.1%} of a text has to change to become what a person wrote for one of {n} "
        f"products, of the champion's {np.nanmean(old.edit_distance):.1%}: {_words(found)}; it must not be above zero"
    )
    return (FAIL if found["low"] > 0 else PASS), words


def _by_slice(new: Measured, old: Measured, groups: Mapping[str, Sequence[str]], rules: Rules) -> list[tuple[str, str]]:
    parts = copy_metrics.parts(groups, new.products, fewest=rules.min_slice)
    findings = []
    for by, value, rows in parts:
        gap, products = (new.unsupported_claims - old.unsupported_claims)[rows], [new.products[row] for row in rows]
        found = interval(gap, products, level=1 - 0.05 / len(parts))
        if found["low"] > 0:
            findings.append((FAIL, f"more claims without a fact where {by} is {value}: {found['value']:+.2f} a text"))
    return findings or [
        (PASS, f"more such claims in none of {len(parts)} slices of {rules.min_slice} products or more")
    ]


def _words(found: Mapping[str, float]) -> str:
    return f"{found['value']:+.3f}, 95 % interval {found['low']:+.3f} to {found['high']:+.3f}"
