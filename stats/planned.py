"""Planned looks: O'Brien-Fleming boundaries by alpha spending, for experiments that say when they are looked at.

What crosses is computed by recursive integration of the score process (Armitage, P., McPherson, C. K. & Rowe, B. C.,
1969, JRSS A 132, 235-244; Jennison, C. & Turnbull, B. W., 2000, Group Sequential Methods, ch. 19): with information t
the score is Z √t, a Brownian motion whose drift is the standard errors that the difference is off 0 when the plan is
full.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from stats.estimates import Array, Contrast, Interval

ALPHA = 0.05
LOOKS = 5
# A look that may spend less is none: its boundary is further out than the normal limit can be trusted.
_LEAST = 1e-12
# So many standard deviations hold all of a normal distribution that double precision sees.
_FAR = 8.5


def even_looks(n: int = LOOKS) -> Array:
    """Return the fractions of the plan at which `n` evenly spaced looks are taken, the last of them 1."""
    return np.arange(1, n + 1) / n


def spent(fractions: ArrayLike, *, alpha: float = ALPHA) -> Array:
    """Return how much of the two-sided `alpha` is spent by each of `fractions` of the plan: all of it by 1, and no
    more.

    4 - 4 Φ(z / √t) with Φ(z) = 1 - α / 4, the O'Brien-Fleming type of Lan, K. K. G. & DeMets, D. L. (1983),
    Biometrika 70, 659-663, α / 2 for each side.
    """
    times = np.clip(np.asarray(fractions, dtype=float), 1e-9, 1.0)
    return np.asarray(4 * ndtr(ndtri(alpha / 4) / np.sqrt(times)))


def boundaries(fractions: ArrayLike, *, alpha: float = ALPHA) -> Array:
    """Return the standard errors that the difference has to be off 0 at each look taken so far, infinite: none is
    enough.

    `fractions` are the shares of the planned information at these looks, rising; where they fall is free, as long as
    they are not chosen by what was seen. What comes after them changes nothing. Beyond 1 nothing is left to spend.
    Raises `ValueError` where they do not rise.
    """
    times = _rising(fractions)
    walk, found, before = _Walk(), [], 0.0
    for time, total in zip(times.tolist(), spent(times, alpha=alpha).tolist(), strict=True):
        step = total - before
        bound = math.inf
        if step > _LEAST:
            bound = walk.bound_for(time, step)
            before = total
        walk = walk.after(time, bound)
        found.append(bound)
    return np.array(found)


def crossings(fractions: ArrayLike, bounds: ArrayLike, *, drift: float = 0.0) -> Array:
    """Return the chance that each look is the first at which the difference is off 0 by `bounds` standard errors or
    more.

    `drift` is how many standard errors the true difference is off 0 when the plan is full; 0 gives the false positives.
    """
    times, walk, found = _rising(fractions), _Walk(drift), []
    for time, bound in zip(times.tolist(), np.asarray(bounds, dtype=float).tolist(), strict=True):
        found.append(walk.crossing(time, bound))
        walk = walk.after(time, bound)
    return np.array(found)


def drift_for(power: float, fractions: ArrayLike, bounds: ArrayLike) -> float:
    """Return the drift (`crossings`) with which one of the looks crosses with the chance `power`."""
    return float(brentq(lambda drift: crossings(fractions, bounds, drift=drift).sum() - power, 0.0, 20.0, xtol=1e-6))


@dataclass(frozen=True, slots=True)
class Plan:
    """Looks as declared before the start: how sure, and how many, evenly spaced, the last when the plan is full."""

    alpha: float = ALPHA
    n_looks: int = LOOKS

    def interval(self, contrast: Contrast, *, earlier: Sequence[float] = ()) -> Interval | None:
        """Return the interval of `contrast` at the look that it was taken for; None where no claim can be made.

        `earlier` are the fractions at the looks before. Repeated confidence intervals: they hold at all looks
        together, whether one stops or not (Jennison, C. & Turnbull, B. W., 1989, JRSS B 51, 305-361). Raises
        `ValueError` where the fractions do not rise: a look without new information is none.
        """
        if not contrast.is_defined:
            return None
        return contrast.interval(float(boundaries([*earlier, contrast.fraction], alpha=self.alpha)[-1]))

    def is_due(self, fraction: float, *, earlier: Sequence[float] = ()) -> bool:
        """Return whether the next look may be taken when `fraction` of the plan is there."""
        taken = len(earlier)
        return taken < self.n_looks and fraction >= (taken + 1) / self.n_looks


class _Walk:
    """The density of the score among walks that have not crossed, on the nodes of a quadrature."""

    def __init__(self, drift: float = 0.0, time: float = 0.0) -> None:
        self.drift, self.time = drift, time
        # At the start all of it is at 0.
        self.nodes: Array = np.zeros(1)
        self.masses: Array = np.ones(1)

    def crossing(self, time: float, bound: float) -> float:
        """Return the chance to be first at or beyond ± `bound` standard errors at `time`."""
        if math.isinf(bound):
            return 0.0
        step, edge = math.sqrt(time - self.time), bound * math.sqrt(time)
        middle = self.nodes + self.drift * (time - self.time)
        return float(self.masses @ (ndtr((-edge - middle) / step) + ndtr((middle - edge) / step)))

    def bound_for(self, time: float, chance: float) -> float:
        """Return the bound that is first crossed at `time` with `chance`."""
        return float(brentq(lambda bound: self.crossing(time, bound) - chance, 0.0, _FAR, xtol=1e-10))

    def after(self, time: float, bound: float) -> _Walk:
        """Return the walk at `time`, without those that crossed."""
        step = math.sqrt(time - self.time)
        centre, reach = self.drift * time, _FAR * math.sqrt(time)
        edge = bound * math.sqrt(time)
        low, high = max(-edge, centre - reach), min(edge, centre + reach)
        found = _Walk(self.drift, time)
        if low >= high:  # all but nothing has crossed
            found.nodes, found.masses = np.zeros(1), np.zeros(1)
            return found
        # Four nodes for each standard deviation of a step, in steps of forty so that few rules have to be made.
        n = 40 * int(np.clip(math.ceil((high - low) / step / 10), 1, 15))
        nodes, weights = _quadrature(n)
        found.nodes = (high + low) / 2 + (high - low) / 2 * nodes
        away = (found.nodes[:, None] - self.nodes[None, :] - self.drift * (time - self.time)) / step
        density = np.exp(-away * away / 2) @ self.masses / (step * math.sqrt(2 * math.pi))
        found.masses = density * weights * (high - low) / 2
        return found


@lru_cache(maxsize=15)
def _quadrature(n: int) -> tuple[Array, Array]:
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return nodes, weights


def _rising(fractions: ArrayLike) -> Array:
    times = np.asarray(fractions, dtype=float).ravel()
    if len(times) == 0 or times[0] <= 0 or np.any(np.diff(times) <= 0):
        raise ValueError(f"looks have to be at rising shares of the plan: {times.tolist()}")
    return times
