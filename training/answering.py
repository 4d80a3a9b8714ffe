"""Have a model version answer texts, batch by batch: probabilities as an array, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from core import label_sets
from inference import loader
from inference.models import ModelVersion

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# Texts that are classified between two words about how far it is.
BATCH = 256
Told = Callable[[int], None]


def classify(
    version: ModelVersion, texts: Sequence[str], labels: Sequence[str], *, tell: Told = lambda done: None
) -> npt.NDArray[np.float64]:
    """Return what `version` says of `texts`: probabilities (n, n_labels) in the order of `labels`.

    `tell(done)` hears of each batch.
    """
    return classify_several(version, texts, labels, tell=tell)[0]


def classify_several(
    version: ModelVersion, texts: Sequence[str], labels: Sequence[str], *, tell: Told = lambda done: None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return what `classify` does, and which of `labels` it says of each text (n, n_labels): of one answer one."""
    import numpy as np

    backend: Any = loader.build(version)
    rows, said = list[list[float]](), list[list[bool]]()
    for start in range(0, len(texts), BATCH):
        tell(start)
        for answer in backend.classify(texts[start : start + BATCH]):
            rows.append([answer.probabilities.get(label, 0.0) for label in labels])
            holds = set(label_sets.split(answer.label))
            said.append([label in holds for label in labels])
    shape = (len(texts), len(labels))
    return np.array(rows, dtype=float).reshape(shape), np.array(said, dtype=bool).reshape(shape)
