"""Votes in coordinate form: who said what of which item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Votes:
    """`items[i]` was given `labels[i]` by `raters[i]`: three arrays of one length, numbered from 0.

    A rater says at most one thing of an item; items and raters without a vote may exist (`n_items` and `n_raters` are
    otherwise taken from the votes). Raises `ValueError` where that is not so.
    """

    items: Ints
    raters: Ints
    labels: Ints
    n_labels: int
    n_items: int = 0
    n_raters: int = 0

    def __post_init__(self) -> None:
        for name in ("items", "raters", "labels"):
            values = np.asarray(getattr(self, name))
            if values.ndim != 1 or (values.size and values.dtype.kind not in "iu"):
                raise ValueError(f"{name}: one row of whole numbers is needed")
            object.__setattr__(self, name, values.astype(np.int64))
        if not len(self.items) == len(self.raters) == len(self.labels):
            raise ValueError("items, raters and labels differ in length")
        for name, numbers in (("n_items", self.items), ("n_raters", self.raters)):
            if not getattr(self, name):
                object.__setattr__(self, name, int(numbers.max(initial=-1)) + 1)
        for name, numbers, n in (
            ("items", self.items, self.n_items),
            ("raters", self.raters, self.n_raters),
            ("labels", self.labels, self.n_labels),
        ):
            if numbers.size and (numbers.min() < 0 or numbers.max() >= n):
                raise ValueError(f"{name} has numbers that are not in 0…{n - 1}")
        if len(np.unique(self.items * max(self.n_raters, 1) + self.raters)) < len(self.items):
            raise ValueError("a rater has more than one vote on an item")

    def __len__(self) -> int:
        return len(self.items)

    def counts(self) -> NDArray[np.float64]:
        """Return how often each item was given each label: (n_items, n_labels)."""
        cells = np.bincount(self.items * self.n_labels + self.labels, minlength=self.n_items * self.n_labels)
        return cells.reshape(self.n_items, self.n_labels).astype(float)

    def where(self, which: NDArray[np.bool_]) -> Votes:
        """Return the votes that `which` (votes,) holds for; items and raters keep their numbers."""
        return Votes(
            self.items[which],
            self.raters[which],
            self.labels[which],
            self.n_labels,
            n_items=self.n_items,
            n_raters=self.n_raters,
        )

    def joined_by(self, labels: ArrayLike) -> Votes:
        """Return these votes and those of one more rater, the last: `labels`, (n_items,), -1 for none.

        Where nobody has voted it is not counted. So a model's labels (of items that it was not fitted to) can be one
        voice among the people's, trusted as far as it agrees with them.
        """
        said = np.asarray(labels)
        own = np.flatnonzero((said >= 0) & (np.bincount(self.items, minlength=self.n_items) > 0))
        return Votes(
            np.concatenate([self.items, own]),
            np.concatenate([self.raters, np.full(len(own), self.n_raters)]),
            np.concatenate([self.labels, said[own]]),
            self.n_labels,
            n_items=self.n_items,
            n_raters=self.n_raters + 1,
        )

    def pairs(self) -> tuple[Ints, Ints]:
        """Return the places of every two votes on one item, the rater with the smaller number first."""
        order = np.lexsort((self.raters, self.items))
        items = self.items[order]
        first, second = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        # The votes of an item lie side by side, so its pairs are one apart, two apart, … as many as it has votes.
        for gap in range(1, int(np.bincount(items).max(initial=0))):
            places = np.flatnonzero(items[gap:] == items[:-gap])
            first.append(order[places])
            second.append(order[places + gap])
        return np.concatenate(first), np.concatenate(second)
