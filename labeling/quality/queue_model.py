"""What is learnt of the votes of a queue, and what new votes come to by it: for the desk and for benchmarks.

How raters err is learnt by Dawid and Skene's model, how far a consensus can be believed from what is known of some
items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from labeling.quality import calibration, dawid_skene
from labeling.quality.aggregation import TIE, Aggregate, aggregate
from labeling.quality.calibration import Calibration
from labeling.quality.dawid_skene import DawidSkene
from labeling.quality.intervals import Array
from labeling.quality.votes import Ints, Votes

N_FOLDS = 5
# Of more known items than this some are left out, evenly: two numbers are learnt from them.
MOST_KNOWN = 5000
# The methods that need no model of what is labelled: their consensus on known items can be looked at afterwards.
LEARNT = ("majority", "dawid_skene")


@dataclass(frozen=True, eq=False)
class QueueModel:
    """How the raters of a queue err, and how far the consensus of each method can be believed."""

    raters: DawidSkene
    calibrations: Mapping[str, Calibration]

    @classmethod
    def before(cls, n_labels: int) -> QueueModel:
        """Return what is assumed of a queue of which nothing is known."""
        return cls(dawid_skene.unfitted(n_labels), calibration.SHIPPED)

    def numbered(self, places: Sequence[int]) -> QueueModel:
        """Return the same with rater i the one that was number `places[i]`; -1 for one who is taken for the usual."""
        everyone = np.concatenate([self.raters.confusion, self.raters.usual[None]])
        return replace(self, raters=replace(self.raters, confusion=everyone[np.asarray(places, dtype=int)]))


def learn(votes: Votes, known: ArrayLike, *, priors: Mapping[str, Calibration] = calibration.SHIPPED) -> QueueModel:
    """Return what `votes` tell. `known`: labels that are certain, -1 for none, (n_items,).

    `priors`: what the calibration of each method leans towards. Raises `ValueError` without votes.
    """
    model = dawid_skene.fit(votes, known=known)
    found = {
        method: calibration.fit(*parts, prior=priors[method]) for method, parts in out_of_sample(votes, known).items()
    }
    return QueueModel(model, {**priors, **found})


def out_of_sample(
    votes: Votes, known: ArrayLike, *, tells_of_raters: bool = True
) -> dict[str, tuple[Array, Ints, Ints]]:
    """Return, for each method, posteriors of the known items, on how many votes each, and its label; nothing where none
    is.

    Each is judged by a model that saw neither its votes nor its label, as what comes next will be: five-fold. Without
    `tells_of_raters` by one that saw no known label at all.
    """
    labels = np.asarray(known)
    rows = np.flatnonzero((labels >= 0) & (_n_votes(votes) > 0))
    rows = rows[:: max(1, -(-len(rows) // MOST_KNOWN))]
    parts: dict[str, list[tuple[Array, Ints, Ints]]] = {}
    for number in range(min(N_FOLDS, len(rows))):
        aside = np.zeros(votes.n_items, dtype=bool)
        aside[rows[number::N_FOLDS]] = True
        others, these = votes.where(~aside[votes.items]), votes.where(aside[votes.items])
        told = labels if tells_of_raters else None
        fitted = dawid_skene.fit(others, known=told) if len(others) else dawid_skene.unfitted(votes.n_labels)
        for method in LEARNT:
            posteriors = as_it_comes(method, these, fitted).posteriors
            parts.setdefault(method, []).append((posteriors[aside], _n_votes(these)[aside], labels[aside]))
    return {
        method: (
            np.concatenate([posteriors for posteriors, _, _ in found]),
            np.concatenate([n for _, n, _ in found]),
            np.concatenate([truth for _, _, truth in found]),
        )
        for method, found in parts.items()
    }


def judge(method: str, votes: Votes, model: QueueModel, *, opinions: Array | None = None) -> Aggregate:
    """Return what `votes` come to by `method`, raters numbered as in `model`; quality and posteriors are calibrated.

    `opinions` (n_items, n_labels): what a model that saw none of it thinks. `crowdlab` needs them; with `dawid_skene`
    they take the place of how common the labels are. Raises `ValueError` for another method.
    """
    found, n_votes = as_it_comes(method, votes, model.raters, opinions=opinions), _n_votes(votes)
    believed = model.calibrations[method].apply(found.posteriors, n_votes)
    quality = np.where(found.labels == TIE, believed.max(axis=1), believed[np.arange(votes.n_items), found.labels])
    return replace(found, quality=np.where(n_votes > 0, quality, 0.0), posteriors=believed)


def as_it_comes(method: str, votes: Votes, raters: DawidSkene, *, opinions: Array | None = None) -> Aggregate:
    """Return what `method` says by itself: `judge` without calibration."""
    raters = raters.bounded()
    if method == "dawid_skene":
        priors = raters.priors if opinions is None else np.maximum(opinions, dawid_skene.LEAST)
        return aggregate(method, votes, model=replace(raters, priors=priors))
    if method == "crowdlab":
        return aggregate(method, votes, probabilities=opinions)
    return aggregate(method, votes)


def _n_votes(votes: Votes) -> Ints:
    return np.bincount(votes.items, minlength=votes.n_items)
