"""Whether a new model may take over: rules on what was measured, each with its finding in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from training.evaluation import by_label
from training.evaluation.comparison import Comparison, compare, difference, likeness
from training.evaluation.metrics import Answers, calibration_error, macro_f1

GATE_VERSION = "classifier-4"
PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"
# A label has too few test texts to tell: where nothing else is in the way, people may let the model in.
PEOPLE = "people"


@dataclass(frozen=True)
class Rules:
    """What a new model has to show. Shares and points are 0…1.

    `gain`: it must be right more often than the champion by more than this, beyond chance (the lower end of the 95 %
    interval). Zero means better at all; a negative number means not worse by more than that.
    `slice_loss`: in no slice may it be worse by more than this beyond chance, at 95 % for all slices together.
    `label_margin`: of no label may it find less than the champion by more than this, nor be right less often where it
    says it; `label_margins` has the labels with a margin of their own. `label_costs`: what it costs to miss a text of a
    label, 1 where nothing is said; where something is, the gain is one in cost rather than in accuracy.
    `perturbed_loss`: it may be right less often than the champion about texts that were changed by no more than this,
    of each kind of change (`training.evaluation.stress`); `identity_loss`: the same of texts that name a group of
    people, and of how often its answer changes with the group; with fewer than `min_identity` such texts nothing is
    told, which where `identity_required` is inconclusive.
    """

    min_test: int = 100
    min_slice: int = 30
    min_accuracy: float = 0.5
    max_calibration_error: float = 0.2
    gain: float = 0.0
    slice_loss: float = 0.0
    label_margin: float = 0.1
    label_margins: Mapping[str, float] = field(default_factory=dict)
    label_costs: Mapping[str, float] = field(default_factory=dict)
    perturbed_loss: float = 0.05
    identity_loss: float = 0.05
    min_identity: int = 30
    identity_required: bool = False


@dataclass(frozen=True)
class Verdict:
    """`verdict` is the worst of the findings: fail, else inconclusive, else pass.

    What is for people is inconclusive.
    """

    verdict: str
    findings: Sequence[tuple[str, str]]


def judge(
    new: Answers,
    old: Answers | None,
    *,
    groups: Mapping[str, Sequence[str]],
    rules: Rules,
    facts: Mapping[str, bool] | None = None,
    stated: int = 0,
    labels: Sequence[str] | None = None,
) -> Verdict:
    """Return whether the model that gave the answers `new` may replace the one that gave `old`; None: there is none.

    `groups` are slices (name → value of each text). `facts` are conditions that hold or do not: the artefact works in a
    fresh process, its hash is that of the registry, the test part was not trained on. `stated` is how many of the texts
    have a label that a file stated: without enough labels of people nothing is told, however many those are. `labels`
    names what the columns of the answers are; each is judged, and one without a test text is for people. Without names
    those that the texts have are judged.
    """
    findings = [(PASS if holds else FAIL, words) for words, holds in (facts or {}).items()]
    n = len(new.truth)
    if n - stated < rules.min_test:
        texts = f"{n - stated} of {n} test texts labelled by people" if stated else f"{n} test texts"
        findings.append((INCONCLUSIVE, f"{texts} are too few to tell: {rules.min_test} are needed"))
        return worst(findings)
    findings += [_accuracy(new, rules), _calibration(new, rules)]
    named = _named(new, labels)
    if old is None:
        found = compare(new.right, _always_the_commonest(new), new.products)
        findings.append(against(found, rules, "always saying the commonest label"))
        findings += [found_at_all(new, label, name, rules) for label, name in named.items()]
    else:
        findings.append(_gain(new, old, named, rules))
        alike = likeness(new.right.astype(np.float64) - old.right, new.products)
        findings += [of_label(by_label.compare(new, old, label, alike=alike), named[label], rules) for label in named]
        findings += [macro_f1_kept(by_label.macro_f1(new, old)), *by_slice(new, old, groups, rules)]
    return worst(findings)


def _named(answers: Answers, labels: Sequence[str] | None) -> dict[int, str]:
    """Return the labels that are judged, each with its name."""
    if labels is None:
        return {int(label): f"label {label}" for label in np.unique(answers.truth)}
    return dict(enumerate(labels))


def _accuracy(new: Answers, rules: Rules) -> tuple[str, str]:
    found = float(new.right.mean())
    words = f"right on {found:.1%} of {len(new.truth)} test texts (macro-F1 {macro_f1(new):.3f})"
    words += f"; at least {rules.min_accuracy:.0%}"
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


def against(found: Comparison, rules: Rules, whom: str) -> tuple[str, str]:
    """Return whether it is right more often than `whom` by more than the rules ask, beyond chance."""
    words = (
        f"{100 * found.gain:+.1f} points against {whom}, 95 % interval {100 * found.low:+.1f} to "
        f"{100 * found.high:+.1f} (McNemar by product p {_p(found.p)}); it has to be above {100 * rules.gain:+.1f}"
    )
    if found.low > rules.gain:
        return PASS, words
    return (FAIL if found.high < rules.gain else INCONCLUSIVE), words


def _gain(new: Answers, old: Answers, named: Mapping[int, str], rules: Rules) -> tuple[str, str]:
    found = compare(new.right, old.right, new.products)
    if not rules.label_costs:
        return against(found, rules, "the champion")
    costs = np.ones(new.probabilities.shape[1])
    for label, name in named.items():
        costs[label] = rules.label_costs.get(name, 1.0)
    saved = by_label.cost(new, old, costs)
    words = (
        f"its errors cost {saved.new:.3f} a text, the champion's {saved.old:.3f}: {saved.gap.value:+.3f} is saved, "
        f"95 % interval {saved.gap.low:+.3f} to {saved.gap.high:+.3f}; it has to be above {rules.gain:+.3f} "
        f"({100 * found.gain:+.1f} points of accuracy)"
    )
    if saved.gap.low > rules.gain:
        return PASS, words
    return (FAIL if saved.gap.high < rules.gain else INCONCLUSIVE), words


def found_at_all(new: Answers, label: int, name: str, rules: Rules) -> tuple[str, str]:
    """Return whether a first model finds a label at all."""
    rows = np.flatnonzero(new.truth == label)
    if not len(rows):
        return PEOPLE, f"{name}: no test text has this label; whether it is told is for people to say"
    hits = new.right[rows]
    products = None if new.products is None else new.products[rows]
    words = f"{name}: finds {_share(float(hits.mean()), len(rows), 'test texts')}"
    if difference(hits.astype(np.float64), products, level=by_label.LEVEL).low > 0:
        return PASS, words
    if len(rows) >= rules.min_slice and not hits.any():
        return FAIL, f"{words}: it never says it where it is true"
    return PEOPLE, f"{words}: too few to tell whether it finds any, so people decide"


def of_label(found: by_label.OfLabel, name: str, rules: Rules) -> tuple[str, str]:
    """Return whether a loss on one label is ruled out: of what is found of it, and of how often it is rightly said."""
    margin = rules.label_margins.get(name, rules.label_margin)
    allowed = f"a loss of {100 * margin:.0f} points"
    if not found.n:
        return PEOPLE, f"{name}: no test text has this label; whether it is still told is for people to say"
    recall, precision = found.recall, found.precision
    words = f"{name}: finds {_share(recall.new, recall.n_new, 'test texts')}, "
    words += f"the champion {recall.old:.1%} ({_points(recall)})"
    if precision:
        words += (
            f"; right in {_share(precision.new, precision.n_new, 'times it says so')}, "
            f"the champion in {_share(precision.old, precision.n_old, 'its own')} ({_points(precision)})"
        )
    figures = [figure for figure in (recall, precision) if figure]
    if any(figure.gap.high < -margin for figure in figures):
        return FAIL, f"{words}: {allowed} or more"
    doubtful = [figure for figure in figures if figure.gap.low <= -margin]
    if not doubtful:
        return PASS, f"{words}: {allowed} is ruled out"
    if any(figure.is_worse for figure in doubtful):
        return INCONCLUSIVE, f"{words}: worse beyond chance, and {allowed} is not ruled out"
    return PEOPLE, f"{words}: too few to rule out {allowed}, so people decide"


def _share(value: float, n: int, of: str) -> str:
    return f"{value:.1%} of {n} {of}"


def _points(figure: by_label.Figure) -> str:
    gap = figure.gap
    return f"{100 * gap.value:+.1f} points, 99 % interval {100 * gap.low:+.1f} to {100 * gap.high:+.1f}"


def macro_f1_kept(found: by_label.Figure) -> tuple[str, str]:
    """Return whether the mean of the labels' F1 is no less than the champion's, as far as can be told."""
    words = (
        f"macro-F1 {found.new:.3f}, the champion's {found.old:.3f}: {found.gap.value:+.3f}, 95 % interval "
        f"{found.gap.low:+.3f} to {found.gap.high:+.3f}; it must not be below zero beyond chance"
    )
    return (FAIL if found.gap.high < 0 else PASS), words


def by_slice(new: Answers, old: Answers, groups: Mapping[str, Sequence[str]], rules: Rules) -> list[tuple[str, str]]:
    """Return in which slices it is worse than the champion beyond chance, at 95 % for all of them together."""
    parts = [
        (name, value, rows)
        for name, values in groups.items()
        for value in sorted(set(values))
        if len(rows := np.flatnonzero(np.asarray(values) == value)) >= rules.min_slice
    ]
    findings, gained = [], new.right.astype(np.float64) - old.right
    for name, value, rows in parts:
        products = None if new.products is None else new.products[rows]
        found = difference(gained[rows], products, level=1 - 0.05 / len(parts))
        if found.high < -rules.slice_loss:
            words = f"worse where {name} is {value}: {100 * found.value:+.1f} points on {len(rows)} texts"
            findings.append((FAIL, words))
    return findings or [(PASS, f"worse in none of {len(parts)} slices of {rules.min_slice} texts or more")]


def worst(findings: Sequence[tuple[str, str]]) -> Verdict:
    """Return the verdict of `findings`: fail where one failed, else inconclusive where one is or is for people,
    else pass.
    """
    said = {INCONCLUSIVE if verdict == PEOPLE else verdict for verdict, _ in findings}
    worst = next((verdict for verdict in (FAIL, INCONCLUSIVE) if verdict in said), PASS)
    return Verdict(worst, tuple(findings))


def as_rules(values: Mapping[str, Any]) -> Rules:
    """Return the rules in `values`: `settings.TRAINING.gate`, or what a question says in their place."""
    return Rules(**values)
