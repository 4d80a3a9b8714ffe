"""Whether a new model may take over: rules on what was measured, each with its finding in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.evaluation.comparison import Comparison, compare
from training.evaluation.metrics import Answers, calibration_error, macro_f1

GATE_VERSION = "classifier-2"
PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"


@dataclass(frozen=True)
class Rules:
    """What a new model has to show. Shares and points are 0…1.

    `gain`: it must be right more often than the champion by more than this, beyond chance (the lower end of the 95 %
    interval). Zero means better at all; a negative number means not worse by more than that.
    `slice_loss`: in no slice may it be worse by more than this beyond chance, at 95 % for all slices together.
    """

    min_test: int = 100
    min_slice: int = 30
    min_accuracy: float = 0.5
    max_calibration_error: float = 0.2
    gain: float = 0.0
    slice_loss: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """`verdict` is the worst of the findings: fail, else inconclusive, else pass."""

    verdict: str
    findings: Sequence[tuple[str, str]]


def judge(
    new: Answers, old: Answers | None, *, groups: Mapping[str, Sequence[str]], rules: Rules,
    facts: Mapping[str, bool] | None = None, stated: int = 0,
) -> Verdict:  # fmt: skip
    """Return whether the model that gave the answers `new` may replace the one that gave `old`; None: there is none.

    `groups` are slices (name → value of each text). `facts` are conditions that hold or do not: the artefact works in a
    fresh process, its hash is that of the registry, the test part was not trained on. `stated` is how many of the texts
    have a label that a file stated: without enough labels of people nothing is told, however many those are.
    """
    findings = [(PASS if holds else FAIL, words) for words, holds in (facts or {}).items()]
    n = len(new.truth)
    if n - stated < rules.min_test:
        texts = f"{n - stated} of {n} test texts labelled by people" if stated else f"{n} test texts"
        findings.append((INCONCLUSIVE, f"{texts} are too few to tell: {rules.min_test} are needed"))
        return worst(findings)
    findings += [_accuracy(new, rules), _calibration(new, rules)]
    if old is None:
        found = compare(new.right, _always_the_commonest(new), new.products)
        findings.append(_against(found, rules, "always saying the commonest label"))
    else:
        findings.append(_against(compare(new.right, old.right, new.products), rules, "the champion"))
        findings += _by_slice(new, old, groups, rules)
    return worst(findings)


def _accuracy(new: Answers, rules: Rules) -> tuple[str, str]:
    found = float(new.right.mean())
    words = f"right on {found:.1%} of {len(new.truth)} test texts (macro-F1 {macro_f1(new):.3f}); at least {rules.min_accuracy:.0%}"
    return (PASS if found >= rules.min_accuracy else FAIL), words


def _calibration(new: Answers, rules: Rules) -> tuple[str, str]:
    found = calibration_error(new)
    words = f"its confidence is off by {found:.3f} on average; at most {rules.max_calibration_error:.2f}"
    return (PASS if found <= rules.max_calibration_error else FAIL), words


def _always_the_commonest(answers: Answers) -> npt.NDArray[np.bool_]:
    """Return where a model that knows nothing would be right."""
    return np.asarray(answers.truth == np.bincount(answers.truth).argmax())


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _against(found: Comparison, rules: Rules, whom: str) -> tuple[str, str]:
    words = (
        f"{100 * found.gain:+.1f} points against {whom}, 95 % interval {100 * found.low:+.1f} to "
        f"{100 * found.high:+.1f} (McNemar by product p {_p(found.p)}); it has to be above {100 * rules.gain:+.1f}"
    )
    if found.low > rules.gain:
        return PASS, words
    return (FAIL if found.high < rules.gain else INCONCLUSIVE), words


def _by_slice(new: Answers, old: Answers, groups: Mapping[str, Sequence[str]], rules: Rules) -> list[tuple[str, str]]:
    parts = [
        (name, value, rows)
        for name, values in groups.items()
        for value in sorted(set(values))
        if len(rows := np.flatnonzero(np.asarray(values) == value)) >= rules.min_slice
    ]
    findings = []
    for name, value, rows in parts:
        mine, theirs = new.of(rows), old.of(rows)
        found = compare(mine.right, theirs.right, mine.products, level=1 - 0.05 / len(parts))
        if found.high < -rules.slice_loss:
            findings.append((FAIL, f"worse where {name} is {value}: {100 * found.gain:+.1f} points on {found.n} texts"))
    return findings or [(PASS, f"worse in none of {len(parts)} slices of {rules.min_slice} texts or more")]


def worst(findings: Sequence[tuple[str, str]]) -> Verdict:
    """Return the verdict of `findings`: fail where one failed, else inconclusive where one is, else pass."""
    said = {verdict for verdict, _ in findings}
    worst = next((verdict for verdict in (FAIL, INCONCLUSIVE) if verdict in said), PASS)
    return Verdict(worst, tuple(findings))


def as_rules(values: Mapping[str, Any]) -> Rules:
    """Return the rules in the settings TRAINING["GATE"]."""
    return Rules(**values)
