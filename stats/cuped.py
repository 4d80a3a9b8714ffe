"""What is done to outcomes before arms are compared: cohorts matured, tails cut, what was known before removed.

In this order. All three look at the arms together, never at one alone: what treats arms alike cannot favour one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stats.estimates import Array

TAIL = 0.99


def matured(exposed_at: ArrayLike, *, now: float, window: float) -> NDArray[np.bool_]:
    """Return which units were exposed at least `window` before `now`, all in one unit of time (seconds, days).

    Only these are compared, each with what it did within `window` of its exposure: else those who came last, who had no
    time to buy yet, weigh on the arm that has more of them, and the same unit counts differently from look to look.
    Raises `ValueError` for a negative window.
    """
    if window < 0:
        raise ValueError("a window of outcomes cannot be negative")
    return np.asarray(np.asarray(exposed_at, dtype=float) <= now - window)


def cap_of(values: ArrayLike, *, tail: float = TAIL) -> float:
    """Return the value that the share `tail` of `values` does not exceed: what the rest is cut to by `winsorise`.

    Declared from data before the start it stays the same at every look, which is what a confidence sequence asks for.
    Where most units have no outcome at all it is taken of those that have one, else it would cut nearly everything to
    nothing. Raises `ValueError` where there are no values or the tail is not a share.
    """
    rows = np.asarray(values, dtype=float).ravel()
    if not len(rows) or not 0 < tail <= 1:
        raise ValueError("a cap needs values, and a tail above 0 and up to 1")
    cap = float(np.quantile(rows, tail))
    if cap <= 0 and np.any(rows > 0):
        return float(np.quantile(rows[rows > 0], tail))
    return cap


def winsorise(values: ArrayLike, cap: float) -> Array:
    """Return `values` with those above `cap` cut to it. The metric is another one then, and is to be called so.

    Few shoppers hold much of the revenue: cutting them costs some of the difference and more of the variance (Kohavi,
    R., Tang, D. & Xu, Y., 2020, Trustworthy Online Controlled Experiments, ch. 18).
    """
    return np.asarray(np.minimum(np.asarray(values, dtype=float), cap))


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a covariate takes off an outcome: `theta` for each unit that it is above its `centre`.

    `kept` is the share of the variance that is left, 1 - ρ².
    """

    theta: float
    centre: float
    kept: float

    def apply(self, outcomes: ArrayLike, covariates: ArrayLike) -> Array:
        """Return `outcomes` less what `covariates` foretold of them; their mean over all arms stays what it was."""
        return np.asarray(
            np.asarray(outcomes, dtype=float) - self.theta * (np.asarray(covariates, dtype=float) - self.centre)
        )


def cuped(outcomes: ArrayLike, covariates: ArrayLike) -> Adjustment:
    """Return the adjustment of `outcomes` by `covariates`, a row for each unit of all arms together.

    θ = cov(Y, X) / var(X), with var(Y - θ X) = (1 - ρ²) var(Y): Deng, A., Xu, Y., Kohavi, R. & Walker, T. (2013),
    WSDM, 123-132. The covariate has to be from before the exposure (as a rule the same metric over the
    weeks before, the mean where a unit is new): one that the treatment can move hides or invents a difference. Raises
    `ValueError` where the rows differ in number or are fewer than 2.
    """
    y, x = np.asarray(outcomes, dtype=float).ravel(), np.asarray(covariates, dtype=float).ravel()
    if len(y) != len(x) or len(y) < 2:
        raise ValueError(f"two units at least with both values are needed: {len(y)} outcomes, {len(x)} covariates")
    away_y, away_x = y - y.mean(), x - x.mean()
    square_y, square_x = float(away_y @ away_y), float(away_x @ away_x)
    if square_x <= 0 or square_y <= 0:
        return Adjustment(0.0, float(x.mean()), 1.0)
    together = float(away_y @ away_x)
    return Adjustment(together / square_x, float(x.mean()), max(0.0, 1 - together**2 / (square_x * square_y)))
