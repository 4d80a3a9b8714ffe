"""What the suggestion does to people's answers."""

from __future__ import annotations

import numpy as np

from labeling.quality.anchoring import anchoring


def answers(n: int, *, pull: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`n` answers about things of three labels; who sees the suggestion follows it with probability `pull`."""
    rng = np.random.default_rng(seed)
    truth, suggestions, assisted = rng.integers(0, 3, n), rng.integers(0, 3, n), rng.integers(0, 2, n)
    follows = (assisted == 1) & (rng.random(n) < pull)
    return np.where(follows, suggestions, truth), suggestions, assisted


def test_a_pull_is_found_and_has_an_interval_that_holds_it() -> None:
    found = anchoring(*answers(2000, pull=0.3), n_labels=3)
    assert found.shift.low < 0.2 < found.shift.high  # 30 % follow, of whom a third would have agreed anyway
    assert found.shift.low > 0
    assert "pulls answers" in found.in_words()


def test_no_pull_is_not_called_one() -> None:
    found = anchoring(*answers(2000, pull=0.0), n_labels=3)
    assert found.shift.low < 0 < found.shift.high
    assert found.label_shift is not None
    assert found.label_shift_by_chance is not None
    assert found.label_shift < 2 * found.label_shift_by_chance
    assert "No pull" in found.in_words()


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    hits = 0
    for seed in range(200):
        shift = anchoring(*answers(400, pull=0.3, seed=seed), n_labels=3).shift
        hits += shift.low <= 0.2 <= shift.high
    assert hits >= 180


def test_too_few_answers_say_nothing() -> None:
    found = anchoring(*answers(40, pull=1.0), n_labels=3)
    assert (found.shift.value, found.label_shift) == (None, None)
    assert "more answers are needed" in found.in_words()
