"""Whether a new model of several answers may take over: the rules of the gate, for each answer as a yes or no. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from training.evaluation import by_label, gate
from training.evaluation.comparison import compare, difference, likeness
from training.evaluation.gate import FAIL, INCONCLUSIVE, PASS, Rules, Verdict
from training.evaluation.metrics import Floats, calibration_error
from training.evaluation.several_metrics import YES, SeveralAnswers, macro_f1

GATE_VERSION = "several-1"


def judge(
    new: SeveralAnswers,
    old: SeveralAnswers | None,
    *,
    groups: Mapping[str, Sequence[str]],
    rules: Rules,
    facts: Mapping[str, bool] | None = None,
    stated: int = 0,
    labels: Sequence[str],
) -> Verdict:
    """Return whether the model that gave the answers `new` may replace the one that gave `old`, as `gate.judge`.

    A text is right where all its answers are: that has to be more often so than with the champion, and worse in no
    slice. Each of `labels` is judged as a yes or no: how much of it is found, and how often it is rightly said.
    `min_accuracy` is asked of the mean F1 of the answers: where one is rare, no is right most of the time.
    """
    findings = [(PASS if holds else FAIL, words) for words, holds in (facts or {}).items()]
    n = len(new.truth)
    if n - stated < rules.min_test:
        texts = f"{n - stated} of {n} test texts labelled by people" if stated else f"{n} test texts"
        findings.append((INCONCLUSIVE, f"{texts} are too few to tell: {rules.min_test} are needed"))
        return gate.worst(findings)
    findings += [_accuracy(new, rules), _calibration(new, labels, rules)]
    named = list(enumerate(labels))
    if old is None:
        whole = new.whole().truth
        commonest = np.unique(whole, return_inverse=True)[1]
        known = np.asarray(commonest == np.bincount(commonest).argmax())
        found = compare(new.right, known, new.products)
        findings.append(gate.against(found, rules, "always giving the commonest answers"))
        findings += [gate.found_at_all(new.choice(place), YES, name, rules) for place, name in named]
        return gate.worst(findings)
    findings.append(_gain(new, old, labels, rules))
    alike = likeness(new.right.astype(np.float64) - old.right, new.products)
    for place, name in named:
        found_of = by_label.compare(new.choice(place), old.choice(place), YES, alike=alike)
        findings.append(gate.of_label(found_of, name, rules))
    occurring = [place for place, _ in named if new.truth[:, place].any()]
    if occurring:
        columns = [(new.truth[:, place], new.said[:, place], old.said[:, place]) for place in occurring]
        findings.append(gate.macro_f1_kept(by_label.mean_f1(columns, new.products)))
    return gate.worst([*findings, *gate.by_slice(new.whole(), old.whole(), groups, rules)])


def _accuracy(new: SeveralAnswers, rules: Rules) -> tuple[str, str]:
    found = macro_f1(new)
    words = (
        f"macro-F1 {found:.3f} over the answers, all of a text right on {new.right.mean():.1%} of {len(new.truth)} "
        f"test texts; macro-F1 at least {rules.min_accuracy:.2f}"
    )
    return (PASS if found >= rules.min_accuracy else FAIL), words


def _calibration(new: SeveralAnswers, labels: Sequence[str], rules: Rules) -> tuple[str, str]:
    errors = [calibration_error(new.choice(place)) for place in range(len(labels))]
    furthest = int(np.argmax(errors))
    words = (
        f"its confidence is off by {np.mean(errors):.3f} on average, most by {errors[furthest]:.3f} for "
        f"{labels[furthest]}; at most {rules.max_calibration_error:.2f}"
    )
    return (PASS if errors[furthest] <= rules.max_calibration_error else FAIL), words


def _gain(new: SeveralAnswers, old: SeveralAnswers, labels: Sequence[str], rules: Rules) -> tuple[str, str]:
    found = compare(new.right, old.right, new.products)
    if not rules.label_costs:
        return gate.against(found, rules, "the champion")
    costs = np.array([rules.label_costs.get(name, 1.0) for name in labels])
    paid = [_paid(answers, costs) for answers in (new, old)]
    unit = float(np.maximum(costs, 1).sum())
    saved = difference(paid[1] - paid[0], new.products, unit=unit)
    words = (
        f"its errors cost {paid[0].mean():.3f} a text, the champion's {paid[1].mean():.3f}: {saved.value:+.3f} is "
        f"saved, 95 % interval {saved.low:+.3f} to {saved.high:+.3f}; it has to be above {rules.gain:+.3f} "
        f"({100 * found.gain:+.1f} points of texts all right)"
    )
    if saved.low > rules.gain:
        return PASS, words
    return (FAIL if saved.high < rules.gain else INCONCLUSIVE), words


def _paid(answers: SeveralAnswers, costs: Floats) -> Floats:
    """Return what the errors about each text cost (n,): a missed answer what it costs to miss it, one too many 1."""
    missed, extra = answers.truth & ~answers.said, answers.said & ~answers.truth
    return np.asarray(missed @ costs + extra.sum(axis=1), dtype=np.float64)
