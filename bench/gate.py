"""The gate: what it lets in by itself, what it puts before people, and what it keeps out.

`power`: a model that is better, equal or worse by so much, by number of test texts. `labels`: one that is worse on one label of
three, or better on all of them. Both are simulated answers: the two models of each cycle are right or wrong together on four
fifths of the texts, as models trained alike are; of a product's texts half share their fate. `attacks`: models that were really
trained, on labels that somebody tampered with (`bench/gate_attacks.py`). Beside each figure stands what the rules on accuracy
and slices alone, `classifier-2`, let in of the same draws. Minutes on one core; `--write` refreshes the page.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import numpy as np  # noqa: E402

from bench import page  # noqa: E402
from labeling.quality.intervals import share  # noqa: E402
from tests.training.evaluation.test_gate import groups, pair  # noqa: E402
from training.evaluation import gate  # noqa: E402
from training.evaluation.metrics import Answers  # noqa: E402

OLD = 0.86
GAINS = (-0.03, 0.0, 0.02, 0.04, 0.06, 0.08)
# Test texts, and texts about each product.
SIZES = ((100, 1), (200, 1), (500, 1), (1000, 1), (2000, 1), (500, 5), (1000, 5), (2000, 10))
LABELS = ("rare", "common", "other")
# How often the label occurs; by how much less of it the new model finds (1: none at all any more), and how much better it is on
# all labels; test texts and texts about each product.
FREQUENCIES, LOSSES, BETTER = (0.02, 0.05, 0.20), (0.1, 0.2, 1.0), (0.02, 0.04, 0.06)
LABEL_SIZES = ((500, 1), (2000, 1), (2000, 5))
# What a model that is worse on one label gains in all.
IN_ALL = 0.04
BY_ITSELF, TO_PEOPLE, BEFORE = "by itself", "to people", "before"
MUST = 0.01


def outcomes(verdict: gate.Verdict, labels: Sequence[str]) -> set[str]:
    """Return how a verdict lets a model in, by the rules of now and by those before `labels` were judged."""
    said = {finding for finding, _ in verdict.findings}
    new_rules = (*(f"{label}:" for label in labels), "macro-F1")
    before = {finding for finding, words in verdict.findings if not words.startswith(new_rules)}
    found = {BEFORE} if before == {gate.PASS} else set()
    if verdict.verdict == gate.PASS:
        return found | {BY_ITSELF}
    return found | {TO_PEOPLE} if said == {gate.PASS, gate.PEOPLE} else found


# --- Power -------------------------------------------------------------------------------------------------------


def accepted(n: int, per_product: int, gain: float, cycles: int) -> Counter[str]:
    """Return in how many of `cycles` a model that is right more often by `gain` is let in on `n` texts."""
    rng = np.random.default_rng([n, round(1000 * (gain + 1)), per_product])
    found: Counter[str] = Counter()
    for _ in range(cycles):
        new, old = pair(rng, n, old=OLD, new=OLD + gain, per_product=per_product)
        verdict = gate.judge(new, old, groups=groups(n), rules=gate.Rules())
        found.update(outcomes(verdict, ("label 0", "label 1")))
    return found


def power(cycles: int, *, write: bool) -> dict[str, float]:
    lines = [
        "| test texts | products | " + " | ".join(f"{100 * gain:+.0f} points" for gain in GAINS) + " |",
        "| --- | --- |" + " --- |" * len(GAINS),
    ]
    lost = 0.0
    for n, per_product in SIZES:
        cells = []
        for gain in GAINS:
            found = accepted(n, per_product, gain, cycles)
            cells.append(_cell(found, cycles))
            if gain > 0:
                lost = max(lost, (found[BEFORE] - found[BY_ITSELF] - found[TO_PEOPLE]) / cycles)
        lines.append(f"| {n} | {n // per_product} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    if write:
        page.write("gate", lines)
    return {"better_kept_out": round(lost, 4)}


# --- Labels ------------------------------------------------------------------------------------------------------


def labelled_pair(
    rng: np.random.Generator, n: int, *, frequency: float, right: Sequence[float], per_product: int
) -> tuple[Answers, Answers]:
    """Return two models' answers on `n` texts with three labels: the new one is right on label i with `right[i]`, the old with OLD.

    Who is wrong says another label, the oftener the commoner it is; both say the same where they share their fate.
    """
    shares = np.array([frequency, 0.7 * (1 - frequency), 0.3 * (1 - frequency)])
    truth, products = rng.choice(3, n, p=shares), np.arange(n) // per_product
    draw, own, together = rng.random(n), rng.random((2, n)), rng.random(n) < 0.8
    if per_product > 1:
        first, alike = products * per_product, rng.random(n) < 0.5
        draw, own, together = (np.where(alike, one[..., first], one) for one in (draw, own, together))
    others = np.array([rng.choice(3, n, p=_without(shares, label)) for label in range(3)])[truth, np.arange(n)]
    answers = []
    for chances, mine in zip((np.asarray(right), np.full(3, OLD)), own, strict=True):
        is_right = np.where(together, draw, mine) < chances[truth]
        sure = float((shares * chances).sum())
        rows = np.full((n, 3), (1 - sure) / 2)
        rows[np.arange(n), np.where(is_right, truth, others)] = sure
        answers.append(Answers(rows, truth, products))
    return answers[0], answers[1]


def _without(shares: np.ndarray, label: int) -> np.ndarray:
    left = np.where(np.arange(3) == label, 0, shares)
    return left / left.sum()


def judged(n: int, per_product: int, frequency: float, right: Sequence[float], draws: int) -> Counter[str]:
    """Return in how many of `draws` a model that is right on label i with a chance of `right[i]` is let in."""
    rng = np.random.default_rng([n, per_product, round(1000 * frequency), *(round(10_000 * one) for one in right)])
    found: Counter[str] = Counter()
    for _ in range(draws):
        new, old = labelled_pair(rng, n, frequency=frequency, right=right, per_product=per_product)
        found.update(outcomes(gate.judge(new, old, groups={}, rules=gate.Rules(), labels=LABELS), LABELS))
    return found


def worse_on_one(frequency: float, loss: float) -> list[float]:
    """Return a model's chances of being right: on the rare label less, on the others so much more that it gains in all, where it can."""
    rare = max(0.0, OLD - loss)
    others = OLD + (IN_ALL + frequency * (OLD - rare)) / (1 - frequency)
    return [rare, min(others, 0.99), min(others, 0.99)]


