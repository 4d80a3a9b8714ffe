"""From which probability on an answer of several is said: where its F1 on the validation part is best. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from inference.several import USUAL

# Of an answer that holds, or does not, of fewer texts than this the best place is chance: it stays at one half.
FEWEST = 10


def choose(probabilities: npt.NDArray[np.float64], truth: npt.NDArray[np.bool_]) -> float:
    """Return the bound, 0…1, from which `probabilities` (n,) say best which of `truth` (n,) hold.

    That of the highest F1 (Lipton, Elkan and Naryanaswamy 2014, ECML), halfway between two texts; of equal ones the one
    nearest to one half, which it is, too, where there are fewer than FEWEST texts of either side.
    """
    n_yes = int(truth.sum())
    if min(n_yes, len(truth) - n_yes) < FEWEST:
        return USUAL
    order = np.argsort(-probabilities, kind="stable")
    scores, hits = probabilities[order], np.cumsum(truth[order])
    # A bound lies below a text and above the next one that has another score; the last of all says yes to everything.
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True))
    f1 = 2 * hits[ends] / (ends + 1 + n_yes)
    below = np.append(scores[1:], 0.0)[ends]
    places = (scores[ends] + below) / 2
    # Between two texts any bound says the same: one half where it lies between them.
    places = np.where((below < USUAL) & (scores[ends] >= USUAL), USUAL, places)
    best = np.flatnonzero(f1 >= f1.max() - 1e-12)
    return float(places[best[np.abs(places[best] - USUAL).argmin()]])
