"""One label for each item from the votes on it, how sure it is, and how good each rater is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labeling.quality import dawid_skene
from labeling.quality.dawid_skene import DawidSkene
from labeling.quality.intervals import Array
from labeling.quality.votes import Ints, Votes

TIE = -1
# Probabilities that differ by less than this are equal: sums of logarithms are not exact.
_EQUAL = 1e-9


@dataclass(frozen=True, eq=False)
class Aggregate:
    """What the votes come to.

    `labels` (n_items,): the label, or `TIE` where two are equally likely or nobody voted. `quality` (n_items,): how
    likely the label is to be right, 0…1, 0 without votes; of a tie, how likely each of the first is. `rater_quality`
    (n_raters,): how often the rater is right as the method sees it, 0…1, NaN without votes. `rater_votes` (n_raters,):
    how many votes that rests on. `posteriors` (n_items, n_labels): how likely each label is. `model`: Dawid and Skene's
    parameters, to judge new items by.
    """

    labels: Ints
    quality: Array
    rater_quality: Array
    rater_votes: Ints
    posteriors: Array
    model: DawidSkene | None = None


def aggregate(method: str, votes: Votes, **options: Any) -> Aggregate:
    """Return what the votes come to by `method`, a key of `METHODS`, which takes the `options`.

    Raises `ValueError` for another method.
    """
    if method not in METHODS:
        raise ValueError(f"no such method: {method!r}; there are {', '.join(METHODS)}")
    return METHODS[method](votes, **options)


def majority(votes: Votes) -> Aggregate:
    """Take the label most voted for; a tie is said, not broken. `quality`: the share of the votes for it.

    A rater's quality is the share of its votes that are the majority's, its own among them, ties left out.
    """
    counts = votes.counts()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    labels, quality = _likeliest(shares)
    decided = labels[votes.items] != TIE
    right = (labels[votes.items] == votes.labels)[decided]
    return Aggregate(labels, quality, *_mean_by_rater(votes, right, decided), posteriors=shares)


def by_dawid_skene(
    votes: Votes, *, known: ArrayLike | None = None, model: DawidSkene | None = None, **options: Any
) -> Aggregate:
    """Take the likeliest label by Dawid and Skene's model, fitted to `votes`, or `model` where it is given.

    `known`: labels that are certain (gold), -1 for none, (n_items,). A rater's quality is the mean probability of its
    votes. `options`: those of `dawid_skene.fit`.
    """
    model = model or dawid_skene.fit(votes, known=known, **options)
    posteriors = model.posteriors(votes, known=known)
    labels, quality = _likeliest(posteriors)
    settled = np.bincount(votes.items, minlength=votes.n_items) > 0
    if known is not None:
        settled |= np.asarray(known) >= 0
    everywhere = np.ones(len(votes), dtype=bool)
    by_rater = _mean_by_rater(votes, posteriors[votes.items, votes.labels], everywhere)
    return Aggregate(
        np.where(settled, labels, TIE), np.where(settled, quality, 0.0), *by_rater, posteriors=posteriors, model=model
    )


def by_crowdlab(votes: Votes, *, probabilities: Array) -> Aggregate:
    """Take the label that a model's `probabilities` (n_items, n_labels) and the votes come to by CROWDLAB.

    Goh, H. W., Tkachenko, U. & Mueller, J. (2022), "CROWDLAB"; cleanlab's get_label_quality_multiannotator. The model
    must not have seen these items (cross-validation). Memory is items × raters. It breaks ties by the model.
    """
    from cleanlab.multiannotator import get_label_quality_multiannotator

    # It takes neither items nor raters without votes.
    items, row = np.unique(votes.items, return_inverse=True)
    raters, column = np.unique(votes.raters, return_inverse=True)
    table = np.full((len(items), len(raters)), np.nan)
    table[row, column] = votes.labels
    found = get_label_quality_multiannotator(
        table, np.asarray(probabilities, dtype=float)[items], return_detailed_quality=False, verbose=False
    )
    labels = np.full(votes.n_items, TIE, dtype=np.int64)
    quality = np.zeros(votes.n_items)
    labels[items] = found["label_quality"]["consensus_label"]
    quality[items] = found["label_quality"]["consensus_quality_score"]
    rater_quality = np.full(votes.n_raters, np.nan)
    rater_quality[raters] = found["annotator_stats"]["annotator_quality"].sort_index()
    # It says nothing of the other labels: they share what is left.
    posteriors = np.repeat((1 - quality[:, None]) / max(votes.n_labels - 1, 1), votes.n_labels, axis=1)
    posteriors[items, labels[items]] = quality[items]
    return Aggregate(
        labels, quality, rater_quality, np.bincount(votes.raters, minlength=votes.n_raters), posteriors=posteriors
    )


METHODS: dict[str, Callable[..., Aggregate]] = {
    "majority": majority,
    "dawid_skene": by_dawid_skene,
    "crowdlab": by_crowdlab,
}


def _likeliest(posteriors: Array) -> tuple[Ints, Array]:
    """Return the likeliest label of each item, `TIE` where there are two, and its probability."""
    quality = posteriors.max(axis=1)
    first = posteriors >= quality[:, None] - _EQUAL
    return np.where(first.sum(axis=1) == 1, first.argmax(axis=1), TIE), quality


def _mean_by_rater(votes: Votes, values: Array, which: NDArray[np.bool_]) -> tuple[Array, Ints]:
    raters = votes.raters[which]
    n = np.bincount(raters, minlength=votes.n_raters)
    total = np.bincount(raters, weights=values, minlength=votes.n_raters)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan), n
