"""Classifiers that are one linear layer: on a sentence vector, or on the characters of a text.

Fitted by `training.trainers.linear_heads`. Characters carry any language; the vector those that the encoder knows.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file

from core.exceptions import PermanentError
from inference import several
from inference.backends.cold_start import normalise, softmax
from inference.backends.parts import load_part
from inference.backends.sentence_encoder import SentenceEncoder
from inference.contracts import Classification, TextClassifier

HEAD, LABELS, VOCABULARY, ENCODER = "head.safetensors", "labels.json", "vocabulary.json", "encoder"
# The classifier that a layer started from, and what it is.
START, STARTED_FROM = "start", "start.json"
# Surer than this no start is taken to be, or nothing that is learnt could change its mind.
LEAST = 1e-3
# Characters in a row that count as one sign.
LONGEST = 3
MAX_CHARACTERS = 4000
# Beyond it the exponential of a double overflows, and the probability is 0 or 1 to every digit.
MOST_LOGIT = 500.0


class LinearHead(TextClassifier):
    """Softmax of `weight` · features + `bias`; the labels stand in a file beside them.

    Where several answers may hold (inference/several.py) each has a logistic function of its own instead.
    """

    def __init__(self, *, directory: Path | None, options: Mapping[str, Any]) -> None:
        super().__init__(directory=directory, options=options)
        if directory is None:
            raise PermanentError(f"{type(self).__name__} needs an artefact", hint="Train one: `manage.py train`.")
        self.labels = json.loads((directory / LABELS).read_text(encoding="utf-8"))
        arrays = load_file(directory / HEAD)
        self.weight, self.bias = arrays["weight"].astype(np.float64), arrays["bias"].astype(np.float64)
        self.arrays = arrays
        self.bounds = several.read(directory, self.labels)

    def classify(self, texts: Sequence[str]) -> list[Classification]:
        """Return one `Classification` for each text, in order."""
        if not texts:
            return []
        logits = self._logits([text[:MAX_CHARACTERS] for text in texts])
        if self.bounds is not None:
            return [Classification.of_several(self.labels, row, self.bounds) for row in logistic(logits).tolist()]
        return [Classification.of(self.labels, row) for row in softmax(logits).tolist()]

    def _logits(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        raise NotImplementedError


class EmbeddingHead(LinearHead):
    """On the vector of the sentence encoder that lies in the artefact. Options: those of `sentence_encoder`."""

    def __init__(self, *, directory: Path | None, options: Mapping[str, Any]) -> None:
        super().__init__(directory=directory, options=options)
        self.encoder = SentenceEncoder(directory=self.directory / ENCODER if self.directory else None, options=options)

    def _logits(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        return np.asarray(self.encoder.encode(texts) @ self.weight.T + self.bias, dtype=np.float64)


class CharacterHead(LinearHead):
    """On the TF-IDF of runs of one to `LONGEST` characters of a text, added to what the model it started from says, if
    any.

    Options: those of that model.
    """

    def __init__(self, *, directory: Path | None, options: Mapping[str, Any]) -> None:
        super().__init__(directory=directory, options=options)
        names = json.loads((self.directory / VOCABULARY).read_text(encoding="utf-8")) if self.directory else []
        self.places = {name: place for place, name in enumerate(names)}
        self.idf = self.arrays["idf"].astype(np.float64)
        self.start: TextClassifier | None = None
        if self.directory and (self.directory / STARTED_FROM).is_file():
            about = json.loads((self.directory / STARTED_FROM).read_text(encoding="utf-8"))
            self.start = load_part(self.directory / START, about, options)

    def _logits(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        rows = np.tile(self.bias, (len(texts), 1))
        if self.start is not None:
            rows += log_probabilities(self.start, texts, self.labels) @ self.arrays["start"].T.astype(np.float64)
        for number, text in enumerate(texts):
            counts = Counter(place for sign in signs(text) if (place := self.places.get(sign)) is not None)
            if counts:
                places = np.fromiter(counts, dtype=np.int64)
                values = np.array([1 + math.log(count) for count in counts.values()]) * self.idf[places]
                rows[number] += self.weight[:, places] @ (values / np.linalg.norm(values))
        return rows


def logistic(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the probability of each answer apart, 0 to 1, whatever the others are."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -MOST_LOGIT, MOST_LOGIT))), dtype=np.float64)


def log_probabilities(model: TextClassifier, texts: Sequence[str], labels: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the logarithms (n, n_labels) of what `model` says of `texts`, at least that of LEAST,
    in the order of `labels`.
    """
    found = [[answer.probabilities[label] for label in labels] for answer in model.classify(texts)]
    rows = np.array(found, dtype=np.float64).reshape(len(texts), len(labels))
    return np.asarray(np.log(np.maximum(rows, LEAST)), dtype=np.float64)


def signs(text: str) -> Iterator[str]:
    """Yield what a text is made of: its runs of characters, spaces among them."""
    plain = f" {normalise(text[:MAX_CHARACTERS])} "
    for n in range(1, LONGEST + 1):
        for start in range(len(plain) - n + 1):
            yield plain[start : start + n]
