"""Unlabelled texts that a first model is sure of, as further rows to learn from (Lee, D.-H. 2013, pseudo-label). Pure.

None is a text of the test part, nor nearly a copy of one: what is tested on is never learnt from, with whatever label.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from training import near_copies
from training.trainers.contracts import Labelled

# Of each label no more pseudo-labels than so many times its labelled texts: what was guessed does not outvote people.
MOST = 3


def untested(unlabelled: Sequence[str], *, tested: Sequence[str], labelled: Sequence[str] = ()) -> list[str]:
    """Return the texts of `unlabelled`, once each, that are no copy and no near copy of a text `tested` or
    `labelled`.
    """
    barred = {near_copies.letters(text) for text in labelled}
    near = set(near_copies.crossing(unlabelled, tested).learnt)
    kept = []
    for place, text in enumerate(unlabelled):
        if place not in near and (said := near_copies.letters(text)) and said not in barred:
            barred.add(said)
            kept.append(text)
    return kept


def add(
    train: Labelled, texts: Sequence[str], says: Callable[[Sequence[str]], npt.NDArray[Any]], *, threshold: float
) -> Labelled:
    """Return `train` and those of `texts` (see `untested`) to one of whose labels `says` gives `threshold` or more.

    `says(texts)` returns probabilities (n, n_labels). The surest come first, and of a label no more than MOST times
    those that `train` has of it.
    """
    if not texts:
        return train
    rows = np.asarray(says(texts), dtype=np.float64)
    guessed, sure = rows.argmax(axis=1), rows.max(axis=1)
    left = {label: MOST * train.labels.count(label) for label in set(train.labels)}
    found: list[tuple[str, int]] = []
    for place in np.argsort(-sure, kind="stable"):
        label = int(guessed[place])
        if sure[place] >= threshold and left.get(label, 0) > 0:
            left[label] -= 1
            found.append((texts[place], label))
    return Labelled([*train.texts, *(text for text, _ in found)], [*train.labels, *(label for _, label in found)])
