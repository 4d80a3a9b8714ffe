"""A fine-tuned encoder for each fold: what it thinks of labels that it was not fitted to. Minutes, or a GPU."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inference.backends.sequence_classifier import SequenceClassifier
from training import recipes
from training.trainers import transformer_classifier
from training.trainers.contracts import Labelled

# Later epochs learn wrong labels by heart, and those are what is looked for.
EPOCHS, MAX_TOKENS = 2, 64


def fine_tuned(
    texts: Sequence[str],
    labels: npt.NDArray[np.int64],
    folds: npt.NDArray[np.int64],
    *,
    n_labels: int,
    base: Path,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> npt.NDArray[np.float32]:
    """Return probabilities (n, n_labels), rows sum to 1: each text's by the model that was fine-tuned on the other
    folds.

    `base` is the encoder's directory. `progress` hears of every step: how many are done, and how many there are in all.
    """
    names = [str(label) for label in range(n_labels)]
    found = np.full((len(texts), n_labels), 1 / n_labels, dtype=np.float32)
    all_folds = np.unique(folds)
    for number, fold in enumerate(all_folds):
        test, train = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if len(np.unique(labels[train])) < 2:
            continue
        aside = max(12, len(train) // 10)
        asked = recipes.Recipe(method="full", epochs=EPOCHS, max_tokens=MAX_TOKENS, seed=seed)
        recipe = recipes.resolve_defaults(asked, n_train=len(train), is_chinese=False)
        fitted, held_out = (
            Labelled([texts[i] for i in rows], [int(labels[i]) for i in rows])
            for rows in (train[aside:], train[:aside])
        )
        with tempfile.TemporaryDirectory(prefix="ecomsite-fold-") as folder:
            transformer_classifier.fit(
                fitted,
                held_out,
                labels=names,
                recipe=recipe,
                base=base,
                work=Path(folder) / "work",
                into=Path(folder) / "model",
                watch=lambda done, of, figures, number=number: progress(number * of + done, len(all_folds) * of),
            )
            backend = SequenceClassifier(directory=Path(folder) / "model", options={"max_tokens": MAX_TOKENS})
            answers = backend.classify([texts[i] for i in test])
        found[test] = [[answer.probabilities[name] for name in names] for answer in answers]
    return found