def labels(draws: int, *, write: bool) -> dict[str, float]:
    heads = [
        *(f"{100 * loss:.0f} points fewer" if loss < 1 else "none of it" for loss in LOSSES),
        *(f"all better by {100 * gain:.0f}" for gain in BETTER),
    ]
    lines = [
        f"| the label is | test texts | products | {' | '.join(heads)} |",
        "| --- | --- | --- |" + " --- |" * len(heads),
    ]
    worst, lost, fewer = 0.0, 0.0, draws // 4  # what is rare needs more draws to be seen
    for frequency in FREQUENCIES:
        for n, per_product in LABEL_SIZES:
            cells = []
            for loss in LOSSES:
                found = judged(n, per_product, frequency, worse_on_one(frequency, loss), draws)
                worst = max(worst, found[BY_ITSELF] / draws)
                cells.append(_cell(found, draws))
            for gain in BETTER:
                found = judged(n, per_product, frequency, [OLD + gain] * 3, fewer)
                lost = max(lost, (found[BEFORE] - found[BY_ITSELF] - found[TO_PEOPLE]) / fewer)
                cells.append(_cell(found, fewer))
            lines.append(f"| {frequency:.0%} | {n} | {n // per_product} | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    if write:
        page.write("gate_labels", lines)
    return {"worse_on_one_label_let_in": round(worst, 4), "better_on_all_kept_out": round(lost, 4)}


def _cell(found: Counter[str], n: int) -> str:
    by_itself = share(found[BY_ITSELF], n)
    return (
        f"{by_itself.value:.1%} [{by_itself.low:.1%}, {by_itself.high:.1%}]; people {found[TO_PEOPLE] / n:.1%}; "
        f"before {found[BEFORE] / n:.1%}"
    )


def attacks(draws: int, *, write: bool) -> dict[str, float]:
    from bench import gate_attacks

    return gate_attacks.run(draws, write=write)


PARTS = {"power": (power, 1000), "labels": (labels, 2000), "attacks": (attacks, 200)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=PARTS, help="this one alone")
    parser.add_argument("--draws", type=int, help="instead of 1,000 cycles, 2,000 draws or 200 of each attack")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    figures: dict[str, float] = {}
    for name in [options.part] if options.part else PARTS:
        part, usual = PARTS[name]
        figures |= part(options.draws or usual, write=options.write)
    must = {"worse_on_one_label_let_in": MUST, "attacks_let_in": 0, "honest_fewer_than_before": 0}
    passed = all(figures[name] <= most for name, most in must.items() if name in figures)
    print(json.dumps({"name": "gate", **figures, "must": must, "pass": passed}))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
