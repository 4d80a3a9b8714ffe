"""What an arm of an experiment shows, and how far two arms are apart: means, shares, ratios, relative differences.

The unit is whatever was assigned by lot (a shopper, not a page view): its rows have to be summed before they come here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# Below so many conversions in an arm (or units that did not convert) the normal limit says too little of the tails.
MINIMUM = 20
# Skewness of a difference up to which the normal limit is trusted: 0 with even arms, however skewed their units are.
# Simulated (docs/benchmarks/experiments.md): revenue in a tenth against nine tenths lay above it wherever too much
# was called.
MOST_SKEWED = 0.2


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric in one arm of `n` units; `variance` is that of `value`, its standard error squared.

    `support` is how many units the value rests on: those with an outcome, or without one where they are fewer.
    `skewness` is that of the units, 0 where they lie evenly around the value.
    """

    n: int
    value: float
    variance: float
    support: int
    skewness: float


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure between `low` and `high`. Relative ones are shares of the control's value: 0.02 is 2 % more."""

    value: float
    low: float
    high: float
    is_relative: bool = False


@dataclass(frozen=True, slots=True)
class Contrast:
    """How far an arm is from its control: `value` with its `variance`; of a relative one both are of the log of the
    ratio.

    `fraction` is the information there is as a share of the planned: 1 when both arms are full, more when they
    overran. `skewness` is that of the difference if both arms had the units of the more skewed: the few outcomes of a
    small arm do not show its tail, so that its variance is told too small and too much is called; the other arm shows
    it.
    """

    value: float
    variance: float
    fraction: float
    support: int
    is_relative: bool = False
    skewness: float = 0.0

    @property
    def is_defined(self) -> bool:
        """Whether there is enough for an interval: `MINIMUM` units with an outcome in each arm, a spread, and no long
        tail in arms too uneven for it (`MOST_SKEWED`): even arms, a lower cap or more units help.
        """
        is_enough = self.support >= MINIMUM and abs(self.skewness) <= MOST_SKEWED
        return is_enough and 0 < self.variance < math.inf and self.fraction > 0

    @property
    def z(self) -> float:
        """The value in standard errors; 0 where it is not defined."""
        return self.value / math.sqrt(self.variance) if self.is_defined else 0.0

    def interval(self, width: float) -> Interval | None:
        """Return the value ± `width` standard errors, a relative one as a share; None where it is not defined."""
        if not self.is_defined or math.isinf(width):
            return None
        radius = width * math.sqrt(self.variance)
        ends = (self.value, self.value - radius, self.value + radius)
        if self.is_relative:
            ends = (_expm1(ends[0]), _expm1(ends[1]), _expm1(ends[2]))
        return Interval(*ends, is_relative=self.is_relative)


def mean(values: ArrayLike) -> Figure:
    """Return the mean of `values`, one for each unit, with the variance s² / n. Raises `ValueError` on fewer than 2."""
    rows = _rows(values)
    away = rows - rows.mean()
    variance = float(away @ away) / (len(rows) - 1) / len(rows)
    return Figure(len(rows), float(rows.mean()), variance, int(np.count_nonzero(rows)), _skewness(away))


def mean_of_sums(n: int, total: float, squares: float, cubes: float, *, support: int) -> Figure:
    """Return what `mean` returns, of the sums of values, their squares and cubes, which a database can keep.

    Sums that are much larger than their spread lose digits: subtract a constant from the values before. Raises
    `ValueError` on fewer than 2 units.
    """
    if n < 2:
        raise ValueError("a mean needs two units at least")
    value = total / n
    spread = max(squares / n - value * value, 0.0)
    third = cubes / n - 3 * value * squares / n + 2 * value**3
    skewness = third / spread**1.5 if spread > 0 else 0.0
    return Figure(n, value, spread / (n - 1), support, skewness)


def share(hits: int, n: int) -> Figure:
    """Return the share of `n` units with an outcome: `mean` of 0 and 1. Raises `ValueError` on fewer than 2 units."""
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} of {n} is no share")
    return mean_of_sums(n, hits, hits, hits, support=min(hits, n - hits))


def ratio(numerators: ArrayLike, denominators: ArrayLike) -> Figure:
    """Return Σ numerators / Σ denominators, a row of each for each unit: clicks for each view, revenue for each order.

    The variance is by the delta method, s² of (y - R x) / (n x̄²): rows of one unit go together, so that counting
    clicks as if they were independent is too sure (Deng, A., Knoblich, U. & Lu, J., 2018, KDD, 233-242).
    Raises `ValueError` on fewer than 2 units or where the denominators sum to nothing.
    """
    above, below = _rows(numerators), _rows(denominators)
    if len(above) != len(below):
        raise ValueError(f"{len(above)} numerators for {len(below)} denominators")
    middle = float(below.mean())
    if middle <= 0:
        raise ValueError("the denominators of a ratio have to sum to more than nothing")
    value = float(above.mean()) / middle
    away = above - value * below
    variance = float(away.var(ddof=1)) / len(above) / middle**2
    return Figure(len(above), value, variance, int(np.count_nonzero(above)), _skewness(away))


def difference(arm: Figure, control: Figure, *, planned: tuple[int, int]) -> Contrast:
    """Return `arm` - `control`; `planned` are the units that each is to have at the end. Raises `ValueError` on none.

    The fraction goes by information, the inverse of the variance, so that ramps and uneven shares need no extra care.
    """
    return _contrast(arm, control, planned, value=arm.value - control.value, scales=(1.0, 1.0), is_relative=False)


def relative(arm: Figure, control: Figure, *, planned: tuple[int, int]) -> Contrast:
    """Return `arm` / `control` - 1, for metrics that are above 0; where one is not, it is not defined.

    By the delta method on the log of the ratio, whose intervals never go below -100 % and read the same from either
    side. Raises `ValueError` where nothing is planned.
    """
    if min(arm.value, control.value) <= 0:
        return Contrast(math.nan, math.inf, 0.0, 0, is_relative=True)
    scales = (1 / arm.value**2, 1 / control.value**2)
    return _contrast(arm, control, planned, value=math.log(arm.value / control.value), scales=scales, is_relative=True)


def _contrast(
    arm: Figure,
    control: Figure,
    planned: tuple[int, int],
    *,
    value: float,
    scales: tuple[float, float],
    is_relative: bool,
) -> Contrast:
    if min(planned) < 1:
        raise ValueError("how many units each arm is to have has to be planned before the start")
    parts = [figure.variance * scale for figure, scale in zip((arm, control), scales, strict=True)]
    variance = sum(parts)
    at_the_end = parts[0] * arm.n / planned[0] + parts[1] * control.n / planned[1]
    fraction = at_the_end / variance if variance > 0 else 0.0
    # Of a sum with weights ± 1 / n of units of one skewness: the third cumulants over the variance to the power 3 / 2.
    unevenness = abs(1 / arm.n - 1 / control.n) / math.sqrt(1 / arm.n + 1 / control.n)
    skewness = max(abs(arm.skewness), abs(control.skewness)) * unevenness
    return Contrast(value, variance, fraction, min(arm.support, control.support), is_relative, skewness)


def _skewness(away: Array) -> float:
    spread = float(np.mean(away**2))
    return float(np.mean(away**3)) / spread**1.5 if spread > 0 else 0.0


def _expm1(value: float) -> float:
    return math.expm1(min(value, 700.0))


def _rows(values: ArrayLike) -> Array:
    rows = np.asarray(values, dtype=float).ravel()
    if len(rows) < 2:
        raise ValueError("a figure needs two units at least")
    return rows
