"""How often a champion that does not get worse is called worse, and how soon one that does is: looked at every day.

The function is the one that the desk decides by each day, `labeling.quality.change.measure_change`. Answers are simulated: each
day so many reviews by lot, of which people agree with the champion on a share. Minutes on one core. `--write` refreshes the page.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import numpy as np  # noqa: E402

from bench import page  # noqa: E402
from labeling.quality.change import ALPHA, MOST, PREDECESSORS, measure_change  # noqa: E402
from labeling.quality.intervals import share  # noqa: E402

YEAR, FALL_ON = 365, 30
# Share that people agree on, and by how much it goes up and down from day to day.
STEADY = ((0.70, 0.0), (0.85, 0.0), (0.95, 0.0), (0.85, 0.05))
FALLS = (0.05, 0.10, 0.20, 0.30)
GOOD = 0.85
A_DAY = (10, 20, 50)


def called_on(rng: np.random.Generator, shares: np.ndarray, a_day: int, before: list[bool]) -> int:
    """Return the day on which a champion is called worse; 0 for never. `shares`: what people agree on, day by day."""
    answers: list[bool] = []
    for day, right in enumerate(shares, start=1):
        answers += (rng.random(a_day) < right).tolist()
        found = measure_change(answers[-MOST:], before=before, day=day)
        if found is not None and found.is_fall:
            return day
    return 0


def steady(right: float, spread: float, n: int) -> int:
    """Return how many of `n` champions that do not get worse are called worse within a year."""
    rng = np.random.default_rng([3, round(1000 * right), round(1000 * spread)])
    called = 0
    for _ in range(n):
        before = (rng.random(PREDECESSORS) < right).tolist()
        shares = np.clip(rng.normal(right, spread, YEAR), 0, 1)
        called += called_on(rng, shares, 20, before) > 0
    return called


def falling(fall: float, a_day: int, n: int) -> np.ndarray:
    """Return after how many days each of `n` champions is called worse that falls by `fall`; infinity: not within 150 days."""
    rng = np.random.default_rng([4, round(1000 * fall), a_day])
    shares = np.r_[np.full(FALL_ON, GOOD), np.full(150, GOOD - fall)]
    days = []
    for _ in range(n):
        before = (rng.random(PREDECESSORS) < GOOD).tolist()
        on = called_on(rng, shares, a_day, before)
        days.append(on - FALL_ON if on > FALL_ON else np.inf)
    return np.array(days)


def _day(value: float) -> str:
    return "later" if np.isinf(value) else f"{value:.0f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--champions", type=int, default=2000)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    n, n_falling = options.champions, max(options.champions // 4, 1)
    lines = ["| people agree on | from day to day | called worse within a year |", "| --- | --- | --- |"]
    worst = 0.0
    for right, spread in STEADY:
        found = share(steady(right, spread, n), n, minimum=1)
        worst = max(worst, found.value or 0.0)
        lines.append(
            f"| {right:.0%} | ± {100 * spread:.0f} points | {found.value:.2%} [{found.low:.2%}, {found.high:.2%}] of {n:,} |"
        )
        print(lines[-1], flush=True)
    lines += [
        "",
        "| falls from 85 % by | a day | median days | nine of ten within | found within 30 days |",
        "| --- | --- | --- | --- | --- |",
    ]
    soon = 0.0
    for fall in FALLS:
        for a_day in A_DAY:
            days = falling(fall, a_day, n_falling)
            within = share(int((days <= 30).sum()), n_falling, minimum=1)
            if (fall, a_day) == (0.20, 20):
                soon = within.value or 0.0
            median, most = np.quantile(days, [0.5, 0.9], method="higher")
            lines.append(
                f"| {100 * fall:.0f} points | {a_day} | {_day(median)} | {_day(most)} | {within.value:.1%} "
                f"[{within.low:.1%}, {within.high:.1%}] |"
            )
            print(lines[-1], flush=True)
    if options.write:
        page.write("drift", lines)
    passed = worst <= ALPHA and soon >= 0.9
    print(
        json.dumps(
            {
                "name": "drift",
                "champions": n,
                "called_worse": worst,
                "found_20_points_in_30_days": soon,
                "must": f"called worse ≤ {ALPHA}, found ≥ 0.9",
                "pass": passed,
            }
        )
    )
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
