"""Whether people agree with what serves less than before, looked at every day without being fooled by looking often."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Of a hundred champions that do not get worse, at most one is ever called worse, however long it serves.
ALPHA = 0.01
# The latest so many answers are compared with all before them: a large fall shows in few, a small one in many. Doubled
# each time, so that whenever a fall began, one of them holds little else.
WINDOWS = (50, 100, 200, 400, 800, 1_600, 3_200)
FEWEST_BEFORE = 50
# Of a champion's own answers so many at most, and of those to who served before it.
MOST, PREDECESSORS = 6_400, 200


@dataclass(frozen=True)
class Change:
    """The latest `n` answers, of which `right` agreed, against the `n_before` before them.

    `p` is the chance of so few among the latest, or fewer, if nothing had changed, paid for each window; `level` what
    it has to be below on this day.
    """

    right: int
    n: int
    right_before: int
    n_before: int
    p: float
    level: float

    @property
    def is_fall(self) -> bool:
        return self.p < self.level


def level_on(day: int, *, alpha: float = ALPHA) -> float:
    """Return the share of `alpha` that the look of `day`, from 1, may spend: 6 / (π · day)², which sums to `alpha` for
    ever.

    Alpha spending (Lan, K. K. G. & DeMets, D. L., 1983, Biometrika 70, 659-663), with the union bound over looks, which
    holds however the looks depend on each other.
    """
    return alpha * 6 / (math.pi * max(day, 1)) ** 2


def measure_change(
    answers: Sequence[bool], *, before: Sequence[bool] = (), day: int, alpha: float = ALPHA
) -> Change | None:
    """Return how the latest of `answers`, oldest first, compare with those before; None while there are too few.

    `before` are answers from before the first of `answers`: of whoever served then. `day` counts from 1, and everything
    that is looked at on one day has to be the same, as often as it is looked at. While nothing changes each answer is
    as likely to agree as any other, and then which of them are the latest is chance: Fisher's exact test, one-sided
    (Fisher, R. A., 1935, JRSS 98, 39-82). Each of `WINDOWS` gets an equal share of the day's level (Bonferroni).
    """
    n_all, n_right = len(before) + len(answers), sum(before) + sum(answers)
    level, found = level_on(day, alpha=alpha), None
    right = taken = 0
    for window in WINDOWS:
        if window > len(answers) or n_all - window < FEWEST_BEFORE:
            break
        right += sum(answers[len(answers) - window : len(answers) - taken])
        taken = window
        chance = _at_most(right, of=window, n_right=n_right, n=n_all, enough=1 / len(WINDOWS))
        p = min(1.0, len(WINDOWS) * chance)
        change = Change(right, window, n_right - right, n_all - window, p, level)
        if found is None or p <= found.p:
            found = change
    return found


def _at_most(right: int, *, of: int, n_right: int, n: int, enough: float = 1.0) -> float:
    """Return the chance that of `of` answers, drawn from `n` with `n_right` that agree, at most `right` agree.

    Where it is `enough` or more, any such number.
    """
    lowest = max(0, of - (n - n_right))
    term = math.exp(
        _log_choose(n_right, right) + _log_choose(n - n_right, of - right) - _log_choose(n, of)
    )  # of exactly `right`
    total = 0.0
    for k in range(right, lowest - 1, -1):
        total += term
        term *= k * (n - n_right - of + k) / ((n_right - k + 1) * (of - k + 1))
        if total >= enough or (term < total * 1e-12 and k * n < of * n_right):
            break
    return min(total, 1.0)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
