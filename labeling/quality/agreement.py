"""How far people who answered the same items agree, beyond chance, with intervals.

All figures are over the items with two votes or more, which may have different numbers of votes. Each is 1 -
(disagreement seen) ÷ (disagreement expected); they differ in what they expect by chance. Every item adds to a few sums,
and the sums make the figures: so intervals come from resampling what items add, never from the votes again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from labeling.quality.intervals import MINIMUM, N_ROUNDS, Array, Estimate, bootstrap, resample, wilson
from labeling.quality.votes import Votes

# Sums (…, k) → disagreement seen and expected, each (…).
Coefficient = Callable[[Array], tuple[Array, Array]]


@dataclass(frozen=True)
class Agreement:
    """Agreement on a set of items; the `n` of each figure counts items."""

    n_votes: int
    percent: Estimate
    fleiss_kappa: Estimate
    krippendorff_alpha: Estimate
    gwet_ac1: Estimate


@dataclass(frozen=True)
class LabelAgreement:
    """Agreement about one label against all others; the `n` of each figure counts the items that anybody gave it.

    `specific`: where one of two people says this label, how often the other does too. `kappa`: Fleiss' κ of "this label
    or another".
    """

    n_votes: int
    specific: Estimate
    kappa: Estimate


def measure_agreement(
    votes: Votes, *, distance: Array | None = None, minimum: int = MINIMUM, n_rounds: int = N_ROUNDS, seed: int = 0
) -> Agreement:
    """Return the agreement on all items.

    `percent` is the mean over items of the share of equal pairs. Fleiss (1971), Psychological Bulletin 76, 378–382;
    Krippendorff (2011), "Computing Krippendorff's alpha-reliability"; Gwet (2008), BJMSP 61, 29–48. For unequal numbers
    of votes as in R's irrCAC, but that an item with one vote counts for nothing. `distance`, (n_labels, n_labels) in
    0…1, is what α takes for two answers (`distances.masi` for sets of labels); otherwise answers are equal or not.
    """
    return _agreement_of(_rows_of(votes.counts(), distance), distance, minimum, n_rounds, seed)


def measure_agreement_by(
    votes: Votes,
    groups: ArrayLike,
    *,
    distance: Array | None = None,
    minimum: int = MINIMUM,
    n_rounds: int = N_ROUNDS,
    seed: int = 0,
) -> list[Agreement]:
    """Return the agreement in each group of items, such as weeks or queues:
    `groups` has a number from 0 for each item.
    """
    counts, numbers = votes.counts(), np.asarray(groups)
    rows, of_row = _rows_of(counts, distance), numbers[counts.sum(axis=1) >= 2]
    return [
        _agreement_of(rows[of_row == group], distance, minimum, n_rounds, seed)
        for group in range(int(numbers.max(initial=-1)) + 1)
    ]


def measure_agreement_by_label(
    votes: Votes, *, minimum: int = MINIMUM, n_rounds: int = N_ROUNDS, seed: int = 0
) -> list[LabelAgreement]:
    """Return the agreement about each label, in the order of the labels.

    Specific agreement: Cicchetti, D. V. & Feinstein, A. R. (1990), J. Clinical Epidemiology 43, 551–558.
    """
    counts = votes.counts()
    counts = counts[counts.sum(axis=1) >= 2]
    n_votes = counts.sum(axis=1)
    found = []
    for chosen in counts.T:
        n = int((chosen > 0).sum())
        specific = kappa = Estimate(n)
        if n >= max(minimum, 1):
            again = np.column_stack([chosen * (chosen - 1) / (n_votes - 1), chosen])[chosen > 0]
            specific = bootstrap(
                again, lambda sums: sums[..., 0] / sums[..., 1], n_rounds=n_rounds, minimum=1, seed=seed
            )
            rows = _rows_of(np.column_stack([chosen, n_votes - chosen]), None)
            kappa = chance_corrected(n, rows.sum(axis=0), resample(rows, n_rounds=n_rounds, seed=seed), fleiss)
        found.append(LabelAgreement(int(chosen.sum()), specific, kappa))
    return found


def chance_corrected(n: int, sums: Array, rounds: Array, coefficient: Coefficient) -> Estimate:
    """Return 1 - seen ÷ expected of `sums`, with the percentile interval of the resampled sums `rounds`.

    Where nobody disagreed, resampling cannot either, and would give an interval without width: then the lower end is
    that of Wilson's interval for `n` of `n` items without disagreement. Undefined where no disagreement is expected.
    """
    seen, expected = (part.item() for part in coefficient(sums))
    if not expected > 0:
        return Estimate(n)
    if seen <= 0:
        return Estimate(n, 1.0, max(1 - (1 - wilson(n, n)[0].item()) / expected, -1.0), 1.0)
    seen_rounds, expected_rounds = coefficient(rounds)
    defined = expected_rounds > 0
    low, high = np.percentile(1 - seen_rounds[defined] / expected_rounds[defined], [2.5, 97.5])
    return Estimate(n, 1 - seen / expected, float(low), float(high))


# --- What items add, and what the sums mean ---------------------------------------------------------------------


def _rows_of(counts: Array, distance: Array | None) -> Array:
    """Return what each item with two votes or more adds: 1, unequal pairs, distance × votes, shares, counts."""
    counts = counts[counts.sum(axis=1) >= 2]
    n = counts.sum(axis=1)
    unequal = 1 - (counts * (counts - 1)).sum(axis=1) / (n * (n - 1))
    apart = n * unequal if distance is None else ((counts @ distance) * counts).sum(axis=1) / (n - 1)
    return np.column_stack([np.ones(len(n)), unequal, apart, counts / n[:, None], counts])


def _agreement_of(rows: Array, distance: Array | None, minimum: int, n_rounds: int, seed: int) -> Agreement:
    n, n_labels = len(rows), (rows.shape[1] - 3) // 2
    sums = rows.sum(axis=0)
    n_votes = round(float(sums[3 + n_labels :].sum()))
    if n < max(minimum, 1):
        return Agreement(n_votes, *[Estimate(n)] * 4)
    rounds = resample(rows, n_rounds=n_rounds, seed=seed)
    coefficients = (percent, fleiss, alpha(distance), ac1)
    return Agreement(n_votes, *(chance_corrected(n, sums, rounds, coefficient) for coefficient in coefficients))


def percent(sums: Array) -> tuple[Array, Array]:
    """Nothing is put down to chance."""
    seen = sums[..., 1] / sums[..., 0]
    return seen, np.ones_like(seen)


def fleiss(sums: Array) -> tuple[Array, Array]:
    """By chance: two answers drawn from what all gave together."""
    return sums[..., 1] / sums[..., 0], 1 - (_shares(sums) ** 2).sum(axis=-1)


def ac1(sums: Array) -> tuple[Array, Array]:
    """By chance: only what is answered at random, which is likelier the more evenly the labels are used."""
    shares = _shares(sums)
    n_labels = shares.shape[-1]
    return sums[..., 1] / sums[..., 0], 1 - (shares * (1 - shares)).sum(axis=-1) / max(n_labels - 1, 1)


def alpha(distance: Array | None) -> Coefficient:
    """By chance: any two of all votes, without putting the first back; unequal answers may be closer or farther."""

    def coefficient(sums: Array) -> tuple[Array, Array]:
        counts = sums[..., 3 + (sums.shape[-1] - 3) // 2 :]
        n = counts.sum(axis=-1)
        any_two = n**2 - (counts**2).sum(axis=-1) if distance is None else ((counts @ distance) * counts).sum(axis=-1)
        return sums[..., 2] / n, any_two / (n * (n - 1))

    return coefficient


def _shares(sums: Array) -> Array:
    return sums[..., 3 : 3 + (sums.shape[-1] - 3) // 2] / sums[..., :1]
