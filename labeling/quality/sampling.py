"""What to ask people about next: what the model is unsure of and what is unlike the rest, and always a share by lot.

Early on the model's doubts mean little: until there are `COLD_START` labels everything is drawn by lot. Figures and the
strategies that were tried are in docs/benchmarks/active-learning.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labeling.quality.intervals import Array

RANDOM, UNCERTAIN, DIVERSE, COLD = "random", "uncertain", "diverse", "cold_start"
COLD_START = 60
# What was asked about last is what diversity is told from.
COMPARED = 300


@dataclass(frozen=True)
class Strategy:
    """How a batch is chosen.

    `random_share`: drawn by lot, 0…1. `wide`: of how many times as many of the most urgent the most diverse are taken;
    1 takes the most urgent as they are. The weights say what makes one urgent: the model's uncertainty, what a mistake
    would cost, how far people or models disagree, and what the product is worth, each 0…1.
    """

    random_share: float = 0.2
    wide: int = 3
    uncertainty: float = 1.0
    risk: float = 0.0
    disagreement: float = 0.0
    value: float = 0.0


# Never below drawing all by lot by more than chance: ten seeds of three sets of reviews, five of two more
# (docs/benchmarks/active-learning.md).
SAFEST = Strategy()


def entropy(probabilities: ArrayLike) -> Array:
    """Return the entropy of each row (n, n_labels), 0 (certain) to 1 (a guess among all)."""
    rows = np.clip(np.asarray(probabilities, dtype=float), 1e-12, 1)
    return np.asarray(-(rows * np.log(rows)).sum(axis=1) / math.log(max(rows.shape[1], 2)))


def margin(probabilities: ArrayLike) -> Array:
    """Return how close the two likeliest labels of each row (n, n_labels) are, 0 (certain) to 1 (a tie)."""
    rows = np.sort(np.asarray(probabilities, dtype=float), axis=1)
    return np.asarray(1 - (rows[:, -1] - rows[:, -2]))


def choose(
    n: int,
    *,
    uncertainty: ArrayLike,
    features: Any = None,
    asked: Any = None,
    n_labelled: int,
    seed: int,
    strategy: Strategy = SAFEST,
    risk: ArrayLike | None = None,
    disagreement: ArrayLike | None = None,
    value: ArrayLike | None = None,
) -> list[tuple[int, str]]:
    """Return up to `n` rows of a pool to ask about, each with why: random, uncertain, diverse or cold_start.

    `uncertainty` and the other weights are (pool,), 0…1. `features` (pool, d), dense or sparse with rows of length 1,
    is what diversity goes by; `asked` (m, d) are those of what was asked before. The same `seed` draws the same.
    """
    unsure = np.asarray(uncertainty, dtype=float)
    rng, n = np.random.default_rng(seed), min(n, len(unsure))
    if n_labelled < COLD_START:
        return [(int(row), COLD) for row in rng.permutation(len(unsure))[:n]]
    drawn = rng.permutation(len(unsure))[: math.ceil(n * strategy.random_share)]
    urgency = strategy.uncertainty * unsure
    for weight, given in ((strategy.risk, risk), (strategy.disagreement, disagreement), (strategy.value, value)):
        if weight and given is not None:
            urgency = urgency + weight * np.asarray(given, dtype=float)
    left = np.setdiff1d(np.arange(len(unsure)), drawn)
    left = left[np.argsort(-urgency[left], kind="stable")]
    k = n - len(drawn)
    if features is None or strategy.wide <= 1:
        chosen = [(int(row), UNCERTAIN) for row in left[:k]]
    else:
        urgent, most = left[: strategy.wide * k], set(left[:k].tolist())
        rows = _spread(features, urgent, drawn, asked, k, rng)
        # Said as it is: one that would not have been among the most urgent is there because it is unlike the others.
        chosen = [(row, UNCERTAIN if row in most else DIVERSE) for row in rows]
    return [(int(row), RANDOM) for row in drawn] + chosen


def _spread(
    features: Any, urgent: NDArray[np.int64], drawn: NDArray[np.int64], asked: Any, k: int, rng: np.random.Generator
) -> list[int]:
    """Draw `k` of `urgent`, each with a chance that grows with its distance to all that was taken (k-means++)."""
    nearest = np.full(len(urgent), 2.0)
    for taken in (features[drawn], asked):
        if taken is not None and taken.shape[0]:
            nearest = np.minimum(nearest, 2 - 2 * _closest(features[urgent], taken))
    rows: list[int] = []
    for _ in range(min(k, len(urgent))):
        weights = np.maximum(nearest, 1e-9)
        weights[[int(np.flatnonzero(urgent == row)[0]) for row in rows]] = 0
        place = int(rng.choice(len(urgent), p=weights / weights.sum()))
        rows.append(int(urgent[place]))
        nearest = np.minimum(nearest, 2 - 2 * _closest(features[urgent], features[[urgent[place]]]))
    return rows


def _closest(some: Any, others: Any) -> Array:
    """Return the cosine of each row of `some` with the nearest of `others`; rows have length 1."""
    product = some @ others.T
    return np.asarray(product.max(axis=1).todense() if hasattr(product, "todense") else product.max(axis=1)).ravel()


def hashed(texts: Sequence[str]) -> Any:
    """Return characters of `texts` as sparse rows of length 1: diversity in any language, without a model."""
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(analyzer="char_wb", ngram_range=(2, 4), n_features=2**16).transform(
        [text[:1000] or " " for text in texts]
    )
