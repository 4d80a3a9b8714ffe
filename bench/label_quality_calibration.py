"""Is a consensus as sure as it is right? What is stated against the truth, on halves of crowds' votes.

Half of each set was set aside, by a hash of the question, before anything was tuned; both halves are reported. All runs
through `labeling.quality.queue_model`, as the desk does: raters, and how far the consensus can be believed, are learnt from
the votes of one half, with none, some or all of its truth as known answers, and the other half's items are judged as new.
Where nothing is known, `calibration.SHIPPED` counts, here as it comes out without the set itself. `--write` refreshes the
page and its pictures, `--shipped` prints what ships.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import numpy as np  # noqa: E402

from bench import page, plots  # noqa: E402
from bench.label_quality_consensus import SETS, Answers, keep, read  # noqa: E402
from labeling.quality import calibration, queue_model  # noqa: E402
from labeling.quality.aggregation import TIE  # noqa: E402
from labeling.quality.calibration import Calibration  # noqa: E402
from labeling.quality.queue_model import QueueModel  # noqa: E402

Array = np.ndarray
TUNED, ASIDE = 0, 1
HALVES = {TUNED: "tuned on", ASIDE: "set aside"}
METHODS = ("majority", "dawid_skene")
# Known answers: none, as many as a desk soon has, all of the other half.
AS_IT_COMES, ALL = "not calibrated", "all of the other half"
GOLD = {"none": 0, "30": 30, ALL: None}
DRAWN = {AS_IT_COMES: "Dawid–Skene, not calibrated", ALL: "calibrated on the other half"}
MUST = 0.05
N_BINS, N_ROUNDS = 10, 2000
JUDGED = tuple(name for name in SETS if name.startswith("crowd_"))


def half_of(question: str) -> int:
    return hashlib.sha256(f"half:{question}".encode()).digest()[0] % 2


def half(answers: Answers, which: int) -> Answers:
    """Return the items of one half, with their votes; raters keep their numbers."""
    inside = np.array([half_of(question) == which for question in answers.questions])
    votes, number = answers.votes.where(inside[answers.votes.items]), np.cumsum(inside) - 1
    questions = [question for question, is_in in zip(answers.questions, inside, strict=True) if is_in]
    return Answers(
        replace(votes, items=number[votes.items], n_items=int(inside.sum())), answers.truth[inside], questions
    )


@dataclass(frozen=True)
class Stated:
    """What was stated of the items that got a label, and whether it was right."""

    quality: Array
    right: Array


def ece(quality: Array, right: Array) -> Array:
    """Return the expected calibration error over ten bins of equal width (Guo et al. 2017); `right` (…, n)."""
    bins = np.minimum((quality * N_BINS).astype(int), N_BINS - 1)
    member = np.eye(N_BINS)[bins]  # (n, bin)
    return np.abs((right - quality) @ member).sum(axis=-1) / len(quality)


def by_chance(quality: Array) -> tuple[float, float]:
    """Return the error that perfectly calibrated labels of such quality show: the mean, and what one in forty exceeds."""
    rng = np.random.default_rng(0)
    found = ece(quality, (rng.random((N_ROUNDS, len(quality))) < quality).astype(float))
    return float(found.mean()), float(np.quantile(found, 0.975))


def interval(stated: Stated) -> tuple[float, float, float, float]:
    """Return 95 % intervals of the error and of the mean of what is stated less what is right, over resampled items."""
    rng, n = np.random.default_rng(0), len(stated.right)
    rows = rng.integers(0, n, (N_ROUNDS, n))
    errors = [float(ece(stated.quality[row], stated.right[row])) for row in rows]
    excess = (stated.quality - stated.right)[rows].mean(axis=1)
    return (*np.quantile(errors, [0.025, 0.975]), *np.quantile(excess, [0.025, 0.975]))


def judged(method: str, new: Answers, model: QueueModel) -> Stated:
    """Return what the desk states of new items; a tie is stated to nobody, people are asked."""
    found = queue_model.judge(method, new.votes, model)
    given = found.labels != TIE
    return Stated(found.quality[given], (found.labels == new.truth)[given].astype(float))


def as_it_comes(method: str, new: Answers, model: QueueModel) -> Stated:
    """Return what the method says of itself."""
    found = queue_model.as_it_comes(method, new.votes, model.raters)
    given = found.labels != TIE
    return Stated(found.quality[given], (found.labels == new.truth)[given].astype(float))


# --- What ships --------------------------------------------------------------------------------------------------


def evidence(sets: Mapping[str, Answers], method: str) -> dict[str, list[tuple[Array, Array, Array]]]:
    """Return (posteriors, votes of each, truth) of the half that was tuned on, for each number of votes kept."""
    found: dict[str, list[tuple[Array, Array, Array]]] = {}
    for name, answers in sets.items():
        mine = half(answers, TUNED)
        found[name] = [
            queue_model.out_of_sample(votes, mine.truth, tells_of_raters=False)[method]
            for votes in (mine.votes, *(keep(mine.votes, n, seed=0) for n in SETS[name][1]))
        ]
    return found


def shipped(sets: Mapping[str, Answers], *, without: str = "") -> dict[str, Calibration]:
    """Return what the sets but one come to, each set counting the same."""
    calibrations = {}
    for method in METHODS:
        parts = [parts for name, parts in evidence(sets, method).items() if name != without]
        calibrations[method] = calibration.of_crowds(parts)
    return calibrations


# --- The report --------------------------------------------------------------------------------------------------


def arms(
    name: str, answers: Answers, priors: Mapping[str, Calibration], which: int
) -> Iterator[tuple[str, str, Stated]]:
    """Yield method, what is known, and what is stated of one half by what the other half tells."""
    new, past = half(answers, which), half(answers, 1 - which)
    lot = np.random.default_rng(0).permutation(len(past.truth))
    for title, n_known in GOLD.items():
        known = np.full(len(past.truth), -1)
        known[lot[:n_known]] = past.truth[lot[:n_known]]
        model = queue_model.learn(past.votes, known, priors={**calibration.SHIPPED, **priors})
        for method in METHODS:
            if n_known == 0:
                yield method, AS_IT_COMES, as_it_comes(method, new, model)
            yield method, title, judged(method, new, model)


def row(name: str, which: int, method: str, known: str, stated: Stated) -> tuple[str, dict[str, float]]:
    low, high, under, over = interval(stated)
    error, (usual, most) = float(ece(stated.quality, stated.right)), by_chance(stated.quality)
    excess = float(stated.quality.mean() - stated.right.mean())
    sure = stated.quality >= 0.9
    of_sure = f"{stated.right[sure].mean():.2f} of {sure.mean():.0%}" if sure.any() else "–"
    line = (
        f"| {name} | {HALVES[which]}: {len(stated.right)} | {method} | {known} | {stated.right.mean():.3f} | {stated.quality.mean():.3f} "
        f"| {100 * excess:+.1f} [{100 * under:+.1f}, {100 * over:+.1f}] | {error:.3f} [{low:.3f}, {high:.3f}] | {usual:.3f}, {most:.3f} | {of_sure} |"
    )
    return line, {"ece": error, "by_chance": most, "excess": excess, "under": under, "over": over}


HEAD = [
    "| set | half: items | method | known answers | right | stated | stated − right, points | ECE | … of perfect ones: mean, 97.5 % | right where stated ≥ 0.9 |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--half", choices=HALVES.values(), help="one half alone")
    parser.add_argument("--shipped", action="store_true", help="print what ships, and end")
    parser.add_argument("--write", action="store_true", help="refresh the page in docs/benchmarks and its pictures")
    options = parser.parse_args()
    started = time.perf_counter()
    sets = {name: read(name) for name in SETS}
    if options.shipped:
        for method, found in shipped(sets).items():
            print(method, found)
        return 0
    lines, results = list(HEAD), list[dict[str, Any]]()
    drawn: dict[str, dict[str, tuple[Array, Array]]] = {}
    for name in options.sets:
        priors = shipped(sets, without=name)
        for which in HALVES:
            if options.half not in (None, HALVES[which]):
                continue
            for method, known, stated in arms(name, sets[name], priors, which):
                line, figures = row(name, which, method, known, stated)
                lines.append(line)
                print(line, flush=True)
                results.append({"set": name, "half": which, "method": method, "known": known, **figures})
                if which == ASIDE and method == "dawid_skene" and known in DRAWN:
                    drawn.setdefault(name, {})[DRAWN[known]] = (stated.quality, stated.right)
    lines += ["", f"Python {platform.python_version()}, numpy {np.__version__}, {time.perf_counter() - started:.0f} s."]
    if options.write:
        page.write("label_quality_calibration", lines)
        plots.reliability(page.PAGES.parent / "images" / "consensus-calibration.svg", drawn)
    bars = [found for found in results if found["set"] in JUDGED and found["half"] == ASIDE and found["known"] == ALL]
    if not bars:
        return 0
    for found in bars:
        print(
            json.dumps(
                {**found, "half": HALVES[ASIDE], "must": MUST, "pass": found["ece"] <= max(MUST, found["by_chance"])}
            )
        )
    worst = max(bars, key=lambda found: found["ece"] / max(MUST, found["by_chance"]))
    passed = all(found["ece"] <= max(MUST, found["by_chance"]) for found in bars)
    print(
        json.dumps(
            {
                "name": "label_quality: calibration",
                "set": worst["set"],
                "ece": round(worst["ece"], 4),
                "by_chance": round(worst["by_chance"], 4),
                "must": MUST,
                "pass": passed,
            }
        )
    )
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
