"""Figures of a classifier, against scikit-learn and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, classification_report, f1_score, roc_auc_score

from training.evaluation import metrics
from training.evaluation.metrics import Answers

LABELS = ("positive", "neutral", "negative")


def answers(n: int = 400, *, skill: float = 0.8, seed: int = 0) -> Answers:
    """Answers that are right with a chance of `skill`."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    said = np.where(rng.random(n) < skill, truth, (truth + rng.integers(1, 3, n)) % 3)
    rows = rng.dirichlet(np.ones(3), n)
    best = rows.argmax(axis=1)
    rows[np.arange(n), best], rows[np.arange(n), said] = rows[np.arange(n), said], rows[np.arange(n), best]
    return Answers(rows, truth)


def test_figures_are_those_of_scikit_learn() -> None:
    given = answers()
    found = metrics.describe(given, LABELS)
    assert found["accuracy"]["value"] == pytest.approx(accuracy_score(given.truth, given.predicted), abs=1e-4)
    assert found["macro_f1"]["value"] == pytest.approx(
        f1_score(given.truth, given.predicted, average="macro"), abs=1e-4
    )
    assert found["auc"] == pytest.approx(roc_auc_score(given.truth, given.probabilities, multi_class="ovr"), abs=1e-4)
    report = classification_report(given.truth, given.predicted, target_names=LABELS, output_dict=True)
    for row in found["labels"]:
        assert row["f1"] == pytest.approx(report[row["label"]]["f1-score"], abs=1e-4)
    for name in ("accuracy", "macro_f1"):
        assert found[name]["low"] < found[name]["value"] < found[name]["high"]


def test_a_model_that_is_as_sure_as_it_is_right_has_no_calibration_error() -> None:
    truth = np.array([0] * 8 + [1] * 2)
    assert metrics.calibration_error(Answers(np.tile([0.8, 0.2], (10, 1)), truth)) == pytest.approx(0)
    assert metrics.calibration_error(Answers(np.tile([0.99, 0.01], (10, 1)), truth)) == pytest.approx(0.19)


def test_intervals_are_wider_where_texts_are_about_the_same_products() -> None:
    alone = answers(200)
    rows = np.repeat(np.arange(200), 5)  # each text five times over says no more than once
    together = Answers(alone.probabilities[rows], alone.truth[rows], rows)
    one, other = (metrics.describe(given, LABELS) for given in (alone, together))
    for name in ("accuracy", "macro_f1"):
        assert one[name] == other[name]


def test_of_a_single_product_the_interval_says_nothing() -> None:
    given = answers(50)
    found = metrics.describe(Answers(given.probabilities, given.truth, np.zeros(50, dtype=int)), LABELS)
    assert (found["accuracy"]["low"], found["accuracy"]["high"]) == (0, 1)


def test_slices_have_enough_texts_each() -> None:
    rows = metrics.slices(answers(100), {"language": ["en"] * 90 + ["zh"] * 10})
    assert [(row["value"], row["n"]) for row in rows] == [("en", 90)]


def test_nothing_is_described_as_nothing() -> None:
    assert metrics.describe(Answers(np.zeros((0, 3)), np.zeros(0, dtype=int)), LABELS) == {"n": 0}
