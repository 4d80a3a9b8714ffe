"""Does the model's suggestion pull people's answers towards itself? Those who saw it against those who did not.

Which of the two a person gets is drawn by lot, so what differs between the arms is what the suggestion does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labeling.quality.intervals import Estimate, share, share_difference

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]

FEWEST = 30  # answers in each arm, below which nothing is said


@dataclass(frozen=True)
class Anchoring:
    """`accepted_*`: the share of answers that are what the model suggested. `shift`: by how much that is more with it.

    `label_shift` is the total variation distance between what the two arms answered, 0 (the same) to 1. By chance alone
    it is above 0: `label_shift_by_chance` is the 95th percentile when the arms are dealt at random. None where an arm
    has too few answers.
    """

    accepted_assisted: Estimate
    accepted_blind: Estimate
    shift: Estimate
    label_shift: float | None
    label_shift_by_chance: float | None
    labels_assisted: tuple[float, ...]
    labels_blind: tuple[float, ...]

    def in_words(self) -> str:
        """Return what was found, in one sentence."""
        low, high = self.shift.low, self.shift.high
        if self.shift.value is None or low is None or high is None:
            n = FEWEST - min(self.accepted_assisted.n, self.accepted_blind.n)
            return f"Too early to say: {n} more answers are needed in the smaller arm."
        points = f"{self.shift.value * 100:+.1f} points ({low * 100:+.1f} to {high * 100:+.1f})"
        if low > 0:
            return f"The suggestion pulls answers towards itself: {points}."
        if high < 0:
            return f"People who see the suggestion agree with it less: {points}."
        return f"No pull was found that chance would not explain: {points}."


def anchoring(
    labels: Integers, suggestions: Integers, assisted: Integers, *, n_labels: int, seed: int = 0
) -> Anchoring:
    """Compare answers given with the suggestion in sight (`assisted` 1) and without (0); others are left out.

    `labels` and `suggestions` are label numbers from 0 to `n_labels` - 1, arrays of equal length; -1 is none.
    """
    import numpy as np

    known = (suggestions >= 0) & (labels >= 0)
    arms = [known & (assisted == 1), known & (assisted == 0)]
    hits = [int((labels[arm] == suggestions[arm]).sum()) for arm in arms]
    sizes = [int(arm.sum()) for arm in arms]
    spread = [np.bincount(labels[arm], minlength=n_labels) / max(n, 1) for arm, n in zip(arms, sizes, strict=True)]
    enough = min(sizes) >= FEWEST
    by_chance = None
    if enough:
        rng, both = np.random.default_rng(seed), labels[arms[0] | arms[1]]
        dealt = np.empty(500)
        for i in range(len(dealt)):
            order = rng.permutation(both)
            one, two = order[: sizes[0]], order[sizes[0] :]
            dealt[i] = _distance(
                np.bincount(one, minlength=n_labels) / len(one), np.bincount(two, minlength=n_labels) / len(two)
            )
        by_chance = float(np.quantile(dealt, 0.95))
    return Anchoring(
        accepted_assisted=share(hits[0], sizes[0], minimum=FEWEST),
        accepted_blind=share(hits[1], sizes[1], minimum=FEWEST),
        shift=share_difference(hits[0], sizes[0], hits[1], sizes[1], minimum=FEWEST),
        label_shift=_distance(spread[0], spread[1]) if enough else None,
        label_shift_by_chance=by_chance,
        labels_assisted=tuple(map(float, spread[0])),
        labels_blind=tuple(map(float, spread[1])),
    )


def _distance(one: npt.NDArray[np.float64], two: npt.NDArray[np.float64]) -> float:
    return float(abs(one - two).sum() / 2)
