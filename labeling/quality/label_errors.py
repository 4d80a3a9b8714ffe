"""Which labels look wrong: cleanlab on what models that never saw them think, and the loss of a second model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labeling.quality.intervals import Array
from labeling.quality.probabilities import Floats, pool, rare
from labeling.quality.votes import Ints

CLEANLAB, LOSS, COMBINED = "cleanlab", "loss", "combined"
FEWEST_JUDGED = 50
# Places where a threshold may be, at even steps through what was judged; each costs a little of the 95 %.
N_CUTS = 10


@dataclass(frozen=True, eq=False)
class Flags:
    """`scores` (n,): the probability of each label, 0…1; the lowest look most wrong.

    `suggested` (n,): the likeliest label.

    `by_method`: which labels (n,) each method flags; none where fewer than two labels are in use. `flagged` (n,): those
    to look at, by the best method there is; they are the lowest scores, but for labels too rare to judge.
    """

    scores: Floats
    suggested: Ints
    by_method: Mapping[str, NDArray[np.bool_]]

    @property
    def flagged(self) -> NDArray[np.bool_]:
        nothing = np.zeros(len(self.scores), dtype=bool)
        return self.by_method.get(COMBINED, self.by_method.get(CLEANLAB, nothing))


def find(labels: Ints, probabilities: ArrayLike, *, second: ArrayLike | None = None) -> Flags:
    """Return which of `labels` (n,) look wrong by out-of-sample `probabilities` (n, n_labels) of a model, and of a
    `second`.

    Cleanlab: Northcutt, C. et al. (2021), "Confident Learning", JAIR 70: as many as its thresholds count, those of the
    lowest probability. Loss: as many again, those that cost the second model most. Combined: cleanlab on both models'
    pool; the scores are of the pool too. A million labels of three kinds take seconds and less than 0.5 GB.
    """
    labels, first = np.asarray(labels), np.clip(probabilities, 0, 1, dtype=np.float32)
    both = first if second is None else pool(first, second)
    scores, suggested = _own(labels, both), both.argmax(axis=1)
    if len(np.unique(labels)) < 2:
        return Flags(scores, suggested, {})
    judged = ~np.isin(labels, rare(labels, n_labels=first.shape[1]))
    by_method = {CLEANLAB: _by_cleanlab(labels, first) & judged}
    if second is not None:
        by_method[COMBINED] = _by_cleanlab(labels, both) & judged
        fits = np.where(judged, _own(labels, np.asarray(second)), np.inf)
        by_method[LOSS] = _lowest(fits, int(by_method[COMBINED].sum()))
    return Flags(scores, suggested, by_method)


def _own(labels: Ints, probabilities: Array | Floats) -> Floats:
    return np.asarray(probabilities[np.arange(len(labels)), labels], dtype=np.float32)


def _by_cleanlab(labels: Ints, probabilities: Floats) -> NDArray[np.bool_]:
    from cleanlab.filter import find_label_issues

    # More processes only make it slower, and a worker of Celery's may not have any.
    return np.asarray(
        find_label_issues(labels=labels, pred_probs=probabilities, filter_by="low_self_confidence", n_jobs=1)
    )


def _lowest(scores: Array, n: int) -> NDArray[np.bool_]:
    flagged = np.zeros(len(scores), dtype=bool)
    flagged[np.argsort(scores, kind="stable")[:n]] = True
    return flagged


def threshold_for(
    judged: Sequence[tuple[float, bool]], *, precision: float, fewest: int = FEWEST_JUDGED
) -> float | None:
    """Return the score up to which flags are right at least `precision` of the time; None before enough were judged.

    `judged`: score and verdict of flags that a second person has looked at. Of `N_CUTS` places through them, the
    highest where the lower end of Wilson's interval reaches `precision`, at 95 % for all places together, since the
    best of them is chosen. Where none does, the lowest place: the worst flags are still looked at, or nothing would be
    measured again.
    """
    if len(judged) < fewest:
        return None
    scores, right = (np.array(values, dtype=float) for values in zip(*sorted(judged), strict=True))
    n = np.linspace(0, len(scores), N_CUTS + 1).round().astype(int)[1:]
    share, z = np.cumsum(right)[n - 1] / n, NormalDist().inv_cdf(1 - 0.025 / N_CUTS)
    low = (share + z * z / (2 * n) - z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))) / (1 + z * z / n)
    good = np.flatnonzero(low >= precision)
    return float(scores[n[good[-1]] - 1]) if len(good) else float(scores[n[0] - 1])
