"""Logistic regression that adds to what another model says: with nothing learnt it is that model.

The other model's log-probabilities are an offset (McCullagh and Nelder 1989, Generalized Linear Models, 2.2), so the
penalty draws towards that model, as a prior around it would. How much is learnt is chosen out of sample; where learning
is not better than the other model beyond chance, nothing is learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import logsumexp
from threadpoolctl import threadpool_limits

from labeling.quality.probabilities import N_FOLDS, fold_of
from training.trainers.contracts import Watch, unwatched

# Inverse regularisation that is tried, from little learnt to much.
STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
# Standard errors by which learning has to be better, at 95 %: with one, one draw of forty labels in twenty lost four
# points.
SURE = 1.96
ROUNDS = 200

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def fit(
    features: Any,
    offset: Floats,
    labels: Ints,
    *,
    keys: Sequence[str],
    n_aside: int = 0,
    is_balanced: bool = False,
    watch: Watch = unwatched,
) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Return figures, and `weight` (k, m), `bias` (k,) and `start` (k, k): what the offset (n, k) is multiplied with.

    `features` (n, m) CSR. The last `n_aside` rows choose how much is learnt, or each fold in turn where that is none;
    the fold of a row is that of its key. Fitted to all rows in the end.
    """
    k = offset.shape[1]
    view = sparse.hstack([features, sparse.csr_matrix(offset)]).tocsr()
    weights = _weights(labels, k) if is_balanced else np.ones(len(labels))
    numbers = np.array([fold_of(key.strip()) for key in keys])
    aside = (
        [np.arange(len(labels)) >= len(labels) - n_aside] if n_aside else [numbers == fold for fold in range(N_FOLDS)]
    )
    judged = np.logical_or.reduce(aside)
    logits = {strength: offset.copy() for strength in (0.0, *STRENGTHS)}
    nothing: tuple[Floats, Floats] = (np.zeros((k, view.shape[1])), np.zeros(k))
    folds = [rows for rows in aside if rows.any() and not rows.all()]
    for number, rows in enumerate(folds, 1):
        weight, bias = nothing
        for strength in STRENGTHS:  # each begins with what the one before came to, which is near
            weight, bias = _fitted(view[~rows], offset[~rows], labels[~rows], weights[~rows], strength, weight, bias)
            logits[strength][rows] += view[rows] @ weight.T + bias
        watch(number, len(folds) + 1, {})
    costs = {strength: _costs(rows, labels) * weights for strength, rows in logits.items()}
    best = min(STRENGTHS, key=lambda strength: costs[strength][judged].mean())
    gain = (costs[0.0] - costs[best])[judged]
    is_better = gain.mean() > SURE * gain.std() / np.sqrt(len(gain))
    weight, bias = nothing
    if is_better:
        weight, bias = _fitted(view, offset, labels, weights, best, weight, bias)
    watch(len(folds) + 1, len(folds) + 1, {})
    figures = {
        "C": best if is_better else 0.0,
        "best_eval_loss": float(costs[best if is_better else 0.0][judged].mean()),
        "eval_loss_of_start": float(costs[0.0][judged].mean()),
        "trained_parameters": int(weight.size + bias.size),
    }
    m = features.shape[1]
    return figures, {"weight": weight[:, :m], "bias": bias, "start": np.eye(k) + weight[:, m:]}


def _costs(logits: Floats, labels: Ints) -> Floats:
    """Return the loss of each row, in nats."""
    return np.asarray(logsumexp(logits, axis=1) - logits[np.arange(len(labels)), labels])


def _weights(labels: Ints, k: int) -> Floats:
    """Return a weight for each row: all labels cost as much together."""
    counts = np.bincount(labels, minlength=k)
    return np.asarray(len(labels) / (np.count_nonzero(counts) * counts[labels]))


def _fitted(
    view: Any, offset: Floats, labels: Ints, weights: Floats, strength: float, weight: Floats, bias: Floats
) -> tuple[Floats, Floats]:
    """Return weight (k, m) and bias (k,) of the least penalised loss, from these on, by L-BFGS,
    which has no randomness.
    """
    (n, m), k = view.shape, offset.shape[1]
    truth = np.zeros((n, k))
    truth[np.arange(n), labels] = 1

    def loss(values: Floats) -> tuple[float, Floats]:
        weight, bias = values[: k * m].reshape(k, m), values[k * m :]
        logits = offset + view @ weight.T + bias
        total = logsumexp(logits, axis=1, keepdims=True)
        errors = (np.exp(logits - total) - truth) * (strength * weights)[:, None]
        slope = np.concatenate([((view.T @ errors).T + weight).ravel(), errors.sum(axis=0)])
        cost = strength * float(weights @ _costs(logits, labels)) + 0.5 * float((weight**2).sum())
        return cost, slope

    begin = np.concatenate([weight.ravel(), bias])
    with threadpool_limits(limits=1, user_api="blas"):  # on vectors so short threads wait for each other: 38 s, not 1
        found = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS})
    return found.x[: k * m].reshape(k, m), found.x[k * m :]
