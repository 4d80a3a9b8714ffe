"""Several metrics or arms at once: what p-values mean when the best of many is looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from stats.estimates import Array


def holm(p_values: ArrayLike) -> Array:
    """Return adjusted p-values, in the same order: below α, the chance that any true null among them is called is at
    most α.

    Holm, S. (1979), Scandinavian Journal of Statistics 6, 65-70: the k-th smallest of m times m - k + 1, no smaller
    than the one before, at most 1. It holds however metrics depend on each other, and with anytime-valid p-values at
    any look: each is a p-value when one stops. Raises `ValueError` outside of 0…1.
    """
    p = np.asarray(p_values, dtype=float).ravel()
    if np.any(~((p >= 0) & (p <= 1))):
        raise ValueError(f"not all of these are p-values: {p.tolist()}")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted


def simultaneous_level(alpha: float, m: int) -> float:
    """Return the level for each of `m` intervals that hold together with chance 1 - `alpha`: Bonferroni's.

    Wider than what `holm` decides by, so an interval may hold 0 where `holm` calls the metric. Raises `ValueError` on
    no intervals.
    """
    if m < 1:
        raise ValueError("there has to be an interval to give a level to")
    return alpha / m
