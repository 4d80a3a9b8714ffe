"""How far a consensus can be believed: quality as the share of such labels that are right.

A model of votes takes the mistakes of several people for independent. They are not: what is hard is hard for all of
them, so nine votes say less than nine times one, and a product of nine factors says .97 where six labels of ten are
right. Two numbers mend that, and leave the label as it is:

- `likeness`: how alike the mistakes on one item are. What n votes say counts as if they were n ** (1 - likeness): at 0
  they are independent, at 1 any number says as much as one. A temperature (Guo et al. 2017, arXiv:1706.04599) that
  grows with the votes, as the design effect of samples in clusters does (Kish 1965, Survey Sampling).
- `doubt`: as many votes as if cast evenly on all labels before anybody votes: the fewer votes, the less is stated.

They are learnt from items whose label is known, and lean towards those of crowds elsewhere (`SHIPPED`), which is all
there is where nothing is known yet. docs/benchmarks/consensus.md says what either is worth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from labeling.quality.intervals import Array

# A probability of 0 has no logarithm.
_LEAST = 1e-300
# How far either number may be from that of crowds elsewhere, in two cases of three: the likeness, and the logarithm of
# the doubt. About what the crowds differ by among themselves.
_SPREAD = np.array([0.5, 1.0])
_LIKENESS, _LOG_DOUBT = np.arange(-1, 2.01, 0.1), np.arange(-5, 3.01, 0.5)
# Posteriors, on how many votes each rests, and the label that is true: (n_items, n_labels), (n_items,), (n_items,).
Judged = tuple[ArrayLike, ArrayLike, ArrayLike]


@dataclass(frozen=True)
class Calibration:
    """What is known of one method's consensus, and `n`: how many known labels that rests on, 0 for crowds elsewhere."""

    likeness: float
    doubt: float
    n: int = 0

    def apply(self, posteriors: ArrayLike, n_votes: ArrayLike) -> Array:
        """Return the probability of each label that `posteriors` (n_items, n_labels), from `n_votes` each, stand for.

        Without votes all labels are equally likely.
        """
        logs = np.log(np.maximum(np.asarray(posteriors, dtype=float), _LEAST))
        n = np.asarray(n_votes, dtype=float)[:, None]
        logs = logs / np.maximum(n, 1) ** self.likeness
        odds = np.exp(logs - logs.max(axis=1, keepdims=True))
        believed = odds / odds.sum(axis=1, keepdims=True)
        return np.asarray((n * believed + self.doubt / logs.shape[1]) / (n + self.doubt))

    def as_json(self) -> dict[str, float]:
        """Return it as plain values."""
        return {"likeness": round(self.likeness, 6), "doubt": round(self.doubt, 6), "n": self.n}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Calibration:
        """Return what `as_json` gave."""
        return cls(float(stored["likeness"]), float(stored["doubt"]), int(stored["n"]))


# From `bench/label_quality_calibration.py --shipped`, which prints them for the halves that were tuned on of
# crowd_face_sentiment, crowd_dog, crowd_duck and abtbuy_crowd, with all votes and with a few of each item. Of a
# majority rounded, so that two of three are taken for .62 (on those halves .65 were right) and three of three for .90
# (.87). Of CROWDLAB, which needs a model of what is labelled, from abtbuy_crowd alone.
SHIPPED: Mapping[str, Calibration] = {
    "majority": Calibration(0.0, 0.5),
    "dawid_skene": Calibration(0.86, 0.29),
    "crowdlab": Calibration(0.0, 0.2),
}


def fit(posteriors: ArrayLike, n_votes: ArrayLike, truth: ArrayLike, *, prior: Calibration) -> Calibration:
    """Return what the known labels `truth` tell, leaning towards `prior`: the mean of what they leave likely.

    A few known labels move little, and a hundred decide. The mean and not the likeliest: where little is known that
    would state more than is.
    """
    grid = np.array([(likeness, doubt) for likeness in _LIKENESS for doubt in _LOG_DOUBT])
    logs = -(((grid - _free(prior)) / _SPREAD) ** 2).sum(axis=1) / 2
    n = len(np.asarray(truth))
    logs -= n * np.array([_log_loss(_bound(free), (posteriors, n_votes, truth)) for free in grid])
    weights = np.exp(logs - logs.max())
    return _bound(weights @ grid / weights.sum(), n)


def of_crowds(sets: Sequence[Sequence[Judged]]) -> Calibration:
    """Return what makes the truth of several crowds' items likeliest, every set counting the same:
    what `SHIPPED` is from.
    """

    def loss(free: Array) -> float:
        return float(np.mean([np.mean([_log_loss(_bound(free), judged) for judged in parts]) for parts in sets]))

    return _bound(_minimum(loss, _free(Calibration(0.5, 0.5))))


def _log_loss(believed: Calibration, judged: Judged) -> float:
    """Of what is stated, that the likeliest label is right; not of the whole distribution, which nobody is told."""
    posteriors, n_votes, truth = judged
    before = np.asarray(posteriors, dtype=float)
    rows, labels = np.arange(len(before)), before.argmax(axis=1)
    stated = np.clip(believed.apply(before, n_votes)[rows, labels], 1e-9, 1 - 1e-9)
    return -float(np.log(np.where(labels == np.asarray(truth), stated, 1 - stated)).mean())


def _free(believed: Calibration) -> Array:
    return np.array([believed.likeness, math.log(believed.doubt)])


def _bound(free: Array, n: int = 0) -> Calibration:
    return Calibration(float(np.clip(free[0], -1, 2)), math.exp(np.clip(free[1], -5, 3)), n)


def _minimum(loss: Callable[[Array], float], start: Array) -> Array:
    from scipy.optimize import minimize

    return np.asarray(minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-4}).x)
