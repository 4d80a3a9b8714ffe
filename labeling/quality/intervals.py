"""Figures with their 95 % intervals, and the count below which no figure is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

Z = 1.959963984540054
# At 20 the interval of a share is up to 40 points wide: less than that is no figure to judge anybody by.
MINIMUM = 20
N_ROUNDS = 1000
# Draws held at a time, so that many kinds of items do not mean much memory.
_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, its 95 % interval, and how many items (or answers) it rests on.

    `value`, `low` and `high` are None where `n` is under the minimum asked for, or where the figure is undefined.
    """

    n: int
    value: float | None = None
    low: float | None = None
    high: float | None = None


def wilson(hits: ArrayLike, n: ArrayLike) -> tuple[Array, Array]:
    """Return the 95 % interval of the shares `hits` / `n`, element by element; (0, 1) where `n` is 0.

    Wilson, E. B. (1927), JASA 22, 209–212. In [0, 1], and sound where `hits` is 0 or `n`.
    """
    k, total = np.asarray(hits, dtype=float), np.asarray(n, dtype=float)
    spread = Z * np.sqrt(k * (total - k) / np.maximum(total, 1) + Z * Z / 4)
    middle = k + Z * Z / 2
    return (
        np.where(k <= 0, 0.0, (middle - spread) / (total + Z * Z)),
        np.where(k >= total, 1.0, (middle + spread) / (total + Z * Z)),
    )


def share(hits: float, n: int, *, minimum: int = MINIMUM) -> Estimate:
    """Return `hits` / `n` with Wilson's interval."""
    if n < max(minimum, 1):
        return Estimate(n)
    low, high = wilson(hits, n)
    return Estimate(n, hits / n, float(low), float(high))


def share_difference(hits: float, n: int, other_hits: float, other_n: int, *, minimum: int = MINIMUM) -> Estimate:
    """Return `hits` / `n` - `other_hits` / `other_n` of two separate groups; the `n` of it is the smaller group's.

    Newcombe, R. G. (1998), Statistics in Medicine 17, 873–890, method 10.
    """
    smaller = min(n, other_n)
    if smaller < max(minimum, 1):
        return Estimate(smaller)
    ours, others = hits / n, other_hits / other_n
    (low, other_low), (high, other_high) = wilson([hits, other_hits], [n, other_n])
    difference = ours - others
    below, above = np.hypot(ours - low, other_high - others), np.hypot(high - ours, others - other_low)
    return Estimate(smaller, difference, float(difference - below), float(difference + above))


def median(values: ArrayLike, *, minimum: int = MINIMUM) -> Estimate:
    """Return the median of `values` with the interval between two of them; NaN is left out.

    Campbell, M. J. & Gardner, M. J. (1988), BMJ 296, 1454–1456; it assumes nothing of the distribution.
    """
    given = np.asarray(values, dtype=float)
    ordered = np.sort(given[~np.isnan(given)])
    n = len(ordered)
    if n < max(minimum, 1):
        return Estimate(n)
    first = int(np.floor((n - Z * np.sqrt(n)) / 2))
    last = int(np.ceil((n + Z * np.sqrt(n)) / 2))
    return Estimate(n, float(np.median(ordered)), float(ordered[max(first - 1, 0)]), float(ordered[min(last, n - 1)]))


def bootstrap(
    statistics: Array,
    figure: Callable[[Array], Array],
    *,
    minimum: int = MINIMUM,
    n_rounds: int = N_ROUNDS,
    seed: int = 0,
) -> Estimate:
    """Return `figure` of the column sums of `statistics`, with the percentile interval over resampled items.

    `statistics` has a row for each item, (items, k): what the item adds to each sum. `figure` turns sums (…, k) into
    figures (…), NaN where undefined. Rounds in which it is undefined are left out of the interval.
    """
    n = len(statistics)
    if n < max(minimum, 1):
        return Estimate(n)
    value = float(figure(statistics.sum(axis=0)))
    if np.isnan(value):
        return Estimate(n)
    low, high = np.nanpercentile(figure(resample(statistics, n_rounds=n_rounds, seed=seed)), [2.5, 97.5])
    return Estimate(n, value, float(low), float(high))


def resample(statistics: Array, *, n_rounds: int = N_ROUNDS, seed: int = 0) -> Array:
    """Return the column sums of `n_rounds` samples of rows, drawn with replacement: (n_rounds, k).

    Equal rows are one kind, and how many of each kind are drawn is multinomial: the same as drawing rows one by one,
    and far cheaper where a million items show a few dozen patterns.
    """
    rng = np.random.default_rng(seed)
    # Rows are told apart by their product with random numbers: sorting one column is much faster than sorting rows.
    marks = statistics @ rng.random(statistics.shape[1])
    _, first, counts = np.unique(marks, return_index=True, return_counts=True)
    kinds, n = statistics[first], len(statistics)
    sums = np.empty((n_rounds, kinds.shape[1]))
    step = max(1, _CELLS // len(kinds))
    for start in range(0, n_rounds, step):
        size = min(step, n_rounds - start)
        sums[start : start + size] = rng.multinomial(n, counts / n, size=size) @ kinds
    return sums
