"""The tables of the page on declared questions: means over seeds, with intervals over the texts that were tested."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROUNDS = 1_000
Numbers = NDArray[np.int64]
TITLES = {
    "words": "TF-IDF + LR",
    "frozen": "frozen MiniLM + LR",
    "fewer": "frozen MiniLM + LR, as many rows as ours",
}


def accuracy(truth: Numbers, said: Numbers) -> float:
    """Return the share of answers that are right."""
    return float((truth == said).mean())


def macro_f1(truth: Numbers, said: Numbers) -> float:
    """Return the mean F1 of the labels that are true of some text."""
    n = int(max(truth.max(), said.max())) + 1
    hit = np.bincount(truth[truth == said], minlength=n)
    of, told = np.bincount(truth, minlength=n), np.bincount(said, minlength=n)
    return float((2 * hit / np.maximum(of + told, 1))[of > 0].mean())


def interval(rows: Sequence[dict[str, Any]], figure: Callable[[Numbers, Numbers], float]) -> str:
    """Return the mean of `figure` over `rows`, a seed each, and its 95 % interval, texts drawn anew within each seed."""
    pairs = [(np.array(row["truth"]), np.array(row["said"])) for row in rows]
    rng = np.random.default_rng(7)
    rounds = []
    for _ in range(ROUNDS):
        drawn = [(pair, rng.integers(0, len(pair[0]), len(pair[0]))) for pair in pairs]
        rounds.append(np.mean([figure(truth[places], said[places]) for (truth, said), places in drawn]))
    low, high = np.percentile(rounds, [2.5, 97.5])
    return f"{np.mean([figure(*pair) for pair in pairs]):.3f} [{low:.3f}, {high:.3f}]"


def lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return a table for each set: a line for each size and method."""
    written: list[str] = []
    for name in dict.fromkeys(row["set"] for row in rows):
        of_set = [row for row in rows if row["set"] == name]
        written += [
            f"### {name}",
            "",
            "| Labels | Method | Seeds · texts tested | Accuracy | Macro-F1 | Learnt from · tested by the gate | Seconds | The gate |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        for size in sorted({row["size"] for row in of_set}):
            for method in dict.fromkeys(row["method"] for row in of_set):
                if found := [row for row in of_set if (row["size"], row["method"]) == (size, method)]:
                    written.append(_line(size, method, found))
        written.append("")
    return written[:-1]


def _line(size: int, method: str, rows: Sequence[dict[str, Any]]) -> str:
    said = TITLES.get(method, f"ecomsite, `{method}`")
    tested = f"{len(rows)} · {len(rows[0]['truth']):,}"
    figures = f"{interval(rows, accuracy)} | {interval(rows, macro_f1)}"
    if "n" not in rows[0]:
        learnt = ", ".join(f"{row['learnt']:,}" for row in rows) if "learnt" in rows[0] else "all"
        return f"| {size:,} | {said} | {tested} | {figures} | {learnt} | | |"
    learnt = ", ".join(f"{row['n']['train'] + row['n']['validation']:,} · {row['n']['test']:,}" for row in rows)
    seconds = ", ".join(f"{row['seconds']:.0f}" for row in rows)
    verdicts = ", ".join(row["verdict"] for row in rows)
    return f"| {size:,} | {said} | {tested} | {figures} | {learnt} | {seconds} | {verdicts} |"
