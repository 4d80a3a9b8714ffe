"""How many units an experiment needs, and with what chance it finds a difference of a given size."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr, ndtri

from stats import planned, sequences
from stats.estimates import Array

ALPHA, POWER = 0.05, 0.8
# Looks that a sequence's power is computed for: with 400 it needs 1.65 times the units of one look, with 100 1.68
# times.
_DENSE = 100


def units_for_shares(control: float, arm: float, *, alpha: float = ALPHA, power: float = POWER) -> int:
    """Return the units in each of two arms that tell the shares `control` and `arm` apart, in one look at the end.

    Fleiss, J. L., Levin, B. & Paik, M. C. (2003), Statistical Methods for Rates and Proportions, ch. 4, without the
    correction for continuity. Raises `ValueError` for shares outside of 0…1 and for equal ones.
    """
    _check(control, arm)
    middle = (control + arm) / 2
    under_none = _z(alpha) * math.sqrt(2 * middle * (1 - middle))
    under_some = float(ndtri(power)) * math.sqrt(control * (1 - control) + arm * (1 - arm))
    return math.ceil(((under_none + under_some) / (arm - control)) ** 2)


def power_for_shares(control: float, arm: float, n: int, *, alpha: float = ALPHA) -> float:
    """Return the chance that `n` units in each arm tell the shares apart, in one look: what `units_for_shares`
    inverts.
    """
    _check(control, arm)
    middle = (control + arm) / 2
    under_none = _z(alpha) * math.sqrt(2 * middle * (1 - middle))
    under_some = math.sqrt(control * (1 - control) + arm * (1 - arm))
    away = abs(arm - control) * math.sqrt(n)
    return float(ndtr((away - under_none) / under_some) + ndtr((-away - under_none) / under_some))


def units_for_means(deviation: float, difference: float, *, alpha: float = ALPHA, power: float = POWER) -> int:
    """Return the units in each of two arms that find a `difference` of means of units with the standard `deviation`.

    2 σ² (z + z')² / δ², in one look at the end. What CUPED takes off a variance comes off the units. Raises
    `ValueError` where there is no deviation or no difference.
    """
    if deviation <= 0 or difference == 0:
        raise ValueError("a sample size needs a deviation above 0 and a difference that is not 0")
    return math.ceil(2 * (deviation * (_z(alpha) + float(ndtri(power))) / difference) ** 2)


def cost_of_looks(n_looks: int = planned.LOOKS, *, alpha: float = ALPHA, power: float = POWER) -> float:
    """Return how many times the units of one look `n_looks` planned ones need for the same power."""
    times = planned.even_looks(n_looks)
    return _cost(times, planned.boundaries(times, alpha=alpha), alpha, power)


def cost_of_sequence(*, alpha: float = ALPHA, power: float = POWER, tuned_at: float = sequences.TUNED_AT) -> float:
    """Return how many times the units of one look a confidence sequence needs for the same power when its plan is full.

    It is the most that it takes: with a large difference it ends long before, and nobody has to say when that is.
    """
    times = planned.even_looks(_DENSE)
    return _cost(times, sequences.widths(times, alpha=alpha, tuned_at=tuned_at), alpha, power)


def _cost(times: Array, bounds: Array, alpha: float, power: float) -> float:
    one = planned.drift_for(power, [1.0], [_z(alpha)])
    return (planned.drift_for(power, times, np.minimum(bounds, 1e3)) / one) ** 2


def _z(alpha: float) -> float:
    return float(-ndtri(alpha / 2))


def _check(control: float, arm: float) -> None:
    if not (0 < control < 1 and 0 < arm < 1) or control == arm:
        raise ValueError(f"two different shares between 0 and 1 are needed, not {control} and {arm}")
