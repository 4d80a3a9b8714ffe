"""What active learning is worth, and whether it is ever below asking by lot by more than chance.

Five seeds. In each a fifth of the texts is set aside, the others are the pool; full accuracy is that of a model trained
on all of it. Each arm starts with the same labels by lot, then asks about `BATCH` at a time, and its model (logistic
regression, C = 10, on embeddings, in Chinese on characters) is trained anew on what was asked. By lot there are `N_LOTS`
runs a seed: what they differ by among themselves is chance. `--write` refreshes the page.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import numpy as np  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

from bench import page, reviews  # noqa: E402
from labeling.quality import sampling  # noqa: E402
from labeling.quality.probabilities import characters  # noqa: E402

SEEDS, BATCH, MOST, TARGET = range(5), 50, 1000, 0.95
N_LOTS, N_ROUNDS = 8, 5000
# As low as one lot in forty goes: lower is more than chance.
CHANCE = 0.025
T_4 = 2.776  # Student's t, 97.5 %, four degrees of freedom: the interval of a mean over five seeds
JUDGED = ("uci_sls", "womens_clothing", "zh_online_shopping")
# Nothing was chosen by these.
UNSEEN = ("womens_clothing as it comes", "zh_waimai")
LOT, DEFAULT = "by lot", "default"
ARMS = {
    DEFAULT: sampling.SAFEST,
    "half by lot": sampling.Strategy(random_share=0.5),
    "most uncertain alone": sampling.Strategy(random_share=0.0, wide=1),
}


class Task:
    """One split of one set: the texts of the pool and those set aside, as the model and as diversity see them."""

    def __init__(self, data: reviews.Reviews, seed: int) -> None:
        view: Any = characters(data.texts) if data.embeddings is None else data.embeddings
        order = np.random.default_rng(seed).permutation(len(data))
        cut = int(0.8 * len(data))
        pool, aside = order[:cut], order[cut:]
        self.pool, self.aside = view[pool], view[aside]
        self.labels, self.truth = data.labels[pool], data.labels[aside]
        # What `moderation.queues.active_learning` goes by.
        self.features = sampling.hashed([data.texts[row] for row in pool])

    def fit(self, rows: np.ndarray) -> LogisticRegression:
        return LogisticRegression(C=10, max_iter=1000).fit(self.pool[rows], self.labels[rows])

    def accuracy(self, model: LogisticRegression) -> float:
        return float((model.predict(self.aside) == self.truth).mean())

    def curve(self, strategy: sampling.Strategy | None, seed: int, budgets: list[int], *, lot: int = 0) -> list[float]:
        """Return the accuracy at each of `budgets`; without a strategy all are drawn by lot."""
        rng = np.random.default_rng([1000 + seed, lot])
        asked, left = np.split(rng.permutation(len(self.labels)), [budgets[0]])
        model = self.fit(asked)
        found = [self.accuracy(model)]
        for number, budget in enumerate(budgets[1:], 1):
            places = self.next_places(strategy, model, asked, left, budget - len(asked), seed=100 * seed + number)
            asked, left = np.append(asked, left[places]), np.delete(left, places)
            model = self.fit(asked)
            found.append(self.accuracy(model))
        return found

    def next_places(
        self,
        strategy: sampling.Strategy | None,
        model: LogisticRegression,
        asked: np.ndarray,
        left: np.ndarray,
        k: int,
        *,
        seed: int,
    ) -> np.ndarray:
        if strategy is None:
            return np.arange(k)  # `left` is in the order of the lot
        chosen = sampling.choose(
            k,
            uncertainty=sampling.margin(model.predict_proba(self.pool[left])),
            features=self.features[left],
            asked=self.features[asked[-sampling.COMPARED :]],
            n_labelled=len(asked),
            seed=seed,
            strategy=strategy,
        )
        return np.array([row for row, _ in chosen])


@dataclass(frozen=True)
class Measured:
    """Accuracies: of each arm (seed, budget), of the lots (seed, lot, budget), and full ones (seed,)."""

    budgets: list[int]
    arms: dict[str, np.ndarray]
    lots: np.ndarray
    full: np.ndarray


def measure(data: reviews.Reviews, *, seeds: Sequence[int], arms: Sequence[str]) -> Measured:
    budgets = [sampling.COLD_START, *range(2 * BATCH, min(MOST, int(0.8 * len(data))) + 1, BATCH)]
    curves: dict[str, list[list[float]]] = {name: [] for name in arms}
    lots, full = [], []
    for seed in seeds:
        task = Task(data, seed)
        full.append(task.accuracy(task.fit(np.arange(len(task.labels)))))
        lots.append([task.curve(None, seed, budgets, lot=lot) for lot in range(N_LOTS)])
        for name in arms:
            curves[name].append(task.curve(ARMS[name], seed, budgets))
        print(f"{data.name}: seed {seed}", file=sys.stderr, flush=True)
    return Measured(budgets, {name: np.array(rows) for name, rows in curves.items()}, np.array(lots), np.array(full))


@dataclass(frozen=True)
class Against:
    """An arm against the mean of the lots: the lowest point of its curve, how often chance is as low, and the mean."""

    lowest: float
    at: int
    chance: float
    mean: float
    spread: float


def against_lots(rows: np.ndarray, found: Measured) -> Against:
    """Compare an arm's accuracies (seed, budget) with the lots'.

    One lot for each seed, against the others of the same seed, shows how low chance goes anywhere on the curve; differences
    are taken in standard deviations of such lots, for early on they are larger. The start is left out: all begin by lot.
    """
    rng, lots, rows = np.random.default_rng(0), found.lots[..., 1:], rows[..., 1:]
    n_seeds, n_lots, _ = lots.shape
    drawn = lots[np.arange(n_seeds), rng.integers(0, n_lots, (N_ROUNDS, n_seeds))]
    others = (lots.sum(axis=1) - drawn) / (n_lots - 1)
    by_chance = (drawn - others).mean(axis=1)  # (round, budget)
    unit = np.maximum(by_chance.std(axis=0), 1e-9)
    difference = rows - lots.mean(axis=1)
    over_seeds = difference.mean(axis=0)
    # The mean of all lots holds still a little more than that of all but one.
    still = np.sqrt((1 + 1 / n_lots) / (1 + 1 / (n_lots - 1)))
    lowest = (over_seeds / (unit * still)).min()
    place = int(over_seeds.argmin())
    by_seed = difference.mean(axis=1)
    return Against(
        lowest=100 * float(over_seeds[place]),
        at=found.budgets[1 + place],
        chance=float(((by_chance / unit).min(axis=1) <= lowest).mean()),
        mean=100 * float(by_seed.mean()),
        spread=100 * float(T_4 * by_seed.std(ddof=1) / n_seeds**0.5),
    )


def labels_to(target: float, curve: np.ndarray, budgets: list[int]) -> float:
    """Return with how many labels `curve` first reaches `target`, between budgets in a straight line; inf: never."""
    if not (reached := np.flatnonzero(curve >= target)).size:
        return float("inf")
    at = int(reached[0])
    if at == 0:
        return float(budgets[0])
    low, high = curve[at - 1], curve[at]
    return budgets[at - 1] + float((target - low) / (high - low)) * (budgets[at] - budgets[at - 1])


def report(name: str, found: Measured) -> tuple[list[str], list[dict[str, Any]]]:
    target = TARGET * found.full.mean()
    by_lot = labels_to(target, found.lots.mean(axis=(0, 1)), found.budgets)
    lines = [
        "",
        f"**{name}**: full accuracy {found.full.mean():.3f}, 95 % of it {target:.3f}, by lot with {by_lot:.0f} labels",
        "",
        "| asked | labels to reach it, ÷ by lot | above the lot, mean of the curve, points | lowest point against the lot "
        "| chance is as low in |",
        "| --- | --- | --- | --- | --- |",
    ]
    rows = []
    for arm, curves in found.arms.items():
        needed, seen = labels_to(target, curves.mean(axis=0), found.budgets), against_lots(curves, found)
        lines.append(
            f"| {arm} | {needed / by_lot:.2f} | {seen.mean:+.2f} ± {seen.spread:.2f} | {seen.lowest:+.2f} with {seen.at} "
            f"| {100 * seen.chance:.0f} of 100 |"
        )
        rows.append(
            {
                "name": f"active learning, {name}, {arm}",
                "ours": round(seen.mean, 2),
                "lowest": round(seen.lowest, 2),
                "ratio": round(needed / by_lot, 3),
                "chance": round(seen.chance, 4),
                "must": CHANCE,
                "pass": seen.chance >= CHANCE,
            }
        )
    shown = [budget for budget in (100, 200, 300, 400, 600, 800, 1000) if budget in found.budgets]
    places = [found.budgets.index(budget) for budget in shown]
    lines += ["", "| accuracy with | " + " | ".join(map(str, shown)) + " |", "| --- |" + " --- |" * len(shown)]
    curves_of = {f"{LOT}, mean of {N_LOTS}": found.lots.mean(axis=1), **found.arms}
    lines += [
        f"| {arm} | " + " | ".join(f"{curves.mean(axis=0)[i]:.3f}" for i in places) + " |"
        for arm, curves in curves_of.items()
    ]
    return lines, rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=[*JUDGED, *UNSEEN], choices=list(reviews.SETS))
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--first-seed", type=int, default=SEEDS[0], help="to choose by: others than those reported")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    began = time.monotonic()
    lines = [
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, shared. "
        f"Means over {len(SEEDS)} seeds; ± is the 95 % interval of such a mean; {BATCH} labels a batch, {N_LOTS} lots a seed."
    ]
    seeds = [options.first_seed + seed for seed in SEEDS]
    results = []
    for name in options.sets:
        text, rows = report(name, measure(reviews.SETS[name](), seeds=seeds, arms=options.arms))
        print("\n".join(text), flush=True)
        lines, results = [*lines, *text], [*results, *rows]
    lines += ["", f"The run took {time.monotonic() - began:.0f} s."]
    if options.write:
        page.write("label_quality_active", lines)
    for row in results:
        print(json.dumps(row))
    bars = [row for row in results if row["name"].endswith(f", {DEFAULT}")]
    worst = min(bars, key=lambda row: row["chance"])
    print(json.dumps({**worst, "name": "label_quality_active", "pass": all(row["pass"] for row in bars)}))
    return 0 if all(row["pass"] for row in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
