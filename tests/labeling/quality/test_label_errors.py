"""Flags: those of a direct call of cleanlab, the loss of a second model, and a threshold that follows verdicts."""

from __future__ import annotations

import numpy as np
import pytest
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

from labeling.quality.label_errors import CLEANLAB, COMBINED, LOSS, find, threshold_for
from labeling.quality.probabilities import pool


def planted(n: int, k: int, *, seed: int, sure: float = 2.0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Labels with a tenth of errors, where these are, and what two models think that err independently."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    wrong = rng.random(n) < 0.1
    labels = np.where(wrong, (truth + rng.integers(1, k, n)) % k, truth)
    models = []
    for _ in range(2):
        logits = rng.normal(size=(n, k))
        logits[np.arange(n), truth] += sure
        models.append((np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32))
    return labels, wrong, models[0], models[1]


@pytest.mark.parametrize("k", [2, 3, 7])
def test_flags_and_scores_are_those_of_a_direct_call(k: int) -> None:
    labels, _, first, second = planted(2000, k, seed=k)
    alone = find(labels, first)
    assert np.array_equal(alone.flagged, find_label_issues(labels, first, filter_by="low_self_confidence", n_jobs=1))
    np.testing.assert_allclose(alone.scores, get_label_quality_scores(labels, first), rtol=1e-6)
    both = find(labels, first, second=second)
    pooled = pool(first, second)
    assert np.array_equal(both.flagged, find_label_issues(labels, pooled, filter_by="low_self_confidence", n_jobs=1))
    assert np.array_equal(both.suggested, pooled.argmax(axis=1))
    assert np.array_equal(both.by_method[CLEANLAB], alone.flagged)
    assert both.by_method[LOSS].sum() == both.by_method[COMBINED].sum()
    assert both.scores[both.flagged].max() <= both.scores[~both.flagged].min(), "flags are the lowest scores"


def test_two_models_find_more_than_one() -> None:
    labels, wrong, first, second = planted(4000, 2, seed=1)
    k = wrong.sum()

    def reached(scores: np.ndarray) -> float:
        return float(wrong[np.argsort(scores)[:k]].mean())

    alone, both = find(labels, first), find(labels, first, second=second)
    assert reached(both.scores) > reached(alone.scores) + 0.05


def test_a_label_that_is_too_rare_is_never_flagged() -> None:
    labels, _, first, second = planted(400, 3, seed=2)
    labels[labels == 2] = 1
    labels[:4] = 2
    first[:4] = second[:4] = (0.98, 0.01, 0.01)
    found = find(labels, first, second=second)
    assert not any(mask[:4].any() for mask in found.by_method.values())


def test_there_is_nothing_to_flag_where_all_say_the_same() -> None:
    found = find(np.zeros(50, dtype=int), np.full((50, 2), 0.5))
    assert not found.flagged.any()
    assert find(np.zeros(0, dtype=int), np.zeros((0, 2))).flagged.shape == (0,)


def test_probabilities_that_are_a_hair_above_one_are_taken() -> None:
    labels, _, first, _ = planted(200, 2, seed=3)
    first[0] = (1.00001, 0.0)
    assert find(labels, first).scores.max() <= 1


# --- The threshold -----------------------------------------------------------------------------------------------


def judged(n: int, right_until: float, *, seed: int = 0) -> list[tuple[float, bool]]:
    """Verdicts that confirm flags with scores up to `right_until` nine times in ten, and one in ten of the rest."""
    rng = np.random.default_rng(seed)
    scores = rng.random(n) * 0.5
    return [(float(s), bool(rng.random() < (0.9 if s <= right_until else 0.1))) for s in scores]


def test_the_threshold_lies_where_flags_stop_to_be_right() -> None:
    threshold = threshold_for(judged(1000, 0.2), precision=0.8)
    assert threshold is not None
    assert 0.15 < threshold < 0.25
    lower = threshold_for(judged(1000, 0.2), precision=0.5)
    assert lower is not None
    assert lower > threshold


def test_before_enough_were_judged_cleanlab_decides() -> None:
    assert threshold_for(judged(49, 0.5), precision=0.5) is None
    assert threshold_for([], precision=0.5) is None


def test_where_flags_are_hardly_ever_right_the_worst_are_still_looked_at() -> None:
    verdicts = [(i / 1000, False) for i in range(200)]
    assert threshold_for(verdicts, precision=0.5) == verdicts[19][0]


def test_chance_does_not_pass_for_precision() -> None:
    """Flags that are right four times in ten everywhere: a threshold for five in ten is chance, and seldom found."""
    found = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        verdicts = [(float(score), bool(rng.random() < 0.45)) for score in rng.random(200)]
        threshold = threshold_for(verdicts, precision=0.5)
        found += threshold != sorted(verdicts)[19][0]
    assert found <= 5
