"""Near-duplicates, outliers, drift and rare labels."""

from __future__ import annotations

import numpy as np
import pytest

from labeling.quality.datalab import CHECKS, inspect


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_copies_strangers_and_rare_labels_are_counted() -> None:
    rng = np.random.default_rng(2)
    vectors = unit(rng.normal(size=(300, 8)) * 0.1 + np.array([1, 0, 0, 0, 0, 0, 0, 0]))
    vectors[10] = vectors[20]
    vectors[30] = unit(np.array([[-1.0, 0, 0, 0, 0, 0, 0, 0]]))[0]
    labels = np.array([0] * 148 + [1] * 148 + [2] * 4)
    rng.shuffle(labels)
    found = inspect(labels, vectors)
    assert set(found) == set(CHECKS)
    assert found["near_duplicate"].n >= 2
    assert found["outlier"].n >= 1
    assert found["class_imbalance"].n == 4


def test_drift_is_seen_where_time_orders_the_texts() -> None:
    rng = np.random.default_rng(3)
    drifting = unit(
        rng.normal(size=(400, 4)) * 0.05
        + np.linspace(-1, 1, 400)[:, None] * np.array([1, 1, 0, 0])
        + np.array([0, 0, 1, 1])
    )
    labels = rng.integers(0, 2, 400)
    assert inspect(labels, drifting)["non_iid"].score < 0.05
    shuffled = drifting[rng.permutation(400)]
    assert inspect(labels, shuffled)["non_iid"].score > 0.05


def test_what_datalab_swallows_is_raised() -> None:
    with pytest.raises((RuntimeError, ValueError), match=r".+"):
        inspect(np.array([0, 1, 0, 1]), np.full((4, 2), np.nan))
