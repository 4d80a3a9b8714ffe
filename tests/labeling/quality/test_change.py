"""A fall is seen, what is chance is not, and looking every day does not make it otherwise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from labeling.quality import change
from labeling.quality.change import ALPHA, WINDOWS, level_on, measure_change


@given(st.data())
def test_the_chance_is_that_of_fishers_exact_test(data: st.DataObject) -> None:
    n = data.draw(st.integers(60, 900))
    n_right = data.draw(st.integers(0, n))
    of = data.draw(st.integers(1, n - 1))
    right = data.draw(st.integers(max(0, of - (n - n_right)), min(of, n_right)))
    expected = hypergeom.cdf(right, n, n_right, of)
    assert change._at_most(right, of=of, n_right=n_right, n=n) == pytest.approx(expected, rel=1e-6, abs=1e-300)


def test_all_looks_together_spend_the_level_and_no_more() -> None:
    spent = math.fsum(level_on(day) for day in range(1, 100_000))
    assert ALPHA * 0.9999 < spent < ALPHA
    assert level_on(0) == level_on(1), "the day on which it began to serve"


def test_too_few_answers_tell_nothing() -> None:
    assert measure_change([], day=1) is None
    assert measure_change([True] * (WINDOWS[0] - 1), before=[True] * 500, day=1) is None
    assert measure_change([True] * (WINDOWS[0] + change.FEWEST_BEFORE - 1), day=1) is None
    assert measure_change([True] * (WINDOWS[0] + change.FEWEST_BEFORE), day=1) is not None


@given(st.lists(st.booleans(), min_size=100, max_size=700), st.lists(st.booleans(), max_size=200), st.integers(1, 999))
def test_counts_are_those_of_the_answers(answers: list[bool], before: list[bool], day: int) -> None:
    found = measure_change(answers, before=before, day=day)
    assert found is not None
    assert found.n in WINDOWS
    assert found.right == sum(answers[-found.n :])
    assert found.n_before == len(before) + len(answers) - found.n
    assert found.right + found.right_before == sum(before) + sum(answers)
    assert 0 < found.p <= 1
    assert found.is_fall == (found.p < level_on(day))


def test_a_large_fall_shows_in_the_latest_few_and_a_small_one_in_many() -> None:
    rng = np.random.default_rng(1)
    good = (rng.random(600) < 0.9).tolist()
    large = measure_change([*good, *(rng.random(50) < 0.4).tolist()], day=33)
    small = measure_change([*good, *(rng.random(400) < 0.75).tolist()], day=50)
    assert large is not None
    assert small is not None
    assert (large.is_fall, large.n, small.is_fall, small.n) == (True, 50, True, 400)
    assert large.right / large.n < 0.6 < large.right_before / large.n_before


def test_a_champion_that_is_worse_than_who_served_before_is_seen_after_its_first_fifty() -> None:
    before = [i % 10 != 0 for i in range(200)]
    worse = [i % 2 == 0 for i in range(50)]
    found = measure_change(worse, before=before, day=4)
    assert found is not None
    assert found.is_fall
    assert measure_change([i % 10 != 0 for i in range(50)], before=before, day=4).is_fall is False  # type: ignore[union-attr]


def test_a_better_one_is_no_fall() -> None:
    found = measure_change([True] * 300, before=[i % 2 == 0 for i in range(200)], day=20)
    assert found is not None
    assert found.p == 1.0


def test_looking_each_day_for_months_seldom_calls_what_is_as_good_worse() -> None:
    """In short; at length in bench/drift.py."""
    rng = np.random.default_rng(3)
    n_called = 0
    for _ in range(150):
        answers = (rng.random(20 * 60) < 0.85).tolist()
        n_called += any(
            found is not None and found.is_fall
            for day in range(3, 61)
            for found in [measure_change(answers[: 20 * day], day=day)]
        )
    assert n_called <= 4
