"""How strongly a head is held back with few labels: chosen by what it says of labels that it did not learn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from training.trainers.linear_heads import FOLDS, STRENGTHS, USUAL, strength_by_folds

Floats = npt.NDArray[np.float64]


def drawn(n: int, *, noise: float) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return vectors of length 1 and their label: one of ten is the rare one, and stands `noise` near the others."""
    rng = np.random.default_rng(4)
    labels = np.array([int(place % 10 == 0) for place in range(n)], dtype=np.int64)
    rows = rng.normal(size=(n, 8)) * noise + np.eye(8)[labels]
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), labels


def test_what_is_rare_but_told_apart_is_held_back_less_than_what_is_noise() -> None:
    clear, noisy = drawn(100, noise=0.25), drawn(100, noise=2.0)
    found = [strength_by_folds(*rows, weights=None, seed=0) for rows in (clear, noisy)]
    assert found[0] > found[1]
    assert set(found) <= set(STRENGTHS)


def test_the_same_seed_chooses_the_same() -> None:
    rows = drawn(60, noise=0.6)
    assert len({strength_by_folds(*rows, weights="balanced", seed=3) for _ in range(3)}) == 1


@pytest.mark.parametrize("n", [2 * FOLDS - 1, 11])
def test_too_few_to_fold_are_held_back_as_usual(n: int) -> None:
    rows, labels = drawn(n, noise=0.5)
    labels[:] = 0
    labels[0] = 1  # a fold without it has one label alone to learn
    assert strength_by_folds(rows, labels, weights=None, seed=0) == USUAL
