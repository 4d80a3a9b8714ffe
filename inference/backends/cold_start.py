"""Sentiment of English and Chinese reviews before any label exists: two linear heads, no fine-tuned model.

English texts are scored sentence by sentence on sentence vectors, Chinese ones on character n-grams. Fitted by
`training.trainers.cold_start`; measured in docs/benchmarks/sentiment-before-labels.md.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file

from core.exceptions import PermanentError
from inference.backends.sentence_encoder import SentenceEncoder
from inference.contracts import Classification, TextClassifier

LABELS = ("positive", "neutral", "negative")
NGRAMS = 2
MAX_SENTENCES, MAX_CHARACTERS = 40, 4000
# The Chinese head knows two classes. As in an ordinal model, a text within this many logits of the border is neutral.
NEUTRAL_BAND = 0.8

_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_LETTER = re.compile(r"[^\W\d_]")


def normalise(text: str) -> str:
    """Return `text` with compatibility forms folded, in lower case, on one line."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def is_chinese(text: str) -> bool:
    """Return whether at least a fifth of the letters are Chinese characters (a character says more than a letter)."""
    return len(_CHINESE.findall(text)) * 5 >= max(1, len(_LETTER.findall(text)))


class ColdStartSentiment(TextClassifier):
    """Labels positive, neutral, negative. A text that praises and blames comes out with a low confidence.

    Options: those of `sentence_encoder`.
    """

    labels = LABELS

    def __init__(self, *, directory: Path | None, options: Mapping[str, Any]) -> None:
        super().__init__(directory=directory, options=options)
        if directory is None:
            raise PermanentError("the back end cold_start needs an artefact", hint="Run `manage.py prepare_models`.")
        self.folder = directory
        heads = load_file(directory / "heads.safetensors")
        self.weight, self.bias = heads["english.weight"], heads["english.bias"]
        ngrams = json.loads((directory / "chinese.json").read_text(encoding="utf-8"))
        idf, weight = heads["chinese.idf"].tolist(), heads["chinese.weight"].tolist()
        self.chinese: dict[str, tuple[float, float]] = dict(zip(ngrams, zip(idf, weight, strict=True), strict=True))
        self.chinese_bias = float(heads["chinese.bias"][0])

    @cached_property
    def encoder(self) -> SentenceEncoder:
        """Loaded with the first text that is not Chinese: the part for Chinese alone never needs it."""
        return SentenceEncoder(directory=self.folder / "encoder", options={"max_tokens": 64, **self.options})

    def classify(self, texts: Sequence[str]) -> list[Classification]:
        """Return one `Classification` for each text, in order. A text without words is neutral, at low confidence."""
        cut = [text[:MAX_CHARACTERS] for text in texts]
        english = [i for i, text in enumerate(cut) if not is_chinese(text)]
        rows = dict(zip(english, self._english([cut[i] for i in english]), strict=True)) if english else {}
        return [self._classification(rows[i] if i in rows else self._chinese(text)) for i, text in enumerate(cut)]

    def _english(self, texts: list[str]) -> list[list[float]]:
        """Return the mean over the sentences of each text of P(label | sentence)."""
        sentences: list[str] = []
        spans: list[slice] = []
        for text in texts:
            start = len(sentences)
            found = [part.strip() for part in _SENTENCE.findall(text) if _LETTER.search(part)]
            sentences += found[:MAX_SENTENCES]
            spans.append(slice(start, len(sentences)))
        logits = self.encoder.encode(sentences) @ self.weight.T + self.bias
        probabilities = softmax(logits)
        even = [1 / len(LABELS)] * len(LABELS)
        return [probabilities[span].mean(axis=0).tolist() if span.stop > span.start else even for span in spans]

    def _chinese(self, text: str) -> list[float]:
        plain = normalise(text)
        counts = Counter(plain[i : i + n] for n in range(1, NGRAMS + 1) for i in range(len(plain) - n + 1))
        dot = norm = 0.0
        for ngram, count in counts.items():
            if ngram in self.chinese:
                idf, weight = self.chinese[ngram]
                value = (1 + math.log(count)) * idf
                dot += value * weight
                norm += value * value
        logit = self.chinese_bias + dot / math.sqrt(norm) if norm else 0.0
        positive, negative = _sigmoid(logit - NEUTRAL_BAND), _sigmoid(-logit - NEUTRAL_BAND)
        return [positive, 1 - positive - negative, negative]

    def _classification(self, row: list[float]) -> Classification:
        total = math.fsum(row)
        probabilities = {label: value / total for label, value in zip(LABELS, row, strict=True)}
        best = max(row)
        tied = [label for label, value in zip(LABELS, row, strict=True) if value >= best - 1e-9]
        return Classification(label="neutral" if len(tied) > 1 else tied[0], probabilities=probabilities)


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, value))))


def softmax(logits: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """Return probabilities, rows summing to 1, in double precision."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True, initial=-np.inf))
    result: npt.NDArray[np.float64] = shifted / shifted.sum(axis=1, keepdims=True)
    return result
