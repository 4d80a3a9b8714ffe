"""Fit a logistic regression for each of several answers, one against the rest, on the same features. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from inference import several
from inference.backends.linear_heads import logistic
from training.recipes import Recipe
from training.trainers import bounds
from training.trainers.contracts import Ticked, Watch

# Inverse regularisation that is tried; what costs the validation part least, over all answers, is kept.
STRENGTHS = (1.0, 3.0, 10.0, 30.0)
USUAL = 10.0
FEWEST_TO_CHOOSE = 200
LEAST = 1e-6

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Layer:
    """`arrays`: weight (n_choices, d) and bias (n_choices,); `bounds`: from which probability on each answer holds."""

    arrays: Mapping[str, Floats]
    bounds: Sequence[float]
    figures: Mapping[str, Any]


def fit(features: Any, held_out: Any, train: Ticked, validation: Ticked, *, recipe: Recipe, watch: Watch) -> Layer:
    """Return the layer that says yes or no to each answer, of `features` (n, d), dense or CSR.

    Strength and bounds are chosen on the validation part, by what learnt the training part alone; the layer itself is
    fitted to both. An answer that holds of all texts, or of none, is said with its share alone.
    """
    learnt, seen = _table(train), _table(validation)
    strengths = STRENGTHS if len(validation) >= FEWEST_TO_CHOOSE else (USUAL,)
    costs, said = dict[float, float](), dict[float, Floats]()
    for number, strength in enumerate(strengths, 1):
        if len(validation):
            said[strength] = _says(_fitted(features, learnt, strength, recipe), held_out)
            costs[strength] = _cost(said[strength], seen)
        watch(number, len(strengths) + 1, {"eval_loss": costs[strength]} if strength in costs else {})
    best = min(costs, key=lambda strength: costs[strength]) if len(costs) > 1 else USUAL
    found = [several.USUAL] * learnt.shape[1]
    if len(validation):
        found = [bounds.choose(said[best][:, place], seen[:, place]) for place in range(learnt.shape[1])]
    everything = _stacked(features, held_out) if len(validation) else features
    weight, bias = _fitted(everything, np.vstack([learnt, seen]) if len(validation) else learnt, best, recipe)
    watch(len(strengths) + 1, len(strengths) + 1, {})
    figures = {
        "C": best,
        "best_eval_loss": costs[best] if len(costs) > 1 else None,
        "trained_parameters": int(weight.size + bias.size),
    }
    return Layer({"weight": weight, "bias": bias}, found, figures)


def _table(rows: Ticked) -> npt.NDArray[np.bool_]:
    return np.asarray(list(rows.labels), dtype=bool)


def _fitted(features: Any, ticks: npt.NDArray[np.bool_], strength: float, recipe: Recipe) -> tuple[Floats, Floats]:
    """Return weight and bias of a regression for each column of `ticks` (n, n_choices)."""
    n, n_choices = ticks.shape
    weight, bias = np.zeros((n_choices, features.shape[1])), np.zeros(n_choices)
    for place in range(n_choices):
        n_yes = int(ticks[:, place].sum())
        if 0 < n_yes < n:
            model = LogisticRegression(
                C=strength, max_iter=2000, class_weight="balanced" if recipe.class_weights else None
            ).fit(features, ticks[:, place])
            weight[place], bias[place] = model.coef_[0], model.intercept_[0]
        else:  # as if half a text more had said either
            bias[place] = np.log((n_yes + 0.5) / (n - n_yes + 0.5))
    return weight, bias


def _says(layer: tuple[Floats, Floats], features: Any) -> Floats:
    weight, bias = layer
    return logistic(np.asarray(features @ weight.T + bias, dtype=np.float64))


def _cost(said: Floats, truth: npt.NDArray[np.bool_]) -> float:
    """Return the mean log loss of all yes and no."""
    return float(-np.log(np.clip(np.where(truth, said, 1 - said), LEAST, 1)).mean())


def _stacked(*parts: Any) -> Any:
    from scipy import sparse

    return sparse.vstack(parts).tocsr() if sparse.issparse(parts[0]) else np.vstack(parts)
