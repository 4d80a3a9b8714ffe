"""Simulated people whose votes are right with a known chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labeling.quality.votes import Votes


def vote(
    *, n_items: int, skills: Sequence[float], n_labels: int, per_item: int | None = None, seed: int = 0
) -> tuple[Votes, np.ndarray]:
    """Return votes and the true labels: each person is right with the chance `skills`, otherwise says anything.

    Without `per_item` everybody votes on everything; with it, that many people drawn for each item.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_labels, n_items)
    asked = np.argsort(rng.random((n_items, len(skills))), axis=1)[:, : per_item or len(skills)]
    items, raters = np.repeat(np.arange(n_items), asked.shape[1]), asked.ravel()
    knows = rng.random(len(items)) < np.asarray(skills)[raters]
    labels = np.where(knows, truth[items], rng.integers(0, n_labels, len(items)))
    return Votes(items, raters, labels, n_labels, n_items=n_items, n_raters=len(skills)), truth


def table_of(votes: Votes) -> np.ndarray:
    """Return the votes as (items, raters), -1 for none."""
    table = np.full((votes.n_items, votes.n_raters), -1)
    table[votes.items, votes.raters] = votes.labels
    return table


def shuffled(votes: Votes, *, seed: int = 0) -> Votes:
    """Return the same votes in another order, with items, raters and labels numbered otherwise."""
    rng = np.random.default_rng(seed)
    items, raters, labels = (rng.permutation(n) for n in (votes.n_items, votes.n_raters, votes.n_labels))
    order = rng.permutation(len(votes))
    return Votes(
        items[votes.items][order],
        raters[votes.raters][order],
        labels[votes.labels][order],
        votes.n_labels,
        n_items=votes.n_items,
        n_raters=votes.n_raters,
    )
