"""Dawid and Skene's model: the labels of items and the mistakes of each rater, each learnt from the other.

Dawid, A. P. & Skene, A. M. (1979), Applied Statistics 28, 20–28. Maximum a posteriori: a rater's confusion matrix leans
towards that of all raters together, as if each row held `STRENGTH` answers of the usual rater. So who has answered
little is taken for the usual rater, and no mistake is held impossible for not having been seen. How common the labels
are leans towards even, by `STRENGTH` items of each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from labeling.quality.intervals import Array
from labeling.quality.votes import Votes

# docs/benchmarks/consensus.md says what else was tried. Steps that gain less fit the noise of few answers.
STRENGTH = 0.5
LEAST_GAIN = 1e-4
N_STEPS = 200
# How good a rater is taken to be before anything was fitted: how often right, the rest shared among the other labels.
UNKNOWN_RATER = 0.8
# Nothing is impossible: no single vote, and no model, decides alone.
LEAST = 1e-3


@dataclass(frozen=True, eq=False)
class DawidSkene:
    """Fitted parameters, enough to judge new items.

    `confusion[r, true, said]`: how often rater `r` says `said` of an item whose label is `true`, (raters, labels,
    labels), rows sum to 1. `usual`: the same of all raters together, (labels, labels). `priors`: how common labels are,
    (labels,).
    """

    confusion: Array
    usual: Array
    priors: Array

    def posteriors(self, votes: Votes, *, known: ArrayLike | None = None) -> Array:
        """Return the probability of each label for each item, (n_items, n_labels).

        Raters numbered beyond those fitted count as usual ones. `known`: labels that are certain (gold), -1 for none,
        (n_items,).
        """
        n_new = max(votes.n_raters - len(self.confusion), 0)
        everyone = np.concatenate([self.confusion, np.repeat(self.usual[None], n_new, axis=0)])
        return _posteriors(votes, everyone, self.priors, known)[0]

    def bounded(self) -> DawidSkene:
        """Return the same with nothing less likely than `LEAST`: to judge what it was not fitted to."""
        return DawidSkene(*(np.maximum(values, LEAST) for values in (self.confusion, self.usual, self.priors)))


def unfitted(n_labels: int) -> DawidSkene:
    """Return what is assumed before there are votes to learn from: all raters alike,
    and right `UNKNOWN_RATER` of the time.
    """
    other = (1 - UNKNOWN_RATER) / max(n_labels - 1, 1)
    usual = np.full((n_labels, n_labels), other)
    np.fill_diagonal(usual, UNKNOWN_RATER)
    return DawidSkene(np.empty((0, n_labels, n_labels)), usual, np.full(n_labels, 1 / n_labels))


def fit(
    votes: Votes,
    *,
    known: ArrayLike | None = None,
    strength: float = STRENGTH,
    least_gain: float = LEAST_GAIN,
    n_steps: int = N_STEPS,
) -> DawidSkene:
    """Fit by expectation maximisation, beginning with the shares of the votes.

    It ends when a step gains less than `least_gain` of log likelihood (nats) per vote, or after `n_steps`. `known`:
    labels that are certain (gold), -1 for none, (n_items,). `strength` must be above 0. Raises `ValueError` without
    votes.
    """
    if not len(votes):
        raise ValueError("there are no votes to learn from")
    counts = votes.counts()
    n_votes = counts.sum(axis=1, keepdims=True)
    posteriors = _set_known(np.where(n_votes > 0, counts / np.maximum(n_votes, 1), 1 / votes.n_labels), known)
    voted = n_votes[:, 0] > 0
    likelihood = -np.inf
    for _ in range(n_steps):
        parameters = _parameters(votes, posteriors, voted, strength)
        posteriors, reached = _posteriors(votes, parameters.confusion, parameters.priors, known)
        if reached - likelihood < least_gain * len(votes):
            break
        likelihood = reached
    return _parameters(votes, posteriors, voted, strength)


def _parameters(votes: Votes, posteriors: Array, voted: Array, strength: float) -> DawidSkene:
    """Return what makes `posteriors` likeliest, given what is assumed of raters and labels beforehand."""
    n_raters, n_labels = votes.n_raters, votes.n_labels
    said = votes.raters * n_labels + votes.labels
    weights = posteriors[votes.items]
    mistakes = np.stack(
        [
            np.bincount(said, weights=weights[:, true], minlength=n_raters * n_labels).reshape(n_raters, n_labels)
            for true in range(n_labels)
        ],
        axis=1,
    )
    usual = mistakes.sum(axis=0) + 1 / n_labels
    usual /= usual.sum(axis=1, keepdims=True)
    confusion = mistakes + strength * usual
    priors = posteriors[voted].sum(axis=0) + strength
    return DawidSkene(confusion / confusion.sum(axis=2, keepdims=True), usual, priors / priors.sum())


def _posteriors(votes: Votes, confusion: Array, priors: Array, known: ArrayLike | None) -> tuple[Array, float]:
    """Return the probability of each label for each item, and the log likelihood of all votes."""
    logs = np.log(confusion)
    scores = np.stack(
        [
            np.bincount(votes.items, weights=logs[votes.raters, true, votes.labels], minlength=votes.n_items)
            for true in range(votes.n_labels)
        ],
        axis=1,
    ) + np.log(priors)
    highest = scores.max(axis=1, keepdims=True)
    odds = np.exp(scores - highest)
    total = odds.sum(axis=1, keepdims=True)
    # An item without votes adds log 1.
    return _set_known(odds / total, known), float((highest + np.log(total)).sum())


def _set_known(posteriors: Array, known: ArrayLike | None) -> Array:
    if known is None:
        return posteriors
    labels = np.asarray(known)
    certain = np.flatnonzero(labels >= 0)
    posteriors[certain] = 0
    posteriors[certain, labels[certain]] = 1
    return posteriors
