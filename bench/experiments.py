"""What the statistics of experiments promise, on real experiments: false positives, power, ratios, SRM, bandits.

Units are real, what is between the arms is made: labels of arms are drawn anew (no difference), or a difference is
planted that one look at the end finds in 80 of 100. Each set is in two halves by a hash, one to choose by, one set
aside, and each bar has to be reached on both. `--scale 0.01` is a first try of seconds; `--write` refreshes the page.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import numpy as np  # noqa: E402

from bench import page  # noqa: E402
from bench.experiment_bandits import JUDGED, STRATEGIES, after_a_bandit, earned  # noqa: E402
from bench.experiment_data import Half, load  # noqa: E402
from bench.experiment_looks import (  # noqa: E402
    METHODS,
    N_LOOKS,
    UNITS,
    Looks,
    Z,
    permuted,
    permuted_clicks,
    planted_means,
    planted_shares,
    rates_of,
    revenue,
)
from labeling.quality.intervals import share  # noqa: E402
from stats.cuped import cap_of, cuped, winsorise  # noqa: E402
from stats.srm import sample_ratio  # noqa: E402

PARTS = ("peeking", "power", "ratio", "cuped", "srm", "earned", "claims", "uneven")
NAIVE, SEQUENCE, LOOKS = METHODS[1:]


def ratios(half: Half, n_runs: int, rng: np.random.Generator) -> dict[str, tuple[int, int]]:
    """Return how often a ratio of shoppers' purchases and carts to views is called different between arms by lot, at
    the end.
    """
    y, x = half.bought, half.views
    columns = np.column_stack([np.ones_like(x), y, x, y * y, x * y, x * x])
    by_delta = as_independent = 0
    for start in range(0, n_runs, 200):
        first = (rng.random((min(200, n_runs - start), len(x))) < 0.5) @ columns
        arms = np.array([first, columns.sum(axis=0) - first])
        n, sum_y, sum_x, yy, xy, xx = np.moveaxis(arms, -1, 0)
        value = sum_y / sum_x
        spread = (yy - 2 * value * xy + value**2 * xx) / (n - 1)  # the residuals sum to 0 by construction
        delta = np.sqrt((spread / n / (sum_x / n) ** 2).sum(axis=0))
        plain = np.sqrt((value * (1 - value) / sum_x).sum(axis=0))
        away = np.abs(value[0] - value[1])
        by_delta += int((away / delta > Z).sum())
        as_independent += int((away / plain > Z).sum())
    return {"delta method": (by_delta, n_runs), "as if independent": (as_independent, n_runs)}


def mismatches(half: Half, rng: np.random.Generator, n_rounds: int = 20) -> dict[str, tuple[int, int]]:
    """Return how many tests of Upworthy have a sample ratio off equal arms, as they are and with units shared out
    anew.
    """
    found = [sample_ratio(shown.tolist(), [1] * len(shown)) for shown, _ in half.tests]
    anew = [
        sample_ratio(rng.multinomial(shown.sum(), np.full(len(shown), 1 / len(shown))).tolist(), [1] * len(shown))
        for shown, _ in half.tests
        for _ in range(n_rounds)
    ]
    return {
        "as they are": (sum(each.is_mismatch for each in found), len(found)),
        "as they are, test for every look": (sum(each.is_mismatch_always for each in found), len(found)),
        "shared out anew": (sum(each.is_mismatch for each in anew), len(anew)),
        "shared out anew, test for every look": (sum(each.is_mismatch_always for each in anew), len(anew)),
    }


def covariates(half: Half, n_runs: int, rng: np.random.Generator) -> tuple[float, float, int, int]:
    """Return 1 - ρ², what is left of the variance of a difference, and how often one is called between arms by lot."""
    cap = cap_of(half.after)
    after, before = winsorise(half.after, cap), winsorise(half.before, cap_of(half.before))
    adjustment = cuped(after, before)
    left = adjustment.apply(after, before)
    ours, plain, n_called = [], [], 0
    for _ in range(n_runs):
        arm = rng.random(len(after)) < 0.5
        ours.append(left[arm].mean() - left[~arm].mean())
        plain.append(after[arm].mean() - after[~arm].mean())
        error = np.sqrt(left[arm].var(ddof=1) / arm.sum() + left[~arm].var(ddof=1) / (~arm).sum())
        n_called += abs(ours[-1]) / error > Z
    return adjustment.kept, float(np.var(ours) / np.var(plain)), n_called, n_runs


class Report:
    """The lines of the page, and the checks that the last line of JSON sums up."""

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.lines: list[str] = []
        self.checks: list[dict[str, Any]] = []

    def n(self, runs: int) -> int:
        return max(int(runs * self.scale), 2)

    def say(self, *lines: str) -> None:
        self.lines += lines
        print("\n".join(lines), flush=True)

    def table(self, *heads: str) -> None:
        self.say("", "| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads))

    def check(self, half: Half | str, name: str, ours: float, must: str, passed: bool) -> None:
        part = half if isinstance(half, str) else half.name
        self.checks.append({"name": f"{name}, {part}", "ours": round(ours, 4), "must": must, "pass": bool(passed)})


def shown(hits: int, n: int) -> str:
    found = share(int(hits), n, minimum=1)
    return f"{found.value:.4f} [{found.low:.4f}, {found.high:.4f}]"


def looked_at(report: Report, part: str, name: str, looks: Iterator[Looks]) -> np.ndarray:
    began = time.monotonic()
    hits, n = rates_of(looks)
    report.say(f"| {part} | {name} | {n:,} | " + " | ".join(shown(k, n) for k in hits) + " |")
    print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return hits / n


def peeking(report: Report, halves: list[Half], rng: np.random.Generator) -> None:
    report.table("half", f"no difference, {N_LOOKS:,} looks", "runs", *METHODS)
    runs = report.n(2000)
    for half in halves:
        capped = winsorise(half.rounds, cap_of(half.rounds))
        for name, looks in (
            ("cookie_cats, back on day 7", permuted(half.retained, runs, rng, is_share=True)),
            ("cookie_cats, rounds played", permuted(half.rounds, runs, rng, is_share=False)),
            ("cookie_cats, rounds up to the 99th percentile", permuted(capped, runs, rng, is_share=False)),
            ("upworthy, clicks of a test", permuted_clicks(half, report.n(len(half.tests)), rng)),
        ):
            found = dict(zip(METHODS, looked_at(report, half.name, name, looks), strict=True))
            report.check(half, f"called at 1,000 looks, {name}", found[SEQUENCE], "≤ 0.05", found[SEQUENCE] <= 0.05)
            report.checks[-1]["naive"] = round(float(found[NAIVE]), 4)


def uneven(report: Report, halves: list[Half], rng: np.random.Generator) -> None:
    report.table("half", "no difference, a tenth against nine tenths", "runs", *METHODS)
    runs = report.n(1000)
    for half in halves:
        capped = winsorise(half.rounds, cap_of(half.rounds))
        for name, looks in (
            ("cookie_cats, back on day 7", permuted(half.retained, runs, rng, is_share=True, first_share=0.1)),
            ("cookie_cats, rounds played", permuted(half.rounds, runs, rng, is_share=False, first_share=0.1)),
            (
                "cookie_cats, rounds up to the 99th percentile",
                permuted(capped, runs, rng, is_share=False, first_share=0.1),
            ),
        ):
            found = dict(zip(METHODS, looked_at(report, half.name, name, looks), strict=True))
            report.check(
                half, f"called at 1,000 looks, a tenth, {name}", found[SEQUENCE], "≤ 0.05", found[SEQUENCE] <= 0.05
            )
    for name, tail in (("revenue", None), ("revenue up to the 99th percentile of buyers", 0.99)):
        found = dict(zip(METHODS, looked_at(report, "simulated", name, revenue(runs, rng, tail=tail)), strict=True))
        report.check("simulated", f"called, a tenth, {name}", found[SEQUENCE], "≤ 0.05", found[SEQUENCE] <= 0.05)


def power(report: Report, halves: list[Half], rng: np.random.Generator) -> None:
    report.table("half", f"a planted difference, {UNITS:,} units an arm", "runs", *METHODS)
    for half in halves:
        clicks = sum(int(k.sum()) for _, k in half.tests) / sum(int(n.sum()) for n, _ in half.tests)
        capped = winsorise(half.rounds, cap_of(half.rounds))
        for name, looks in (
            ("cookie_cats, back on day 7", planted_shares(half.retained.mean(), report.n(10_000), rng)),
            ("upworthy, clicks", planted_shares(clicks, report.n(10_000), rng)),
            ("cookie_cats, rounds up to the 99th percentile", planted_means(capped, report.n(4_000), rng)),
        ):
            found = dict(zip(METHODS, looked_at(report, half.name, name, looks), strict=True))
            report.check(half, f"power of the sequence, {name}", found[SEQUENCE], "≥ 0.50", found[SEQUENCE] >= 0.5)
            report.check(half, f"power of planned looks, {name}", found[LOOKS], "≥ 0.78", found[LOOKS] >= 0.78)


def ratio(report: Report, halves: list[Half], rng: np.random.Generator) -> None:
    report.table("half", "carts and purchases for each view, no difference, one look", "runs", "called")
    for half in halves:
        for name, (hits, n) in ratios(half, report.n(10_000), rng).items():
            report.say(f"| {half.name} | {name} | {n:,} | {shown(hits, n)} |")
            if name == "delta method":
                report.check(half, "ratio called", hits / n, "0.05 ± 0.015", abs(hits / n - 0.05) <= 0.015)


def adjusted(report: Report, halves: list[Half], rng: np.random.Generator) -> None:
    report.table("half", "views by the views of the hours before", "1 - ρ²", "variance left", "runs", "called")
    for half in halves:
        kept, left, hits, n = covariates(half, report.n(4_000), rng)
        report.say(
            f"| {half.name} | {len(half.after):,} shoppers | {kept:.3f} | {left:.3f} | {n:,} | {shown(hits, n)} |"
        )


def srm(report: Report, halves: list[Half], rng: np.random.Generator) -> None:
    report.table("half", "sample ratio off equal arms, p < 0.001", "tests", "flagged")
    flagged, of = 0, 0
    for half in halves:
        for name, (hits, n) in mismatches(half, rng).items():
            report.say(f"| {half.name} | upworthy, {name} | {n:,} | {shown(hits, n)} |")
            if name == "as they are":
                flagged, of = flagged + hits, of + n
            elif name == "shared out anew":
                report.check(half, "SRM flagged, shared out anew", hits / n, "≤ 0.002", hits / n <= 0.002)
        ours = int(half.gate.sum())
        found = sample_ratio([ours, len(half.gate) - ours], [1, 1])
        report.say(f"| {half.name} | cookie_cats | 1 | p = {found.p:.3f} |")
    # How many are off is a trait of Upworthy's tests, and of those of both halves together; nothing was chosen by it.
    report.say(f"| both | upworthy, as they are | {of:,} | {shown(flagged, of)} |")
    report.check("both", "SRM flagged in Upworthy", flagged / of, "≥ 0.15", flagged / of >= 0.15)


def bandit(report: Report, halves: list[Half], rng: np.random.Generator) -> None:
    report.table("half", "12,000 units over the headlines of a group", "groups", "clicks ÷ the best headline's")
    for half in halves:
        for name in STRATEGIES:
            found = earned(half, name, report.n(4) if report.scale >= 1 else 1, rng)
            spread = Z * found.std(ddof=1) / len(found) ** 0.5
            report.say(f"| {half.name} | {name} | {len(found)} | {found.mean():.4f} ± {spread:.4f} |")
            if name == JUDGED:
                report.check(half, f"{name}, clicks ÷ oracle", float(found.mean()), "≥ 0.93", found.mean() >= 0.93)


def claims(report: Report, halves: list[Half], rng: np.random.Generator) -> None:
    report.table("half", "no difference, two arms of a bandit, one look", "runs", "called", "mean of an arm, off by")
    for half in halves:
        base = float(half.retained.mean())
        for name, (hits, n, off, spread) in after_a_bandit(base, report.n(1_000), rng).items():
            points = f"{100 * off:+.2f} ± {100 * spread:.2f} points"
            report.say(f"| {half.name} | {name} | {n:,} | {shown(hits, n)} | {points} of {100 * base:.1f} % |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--scale", type=float, default=1.0, help="of the runs of each part")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    began, report, halves = time.monotonic(), Report(options.scale), load()
    steps = dict(zip(PARTS, (peeking, power, ratio, adjusted, srm, bandit, claims, uneven), strict=True))
    for number, part in enumerate(PARTS):
        if part in options.parts:
            steps[part](report, halves, np.random.default_rng([20, number]))
    if options.write:
        page.write(
            "experiments",
            [
                f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, shared; "
                f"{time.monotonic() - began:.0f} s. In brackets the 95 % interval of Wilson.",
                *report.lines,
            ],
        )
    peeked = [check for check in report.checks if "naive" in check]
    ours = max((check["ours"] for check in peeked), default=None)
    naive = min((check["naive"] for check in peeked), default=None)
    passed = all(check["pass"] for check in report.checks)
    last = {
        "name": "experiments",
        "ours": ours,
        "reference": naive,
        "ratio": round(ours / naive, 3) if peeked and naive else None,
        "must": "all checks on both halves",
        "pass": passed,
        "checks": report.checks,
    }
    print(json.dumps(last, ensure_ascii=False))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
