"""How far the answers of others agree with our own people's, on what both answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from labeling.quality.agreement import chance_corrected
from labeling.quality.intervals import MINIMUM, N_ROUNDS, Array, Estimate, resample, share


@dataclass(frozen=True)
class Against:
    """Agreement with our own people; the `n` of each figure counts the subjects that both answered.

    `percent`: equal answers. `kappa`: the same beyond chance; undefined where nobody could disagree.
    """

    percent: Estimate
    kappa: Estimate


FEW, SAME, APART, A_MODELS = "few", "same", "apart", "a model's"


def problem_with(found: Against, sided: Estimate, *, least: float) -> str:
    """Return why answers are not to be taken for people's: few, same, apart or a model's; empty where nothing says so.

    `few`: too few are there to tell. `same`: all are one label. `apart`: κ is under `least`, or not beyond chance. `a
    model's`: where our people contradict a model, they side with the model (`sided`, the share of those subjects) more
    often than not, beyond chance. Who reads the texts errs elsewhere than the model does.
    """
    if found.percent.value is None:
        return FEW
    if found.kappa.value is None or found.kappa.low is None:
        return SAME
    if found.kappa.value < least or found.kappa.low <= 0:
        return APART
    return A_MODELS if sided.low is not None and sided.low > 0.5 else ""


def sided_with(said: ArrayLike, ours: ArrayLike, model: ArrayLike) -> Estimate:
    """Return how often `said` is what `model` says, over the subjects where `ours` is not;
    arrays as in `measure_against`.
    """
    shares, truth, labels = np.asarray(said, dtype=float), np.asarray(ours), np.asarray(model, dtype=np.int64)
    against = np.flatnonzero(truth != labels)
    return share(float(shares[against, labels[against]].sum()), len(against), minimum=1)


def shares_of(votes: Sequence[Sequence[int]], *, n_labels: int) -> Array:
    """Return for each subject the share of its `votes` that each label got: (n, n_labels)."""
    return np.array([np.bincount(one, minlength=n_labels) / len(one) for one in votes]).reshape(-1, n_labels)


def measure_against(
    said: ArrayLike, ours: ArrayLike, *, minimum: int = MINIMUM, n_rounds: int = N_ROUNDS, seed: int = 0
) -> Against:
    """Return how far `said` agrees with `ours`, (n,) labels from 0.

    `said` is (n, n_labels): of each subject the share of the votes that each label got, for the votes on one subject
    are not independent of each other. So the intervals are those of n subjects, however many votes there are: Wilson's
    of the mean share, and for κ (Cohen, J., 1960, Educational and Psychological Measurement 20, 37-46) that of subjects
    drawn again, with replacement.
    """
    shares, truth = np.asarray(said, dtype=float), np.asarray(ours, dtype=np.int64)
    n = len(truth)
    if not n:
        return Against(Estimate(0), Estimate(0))
    equal = shares[np.arange(n), truth]
    percent = share(float(equal.sum()), n, minimum=minimum)
    if n < max(minimum, 1):
        return Against(percent, Estimate(n))
    rows = np.column_stack([np.ones(n), 1 - equal, shares, np.eye(shares.shape[1])[truth]])
    rounds = resample(rows, n_rounds=n_rounds, seed=seed)
    return Against(percent, chance_corrected(n, rows.sum(axis=0), rounds, _cohen))


def _cohen(sums: Array) -> tuple[Array, Array]:
    """By chance: an answer of theirs and one of ours, each drawn from what its side gave."""
    n_labels = (sums.shape[-1] - 2) // 2
    theirs, ours = (sums[..., 2 + i * n_labels : 2 + (i + 1) * n_labels] / sums[..., :1] for i in (0, 1))
    return sums[..., 1] / sums[..., 0], 1 - (theirs * ours).sum(axis=-1)
