"""Labels that active learning saves: how many it takes to reach 95 % of full accuracy, asked by strategy or by lot.

Five seeds. In each a fifth of the texts is set aside, the others are the pool; full accuracy is that of a model trained
on all of it. Each arm starts with the same labels by lot, then asks about `BATCH` at a time, and its model (logistic
regression, C = 10, on embeddings, in Chinese on characters) is trained anew on what was asked. `--write` refreshes the
page.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import numpy as np  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

from bench import page, reviews  # noqa: E402
from labeling.quality import sampling  # noqa: E402
from labeling.quality.probabilities import characters  # noqa: E402

SEEDS, BATCH, MOST, TARGET = range(5), 20, 1000, 0.95
RATIO_MUST, BELOW_MUST = 0.7, 0.5
T_4 = 2.776  # Student's t, 97.5 %, four degrees of freedom: the interval of a mean over five seeds
JUDGED = ("uci_sls", "womens_clothing", "zh_online_shopping")
LOT, DEFAULT, BY_EMBEDDING = "by lot", "default", "default, diverse by what the model reads"
ARMS = {
    DEFAULT: sampling.SAFEST,
    "most uncertain, a fifth by lot": sampling.Strategy(wide=1),
    "most uncertain alone": sampling.Strategy(random_share=0.0, wide=1),
    "more diverse": sampling.Strategy(wide=10),
    BY_EMBEDDING: sampling.SAFEST,
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
        # What `moderation.what_next` goes by.
        self.features = sampling.hashed([data.texts[row] for row in pool])

    def fit(self, rows: np.ndarray) -> LogisticRegression:
        return LogisticRegression(C=10, max_iter=1000).fit(self.pool[rows], self.labels[rows])

    def accuracy(self, model: LogisticRegression) -> float:
        return float((model.predict(self.aside) == self.truth).mean())

    def curve(self, arm: str, seed: int, budgets: list[int]) -> list[float]:
        """Return the accuracy at each of `budgets`; without a strategy all are drawn by lot."""
        strategy = ARMS.get(arm)
        features = self.pool if arm == BY_EMBEDDING else self.features
        rng = np.random.default_rng(1000 + seed)
        asked, left = np.split(rng.permutation(len(self.labels)), [budgets[0]])
        model = self.fit(asked)
        found = []
        for number, budget in enumerate(budgets):
            if k := budget - len(asked):
                places = self.next_places(strategy, features, model, asked, left, k, seed=100 * seed + number)
                asked, left = np.append(asked, left[places]), np.delete(left, places)
            model = self.fit(asked)
            found.append(self.accuracy(model))
        return found

    def next_places(
        self, strategy: sampling.Strategy | None, features: Any, model: LogisticRegression, asked: np.ndarray,
        left: np.ndarray, k: int, *, seed: int,
    ) -> np.ndarray:  # fmt: skip
        if strategy is None:
            return np.arange(k)  # `left` is in the order of the lot
        chosen = sampling.choose(
            k, uncertainty=sampling.margin(model.predict_proba(self.pool[left])), features=features[left],
            asked=features[asked], n_labelled=len(asked), seed=seed, strategy=strategy,
        )  # fmt: skip
        return np.array([row for row, _ in chosen])


def measure(data: reviews.Reviews) -> tuple[dict[str, np.ndarray], np.ndarray, list[int]]:
    """Return accuracies (seed, budget) of each arm, full accuracy (seed,), and the budgets."""
    budgets = list(range(sampling.COLD_START, min(MOST, int(0.8 * len(data))) + 1, BATCH))
    curves: dict[str, list[list[float]]] = {name: [] for name in (LOT, *ARMS)}
    full = []
    for seed in SEEDS:
        task = Task(data, seed)
        full.append(task.accuracy(task.fit(np.arange(len(task.labels)))))
        for name in curves:
            curves[name].append(task.curve(name, seed, budgets))
        print(f"{data.name}: seed {seed + 1} of {len(SEEDS)}", file=sys.stderr, flush=True)
    return {name: np.array(rows) for name, rows in curves.items()}, np.array(full), budgets


def labels_to(target: float, curve: np.ndarray, budgets: list[int]) -> float:
    """Return with how many labels `curve` first reaches `target`, between budgets in a straight line; inf: never."""
    if not (reached := np.flatnonzero(curve >= target)).size:
        return float("inf")
    at = int(reached[0])
    if at == 0:
        return float(budgets[0])
    low, high = curve[at - 1], curve[at]
    return budgets[at - 1] + float((target - low) / (high - low)) * (budgets[at] - budgets[at - 1])


def report(name: str, curves: dict[str, np.ndarray], full: np.ndarray, budgets: list[int]) -> tuple[list[str], dict[str, Any]]:  # fmt: skip
    target = TARGET * full.mean()
    by_lot, lot = labels_to(target, curves[LOT].mean(axis=0), budgets), curves[LOT]
    lines = ["", f"**{name}**: full accuracy {full.mean():.3f}, 95 % of it {target:.3f}", "",
             "| asked | labels to reach it | ÷ by lot | the same seed by seed | lowest against by lot, points |",
             "| --- | --- | --- | --- | --- |"]  # fmt: skip
    bar: dict[str, Any] = {}
    for arm, rows in curves.items():
        needed = labels_to(target, rows.mean(axis=0), budgets)
        ratios = np.array([
            labels_to(TARGET * full[i], rows[i], budgets) / labels_to(TARGET * full[i], lot[i], budgets)
            for i in range(len(full))
        ])  # fmt: skip
        below = 100 * float((rows.mean(axis=0) - lot.mean(axis=0)).min())
        spread = T_4 * ratios.std(ddof=1) / len(ratios) ** 0.5
        lines.append(f"| {arm} | {needed:.0f} | {needed / by_lot:.2f} | {ratios.mean():.2f} ± {spread:.2f} | {below:+.2f} |")  # fmt: skip
        if arm == DEFAULT:
            bar = {"name": f"labels to 95 %, {name}", "ours": round(needed), "reference": round(by_lot),
                   "ratio": round(needed / by_lot, 3), "must": RATIO_MUST, "lowest": round(below, 2),
                   "pass": bool(needed / by_lot <= RATIO_MUST and below >= -BELOW_MUST)}  # fmt: skip
    shown = [budget for budget in (100, 200, 300, 400, 600, 800, 1000) if budget in budgets]
    lines += ["", "| accuracy with | " + " | ".join(map(str, shown)) + " |", "| --- |" + " --- |" * len(shown)]
    lines += [
        f"| {arm} | " + " | ".join(f"{rows[:, budgets.index(budget)].mean():.3f}" for budget in shown) + " |"
        for arm, rows in curves.items()
    ]
    return lines, bar


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(JUDGED), choices=list(reviews.SETS))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    began = time.monotonic()
    lines = [f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, shared. "
             f"Means over {len(SEEDS)} seeds; ± is the 95 % interval of such a mean; {BATCH} labels a batch."]  # fmt: skip
    bars = []
    for name in options.sets:
        text, bar = report(name, *measure(reviews.SETS[name]()))
        lines, bars = [*lines, *text], [*bars, bar]
    lines += ["", f"The run took {time.monotonic() - began:.0f} s."]
    print("\n".join(lines))
    if options.write:
        page.write("label_quality_active", lines)
    for bar in bars:
        print(json.dumps(bar))
    passed = all(bar["pass"] for bar in bars)
    print(json.dumps({**bars[0], "name": "label_quality_active", "pass": passed}))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
