"""Fit one linear layer on frozen sentence vectors, or on the characters of texts: seconds, and no GPU."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold

from inference import several
from inference.backends.linear_heads import (
    ENCODER,
    HEAD,
    LABELS,
    START,
    STARTED_FROM,
    VOCABULARY,
    log_probabilities,
    signs,
)
from inference.backends.parts import load_part
from inference.contracts import TextClassifier, TextEncoder
from training import near_copies
from training.recipes import Recipe
from training.trainers import offset_regression, one_by_one
from training.trainers.contracts import Rows, Ticked, Watch, unwatched

# Inverse regularisation that is tried; what costs the validation part least is kept.
STRENGTHS = (1.0, 3.0, 10.0, 30.0)
USUAL = 10.0
FEWEST_TO_CHOOSE = 200
# With fewer to validate by, parts that everything is cut into; by each the head is judged that learnt the others.
FOLDS = 5
MOST_SIGNS = 200_000
# Texts that become vectors between two words about how far it is.
AT_ONCE = 512


def fit_embedding_head(
    train: Rows,
    validation: Rows,
    *,
    labels: Sequence[str],
    recipe: Recipe,
    encoder: TextEncoder,
    encoder_directory: Path,
    into: Path,
    by_folds: bool = True,
    watch: Watch = unwatched,
    reading: Watch = unwatched,
) -> dict[str, Any]:
    """Write a model directory for the back end `embedding_head`; the encoder goes into it and is not changed.

    `by_folds`: where there is too little to validate by, choose the strength by folds; not where the encoder has seen
    the labels. `reading` hears of the texts as they become vectors, `watch` of the strengths that are tried.
    """
    of = len(train) + len(validation)
    features = _encoded(encoder, train.texts, lambda done: reading(done, of, {}))
    held_out = _encoded(encoder, validation.texts, lambda done: reading(len(train) + done, of, {}))
    figures = _fit(
        features,
        held_out,
        train,
        validation,
        labels=labels,
        recipe=recipe,
        into=into,
        watch=watch,
        by_folds=by_folds,
    )
    shutil.copytree(encoder_directory, into / ENCODER, ignore=shutil.ignore_patterns("manifest.json"))
    return figures


def fit_character_head(
    train: Rows,
    validation: Rows,
    *,
    labels: Sequence[str],
    recipe: Recipe,
    into: Path,
    start: Start | None = None,
    watch: Watch = unwatched,
) -> dict[str, Any]:
    """Write a model directory for the back end `character_head`; with `start`,
    of what is to be added to what that says.
    """
    reader = TfidfVectorizer(
        analyzer=_signs, min_df=2 if len(train) < 5000 else 3, max_features=MOST_SIGNS, sublinear_tf=True
    )
    features = reader.fit_transform(train.texts)
    held_out = reader.transform(validation.texts) if len(validation) else None
    into.mkdir(parents=True, exist_ok=True)
    vocabulary = json.dumps(reader.get_feature_names_out().tolist(), ensure_ascii=False)
    (into / VOCABULARY).write_text(vocabulary, encoding="utf-8")
    if start is None:
        return _fit(
            features,
            held_out,
            train,
            validation,
            labels=labels,
            recipe=recipe,
            into=into,
            watch=watch,
            arrays={"idf": reader.idf_},
        )
    everything, texts = (
        _stacked([features, held_out]) if len(validation) else features,
        [*train.texts, *validation.texts],
    )
    figures, arrays = offset_regression.fit(
        everything,
        start.says(texts, labels),
        np.array([*train.labels, *validation.labels]),
        keys=[near_copies.letters(text).hex() for text in texts],
        n_aside=len(validation) if len(validation) >= FEWEST_TO_CHOOSE else 0,
        is_balanced=recipe.class_weights,
        watch=watch,
    )
    _keep(into, labels, {**arrays, "idf": reader.idf_})
    start.copy(into)
    return {**figures, "started_from": start.about["backend"]}


@dataclass(frozen=True)
class Start:
    """A classifier on this disk that a layer starts from. `about`: its `backend` and `options`."""

    folder: Path
    about: Mapping[str, Any]

    @cached_property
    def model(self) -> TextClassifier:
        return load_part(self.folder, self.about, {})

    def says(self, texts: Sequence[str], labels: Sequence[str]) -> npt.NDArray[np.float64]:
        return log_probabilities(self.model, texts, labels)

    def copy(self, into: Path) -> None:
        """Put it beside the layer: what a version serves with never changes, whatever becomes of the other."""
        shutil.copytree(self.folder, into / START, ignore=shutil.ignore_patterns("manifest.json"))
        (into / STARTED_FROM).write_text(json.dumps(dict(self.about)), encoding="utf-8")


def _encoded(encoder: TextEncoder, texts: Sequence[str], tell: Callable[[int], None]) -> npt.NDArray[np.float32]:
    """Return the vectors of `texts` (n, d), a few at a time; `tell(done)` hears of it."""
    parts = []
    for start in range(0, len(texts), AT_ONCE):
        tell(start)
        parts.append(encoder.encode(list(texts[start : start + AT_ONCE])))
    return np.vstack(parts) if parts else encoder.encode([])


def _signs(text: str) -> list[str]:
    return list(signs(text))


def _fit(
    features: Any,
    held_out: Any,
    train: Rows,
    validation: Rows,
    *,
    labels: Sequence[str],
    recipe: Recipe,
    into: Path,
    watch: Watch,
    arrays: Mapping[str, npt.NDArray[Any]] | None = None,
    by_folds: bool = False,
) -> dict[str, Any]:
    if isinstance(train, Ticked):
        found = one_by_one.fit(features, held_out, train, validation, recipe=recipe, watch=watch)
        _keep(into, labels, {**found.arrays, **(arrays or {})})
        several.write(into, dict(zip(labels, found.bounds, strict=True)))
        return {**found.figures, "bounds": dict(zip(labels, found.bounds, strict=True))}
    strengths = STRENGTHS if len(validation) >= FEWEST_TO_CHOOSE else (USUAL,)
    weights = "balanced" if recipe.class_weights else None
    costs = {}
    for number, strength in enumerate(strengths, 1):
        if len(strengths) > 1:
            model = LogisticRegression(C=strength, max_iter=2000, class_weight=weights).fit(features, train.labels)
            costs[strength] = _cost(model, held_out, validation.labels)
        watch(number, len(strengths) + 1, {"eval_loss": costs[strength]} if costs else {})
    # Nothing is stopped early here: once the strength is chosen, the validation part is learnt from too.
    everything = _stacked([features, held_out]) if len(validation) else features
    said = np.array([*train.labels, *validation.labels])
    best = min(costs, key=lambda strength: costs[strength]) if costs else USUAL
    if by_folds and not costs:
        best = strength_by_folds(everything, said, weights=weights, seed=recipe.seed)
    model = LogisticRegression(C=best, max_iter=2000, class_weight=weights).fit(everything, said)
    watch(len(strengths) + 1, len(strengths) + 1, {})
    weight, bias = _per_label(model, n_labels=len(labels))
    _keep(into, labels, {"weight": weight, "bias": bias, **(arrays or {})})
    return {"C": best, "best_eval_loss": costs.get(best), "trained_parameters": int(weight.size + bias.size)}


def strength_by_folds(features: Any, labels: npt.NDArray[np.int64], *, weights: str | None, seed: int) -> float:
    """Return the strength whose heads say most labels that they did not learn, of equal ones the one that is surer of
    them.

    With few labels USUAL holds back what is rare: at 154 labels of three kinds this finds 0.9 points more, and 3.7 of
    macro-F1 (docs/benchmarks/declared-questions.md).
    """
    if len(labels) < 2 * FOLDS:
        return USUAL
    found = {}
    for strength in STRENGTHS:
        right, cost = 0, 0.0
        for learnt, aside in KFold(FOLDS, shuffle=True, random_state=seed).split(labels):
            if len(np.unique(labels[learnt])) < 2:
                return USUAL
            model = LogisticRegression(C=strength, max_iter=500, class_weight=weights).fit(
                features[learnt], labels[learnt]
            )
            right += int((model.predict(features[aside]) == labels[aside]).sum())
            cost += _cost(model, features[aside], labels[aside]) * len(aside)
        found[strength] = (right, -cost)
    return max(found, key=lambda strength: found[strength])


def _keep(into: Path, labels: Sequence[str], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write the layer and its labels into the model directory."""
    into.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(value, dtype=np.float32) for name, value in arrays.items()}, into / HEAD)
    (into / LABELS).write_text(json.dumps(list(labels), ensure_ascii=False), encoding="utf-8")


def _stacked(parts: Sequence[Any]) -> Any:
    """Return the rows of all `parts`, dense or sparse, below each other."""
    from scipy import sparse

    return sparse.vstack(parts).tocsr() if sparse.issparse(parts[0]) else np.vstack(parts)


def _cost(model: LogisticRegression, features: Any, labels: Sequence[int] | npt.NDArray[np.int64]) -> float:
    known = [i for i, label in enumerate(labels) if label in model.classes_]
    if not known:
        return float("inf")
    rows = model.predict_proba(features[known])
    return float(log_loss([labels[i] for i in known], rows, labels=model.classes_))


def _per_label(model: LogisticRegression, *, n_labels: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return weight (n_labels, d) and bias (n_labels,) whose softmax is the model; labels it never saw get nothing."""
    weight, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn keeps one row for two labels
        weight, bias = np.vstack([-weight / 2, weight / 2]), np.concatenate([-bias / 2, bias / 2])
    full, offsets = np.zeros((n_labels, weight.shape[1])), np.full(n_labels, -30.0)
    full[model.classes_], offsets[model.classes_] = weight, bias
    return full, offsets
