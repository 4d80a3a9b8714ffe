"""What is known of each rater: right on gold, at one with the others, and how fast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labeling.quality.intervals import MINIMUM, Estimate, median, share
from labeling.quality.votes import Ints, Votes


@dataclass(frozen=True)
class Scorecard:
    """One rater's figures. `n_votes` counts all votes; each figure has the `n` it rests on, and none under the minimum.

    `gold`: share right of the items whose label is known. `agreement`: share of the votes that are what most of the
    others on the item said; items on which the others are even, or nobody else voted, do not count. `seconds`: median
    per vote.
    """

    rater: int
    n_votes: int
    gold: Estimate
    agreement: Estimate
    seconds: Estimate
    is_too_few: bool


def score_raters(
    votes: Votes, *, known: ArrayLike | None = None, seconds: ArrayLike | None = None, minimum: int = MINIMUM
) -> list[Scorecard]:
    """Return the scorecard of each rater, in their order.

    `known`: the gold label of each item, -1 for none, (n_items,). `seconds`: how long each vote took, NaN for unknown,
    (votes,). A rater is too few where all of its votes together are under `minimum`.
    """
    gold = np.full(votes.n_items, -1) if known is None else np.asarray(known)
    durations = np.full(len(votes), np.nan) if seconds is None else np.asarray(seconds, dtype=float)
    others = votes.counts()[votes.items]
    others[np.arange(len(votes)), votes.labels] -= 1
    most = others.max(axis=1, initial=0)
    agrees = others[np.arange(len(votes)), votes.labels] == most
    # Somebody else voted, and one label alone has most of their votes.
    comparable = (most > 0) & ((others == most[:, None]).sum(axis=1) == 1)
    has_gold = gold[votes.items] >= 0
    right = gold[votes.items] == votes.labels

    def count(which: NDArray[np.bool_]) -> Ints:
        return np.bincount(votes.raters[which], minlength=votes.n_raters)

    n_votes, n_gold, n_compared = count(np.ones(len(votes), dtype=bool)), count(has_gold), count(comparable)
    n_right, n_agreed = count(has_gold & right), count(comparable & agrees)
    by_rater = np.split(durations[np.argsort(votes.raters, kind="stable")], np.cumsum(n_votes)[:-1])
    return [
        Scorecard(
            rater=rater,
            n_votes=int(n_votes[rater]),
            gold=share(int(n_right[rater]), int(n_gold[rater]), minimum=minimum),
            agreement=share(int(n_agreed[rater]), int(n_compared[rater]), minimum=minimum),
            seconds=median(by_rater[rater], minimum=minimum),
            is_too_few=bool(n_votes[rater] < minimum),
        )
        for rater in range(votes.n_raters)
    ]
