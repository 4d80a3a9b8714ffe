"""Agreement of raters two by two: Cohen's κ of every pair, and how close two people's texts are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from labeling.quality.distances import edit_distances
from labeling.quality.intervals import MINIMUM, N_ROUNDS, Array, Estimate, Z, bootstrap, wilson
from labeling.quality.votes import Ints, Votes


@dataclass(frozen=True, eq=False)
class PairAgreement:
    """Agreement of every two raters, symmetric arrays (raters, raters).

    `n`: items that both answered, on the diagonal one's own. `percent`: share of equal answers. `kappa` with `low` and
    `high`. NaN on the diagonal, where `n` is under the minimum, and where κ is undefined.
    """

    n: Ints
    percent: Array
    kappa: Array
    low: Array
    high: Array


def measure_pairs(votes: Votes, *, minimum: int = MINIMUM) -> PairAgreement:
    """Return Cohen's κ of every two raters, over the items that both answered.

    Cohen, J. (1960), Educational and Psychological Measurement 20, 37–46. The interval is the large-sample one of
    Fleiss, Cohen & Everitt (1969), Psychological Bulletin 72, 323–327, for thousands of pairs want no resampling; where
    two never disagreed, it is Wilson's, as in `agreement.chance_corrected`.
    """
    first, second = votes.pairs()
    numbers, of, counts = np.unique(
        votes.raters[first] * votes.n_raters + votes.raters[second], return_inverse=True, return_counts=True
    )
    n = np.maximum(counts, 1)
    a, b, n_labels = votes.labels[first], votes.labels[second], votes.n_labels
    shares_a, shares_b = (
        np.bincount(of * n_labels + labels, minlength=len(numbers) * n_labels).reshape(-1, n_labels) / n[:, None]
        for labels in (a, b)
    )
    unequal = (a != b).astype(float)
    seen = np.bincount(of, weights=unequal, minlength=len(numbers)) / n
    expected = 1 - (shares_a * shares_b).sum(axis=1)
    # How much one more item like it would move κ: the variance of κ is the mean square of that, ÷ n.
    by_chance = shares_b[of, a] + shares_a[of, b]
    with np.errstate(divide="ignore", invalid="ignore"):
        kappa = np.where(expected > 0, 1 - seen / expected, np.nan)
        moves = (seen[of] - unequal + (1 - kappa[of]) * (2 * (1 - expected[of]) - by_chance)) / expected[of]
        spread = Z * np.sqrt(np.bincount(of, weights=moves**2, minlength=len(numbers))) / n
        low = np.where(seen > 0, kappa - spread, 1 - (1 - wilson(n, n)[0]) / expected)
    enough = counts >= minimum
    pair = np.divmod(numbers, votes.n_raters)

    def square(values: Array) -> Array:
        filled = np.full((votes.n_raters, votes.n_raters), np.nan)
        filled[pair] = filled[pair[::-1]] = np.where(enough, values, np.nan)
        return filled

    in_common = np.diag(np.bincount(votes.raters, minlength=votes.n_raters))
    in_common[pair] = in_common[pair[::-1]] = counts
    return PairAgreement(
        in_common, square(1 - seen), square(kappa), square(np.maximum(low, -1)), square(np.minimum(kappa + spread, 1))
    )


def measure_texts(
    items: Ints,
    texts: Sequence[str],
    *,
    distances: Callable[[Sequence[str], Sequence[str]], Array] = edit_distances,
    minimum: int = MINIMUM,
    n_rounds: int = N_ROUNDS,
    seed: int = 0,
) -> Estimate:
    """Return how close the texts that people wrote for one item are: 1 - the mean distance of two of them, over items.

    `texts[i]` is one person's for `items[i]`. `distances` is one of `labeling.quality.distances`; equal texts are not
    given to it.
    """
    # Whoever wrote them, each text is one vote: numbered in turn, so that no two are by one rater.
    numbers = np.arange(len(texts))
    first, second = Votes(items, numbers, numbers, n_labels=max(len(texts), 1)).pairs()
    apart = np.array([texts[a] != texts[b] for a, b in zip(first, second, strict=True)], dtype=float)
    unequal = np.flatnonzero(apart)
    apart[unequal] = distances([texts[i] for i in first[unequal]], [texts[i] for i in second[unequal]])
    _, item_of_pair = np.unique(np.asarray(items)[first], return_inverse=True)
    mean = np.bincount(item_of_pair, weights=apart) / np.bincount(item_of_pair)
    rows = np.column_stack([np.ones(len(mean)), mean])
    return bootstrap(rows, lambda sums: 1 - sums[..., 1] / sums[..., 0], minimum=minimum, n_rounds=n_rounds, seed=seed)
