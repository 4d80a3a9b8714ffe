"""What a classifier is worth on a held-out part: figures with intervals, and by slice. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
ROUNDS = 2000
N_BINS = 10


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model said of n texts: `probabilities` (n, n_labels), rows sum to 1; `truth` (n,) what people said.

    `products` (n,) numbers what each text is about; None: no two are about the same. `said` (n,) is what it said where
    that is not the likeliest label: an answer of several is said from a bound of its own on.
    """

    probabilities: Floats
    truth: Ints
    products: Ints | None = None
    said: Ints | None = None

    @property
    def predicted(self) -> Ints:
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64) if self.said is None else self.said

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.predicted == self.truth)

    def of(self, rows: npt.NDArray[Any]) -> Answers:
        """Return the answers about some of the texts."""
        products = None if self.products is None else self.products[rows]
        said = None if self.said is None else self.said[rows]
        return Answers(self.probabilities[rows], self.truth[rows], products, said)


def describe(answers: Answers, labels: Sequence[str], *, seed: int = 0) -> dict[str, Any]:
    """Return accuracy and macro-F1 with 95 % bootstrap intervals, AUC, log loss, calibration, and a row for each label.

    Whole products are drawn again, for texts about one are alike; of a single product the interval says nothing.
    """
    n = len(answers.truth)
    if not n:
        return {"n": 0}
    tally = _Tally(answers, seed)
    report = per_label(answers, labels)
    return {
        "n": n,
        "accuracy": tally.accuracy(),
        "macro_f1": tally.macro_f1(),
        "auc": auc(answers),
        "log_loss": round(
            float(-np.log(np.clip(answers.probabilities[np.arange(n), answers.truth], 1e-12, 1)).mean()), 4
        ),
        "ece": round(calibration_error(answers), 4),
        "calibration": calibration(answers),
        "labels": report,
        "confusion": confusion(answers, len(labels)).tolist(),
    }


