"""Out-of-sample probabilities: whose model never saw the item, in which fold it is, and what is too little to judge by."""

from __future__ import annotations

import random

import numpy as np
import pytest

from labeling.quality import probabilities
from labeling.quality.probabilities import cross_validated, fold_of, out_of_sample, pool

WORDS = (["lovely", "great", "perfect", "warm", "splendid"], ["broken", "awful", "cracked", "cold", "useless"])


def reviews(n: int, *, seed: int = 0) -> tuple[list[str], np.ndarray]:
    rng = random.Random(seed)
    labels = np.array([rng.randrange(2) for _ in range(n)])
    return [" ".join(rng.choices(WORDS[label], k=5)) + f" {i}" for i, label in enumerate(labels)], labels


def vectors(labels: np.ndarray, *, seed: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).normal(size=(len(labels), 8)) + 2 * (labels[:, None] == np.arange(8))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_a_model_is_not_fitted_to_the_item_it_judges() -> None:
    rng = np.random.default_rng(1)
    noise, labels = rng.normal(size=(300, 200)), rng.integers(0, 2, 300)
    folds = np.array([fold_of(str(i)) for i in range(300)])
    found = cross_validated(noise, labels, folds, n_labels=2, C=100)
    right = (found.argmax(axis=1) == labels).mean()
    assert 0.35 < right < 0.65, "in sample this would be near 1"


def test_the_fold_of_an_item_does_not_depend_on_the_others() -> None:
    keys = [f"key {i}" for i in range(5000)]
    before, after = [fold_of(key) for key in keys], [fold_of(key) for key in ["new", *keys]]
    assert before == after[1:]
    assert min(np.bincount(before)) > 900


def test_equal_texts_share_a_fold() -> None:
    # The label of a copy is the other one: with a copy among the fitted, the model would be surely wrong.
    texts, labels = reviews(60)
    found = out_of_sample(
        [*texts, *texts], np.concatenate([labels, labels]), n_labels=2, keys=list(map(str, range(120)))
    )
    np.testing.assert_allclose(found.probabilities[:60], found.probabilities[60:], rtol=1e-6)


def test_the_same_input_gives_the_same_output_and_progress_ends() -> None:
    texts, labels = reviews(80)
    told: list[tuple[int, int]] = []
    first = out_of_sample(
        texts, labels, n_labels=2, keys=texts, embeddings=vectors(labels), progress=lambda *step: told.append(step)
    )
    again = out_of_sample(texts, labels, n_labels=2, keys=texts, embeddings=vectors(labels))
    assert np.array_equal(first.probabilities, again.probabilities)
    assert np.array_equal(first.second, again.second)
    assert told == [(step, 20) for step in range(1, 21)]
    assert first.probabilities.dtype == first.second.dtype == np.float32
    np.testing.assert_allclose(first.probabilities.sum(axis=1), 1, rtol=1e-5)
    assert (pool(first.probabilities, first.second).argmax(axis=1) == labels).mean() > 0.95


def test_labels_with_too_few_examples_are_told() -> None:
    texts, labels = reviews(60)
    labels[:3] = 2
    found = out_of_sample(texts, labels, n_labels=4, keys=texts)
    assert found.too_few == (2,), "label 3 does not occur at all"
    assert found.probabilities.shape == (60, 4)


@pytest.mark.parametrize("n", [1, 2, 6])
def test_it_does_not_fail_where_there_is_hardly_anything(n: int) -> None:
    found = out_of_sample(
        [f"text {i}" for i in range(n)], np.arange(n) % 2, n_labels=2, keys=[str(i) for i in range(n)]
    )
    assert np.isfinite(found.probabilities).all()


def test_texts_without_a_common_character_can_be_judged_by_their_embeddings() -> None:
    labels = np.array([0, 1] * 20)
    found = out_of_sample([""] * 40, labels, n_labels=2, keys=list(map(str, range(40))), embeddings=vectors(labels))
    assert (found.probabilities.argmax(axis=1) == labels).mean() > 0.8


def test_what_is_doubted_is_left_out_of_the_second_round_but_no_rare_label_is_learnt_away() -> None:
    labels = np.array([0] * 90 + [1] * 10 + [2] * 4)
    doubtful = np.full((104, 3), 1 / 3, dtype=np.float32)
    doubtful[labels > 0] = (0.98, 0.01, 0.01)
    worst = probabilities._worst(labels, doubtful)
    assert worst.sum() == 5
    assert worst[labels == 1].sum() == 5, "half of them"
    assert not worst[labels == 2].any(), "fewer than two for each fold"


def test_a_pool_of_two_labels_has_the_mean_of_the_log_odds() -> None:
    first, second = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.6, 0.4], [0.5, 0.5]])
    found = pool(first, second)
    odds = np.log(found[:, 0] / found[:, 1])
    expected = (np.log(first[:, 0] / first[:, 1]) + np.log(second[:, 0] / second[:, 1])) / 2
    np.testing.assert_allclose(odds, expected, rtol=1e-5)