class _Tally:
    """How often label i was called j, of each product, and of products drawn again."""

    def __init__(self, answers: Answers, seed: int) -> None:
        n, n_labels = answers.probabilities.shape
        found = np.arange(n) if answers.products is None else np.unique(answers.products, return_inverse=True)[1]
        n_products = int(found.max()) + 1
        cells = found * n_labels**2 + answers.truth * n_labels + answers.predicted
        counts = np.bincount(cells, minlength=n_products * n_labels**2).reshape(n_products, n_labels**2)
        # Fewer rounds for many, whose interval is narrow anyway: the array stays below 200 MB.
        rounds = max(200, min(ROUNDS, 20_000_000 // n_products))
        drawn = np.random.default_rng(seed).multinomial(n_products, np.full(n_products, 1 / n_products), size=rounds)
        self.is_known = n_products > 1
        self.all = counts.sum(axis=0).reshape(1, n_labels, n_labels)
        self.drawn = (drawn @ counts).reshape(rounds, n_labels, n_labels)

    def accuracy(self) -> dict[str, float]:
        return self._with_interval(_accuracy)

    def macro_f1(self) -> dict[str, float]:
        return self._with_interval(_macro_f1)

    def _with_interval(self, figure: Callable[[Ints], Floats]) -> dict[str, float]:
        low, high = np.percentile(figure(self.drawn), (2.5, 97.5)) if self.is_known else (0.0, 1.0)
        return {
            "value": round(float(figure(self.all)[0]), 4),
            "low": round(float(low), 4),
            "high": round(float(high), 4),
        }


def _accuracy(counts: Ints) -> Floats:
    """Return the accuracy of each confusion matrix of (rounds, n_labels, n_labels)."""
    hits: Floats = np.trace(counts, axis1=1, axis2=2) / counts.sum(axis=(1, 2))
    return hits


def confusion(answers: Answers, n_labels: int) -> Ints:
    """Return how often a text of label i was called j: (n_labels, n_labels)."""
    counts = np.zeros((n_labels, n_labels), dtype=np.int64)
    np.add.at(counts, (answers.truth, answers.predicted), 1)
    return counts


def occurring(answers: Answers) -> Ints:
    """Return the labels of the texts: over these macro-F1 is the mean,
    for every model that answers about the same texts.
    """
    return np.unique(answers.truth).astype(np.int64)


def macro_f1(answers: Answers) -> float:
    """Return the mean of the labels' F1 over the labels that occur, whatever a model says besides."""
    return float(_macro_f1(confusion(answers, answers.probabilities.shape[1])[None])[0])


def _f1(counts: Ints) -> Floats:
    """Return the F1 of each label, of each confusion matrix of (rounds, n_labels, n_labels)."""
    hits = np.diagonal(counts, axis1=1, axis2=2)
    both = counts.sum(axis=1) + counts.sum(axis=2)
    return np.asarray(np.divide(2 * hits, both, out=np.zeros(hits.shape), where=both > 0), dtype=np.float64)


def _macro_f1(counts: Ints) -> Floats:
    """Return the macro-F1 of each confusion matrix of (rounds, n_labels, n_labels)."""
    occurs = counts.sum(axis=2) > 0
    return np.asarray((_f1(counts) * occurs).sum(axis=1) / np.maximum(occurs.sum(axis=1), 1), dtype=np.float64)


def auc(answers: Answers) -> float | None:
    """Return the area under the ROC curve, for more than two labels the mean of one label against the rest."""
    from sklearn.metrics import roc_auc_score

    areas = [
        float(roc_auc_score(answers.truth == label, answers.probabilities[:, label]))
        for label in range(answers.probabilities.shape[1])
        if 0 < int((answers.truth == label).sum()) < len(answers.truth)
    ]
    return round(sum(areas) / len(areas), 4) if areas else None


def calibration(answers: Answers) -> list[dict[str, float]]:
    """Return for each tenth of confidence how many texts, how sure on average, and how often right."""
    sure = answers.probabilities[np.arange(len(answers.truth)), answers.predicted]
    bins = np.minimum((sure * N_BINS).astype(int), N_BINS - 1)
    return [
        {
            "n": int((bins == i).sum()),
            "confidence": round(float(sure[bins == i].mean()), 4),
            "accuracy": round(float(answers.right[bins == i].mean()), 4),
        }
        for i in np.unique(bins)
    ]


def calibration_error(answers: Answers) -> float:
    """Return the expected calibration error over ten bins of equal width (Guo et al. 2017, ICML)."""
    n = len(answers.truth)
    return sum(row["n"] / n * abs(row["confidence"] - row["accuracy"]) for row in calibration(answers))


def per_label(answers: Answers, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Return precision, recall, F1 and the number of texts of each label: the classification report."""
    counts = confusion(answers, len(labels))
    rows = []
    for i, label in enumerate(labels):
        hits, said, there = int(counts[i, i]), int(counts[:, i].sum()), int(counts[i].sum())
        precision, recall = hits / said if said else 0.0, hits / there if there else 0.0
        f1 = 2 * hits / (said + there) if said + there else 0.0
        rows.append(
            {
                "label": label,
                "n": there,
                "precision": round(precision, 4),
                "recall": round(recall, 4),
                "f1": round(f1, 4),
            }
        )
    return rows


def slices(answers: Answers, groups: Mapping[str, Sequence[str]], *, fewest: int = 20) -> list[dict[str, Any]]:
    """Return the accuracy within each value of each grouping
    (name → value of each text) with at least `fewest` texts.
    """
    rows = []
    for name, values in groups.items():
        column = np.asarray(values)
        for value in sorted(set(values)):
            part = answers.of(np.flatnonzero(column == value))
            if len(part.truth) >= fewest:
                rows.append({"by": name, "value": value, "n": len(part.truth), "accuracy": _Tally(part, 0).accuracy()})
    return rows


def length_band(text: str) -> str:
    """Return which band of length a text falls into, for slices."""
    n = len(text)
    return "up to 80 characters" if n <= 80 else "81 to 300" if n <= 300 else "over 300"
