"""Intervals: against statsmodels and published examples, and that they cover what they should."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from labeling.quality.intervals import Estimate, bootstrap, median, resample, share, share_difference, wilson


@pytest.mark.parametrize(("hits", "n"), [(0, 25), (1, 25), (13, 25), (25, 25), (490, 1000)])
def test_wilson_is_that_of_statsmodels(hits: int, n: int) -> None:
    low, high = wilson(hits, n)
    assert (low, high) == pytest.approx(proportion_confint(hits, n, method="wilson"), abs=1e-9)


def test_wilson_without_trials_says_nothing() -> None:
    low, high = wilson([0, 3], [0, 3])
    assert (low[0], high[0], high[1]) == (0, 1, 1)


def test_the_difference_of_shares_is_newcombes_example() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10: 56/70 - 48/80, 9/10 - 3/10, 10/10 - 0/10.
    for hits, n, other_hits, other_n, low, high in (
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (10, 10, 0, 10, 0.6075, 1.0),
    ):
        found = share_difference(hits, n, other_hits, other_n, minimum=1)
        assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
        theirs = confint_proportions_2indep(hits, n, other_hits, other_n, method="newcomb")
        assert (found.low, found.high) == pytest.approx(theirs, abs=1e-6)


def test_under_the_minimum_there_is_no_figure() -> None:
    assert share(19, 19) == Estimate(19)
    assert share_difference(50, 100, 5, 19) == Estimate(19)
    assert median(np.arange(19.0)) == Estimate(19)
    assert bootstrap(np.ones((19, 1)), lambda sums: sums[..., 0]) == Estimate(19)
    assert share(0, 0, minimum=0) == Estimate(0)
    assert share(10, 20).value == 0.5


def test_the_median_leaves_out_what_is_unknown() -> None:
    found = median([*range(1, 101), *[np.nan] * 50])
    # Campbell & Gardner: ranks 50 - 9.8 and 51 + 9.8, rounded outwards.
    assert found == Estimate(100, 50.5, 40.0, 61.0)


def test_resampling_draws_items_whatever_their_kind() -> None:
    rng = np.random.default_rng(3)
    few = rng.integers(0, 2, (400, 2)).astype(float)
    many = rng.random((400, 2))
    for rows in (few, many):
        sums = resample(rows, n_rounds=4000, seed=1)
        assert sums.mean(axis=0) == pytest.approx(rows.sum(axis=0), rel=0.01)
        assert sums.std(axis=0) == pytest.approx(np.sqrt(400) * rows.std(axis=0), rel=0.05)


def test_the_same_seed_gives_the_same_interval() -> None:
    rows = np.column_stack([np.random.default_rng(0).random(100), np.ones(100)])

    def mean(sums: np.ndarray) -> np.ndarray:
        return sums[..., 0] / sums[..., 1]

    assert bootstrap(rows, mean, seed=5) == bootstrap(rows, mean, seed=5) != bootstrap(rows, mean, seed=6)


@pytest.mark.parametrize("kind", ["share", "bootstrap", "median"])
def test_intervals_cover_the_truth_about_as_often_as_they_say(kind: str) -> None:
    rng = np.random.default_rng(0)
    n_covered = 0
    for round_ in range(400):
        values = rng.random(80)
        if kind == "share":
            found, truth = share(int((values < 0.3).sum()), 80), 0.3
        elif kind == "median":
            found, truth = median(values), 0.5
        else:
            rows = np.column_stack([values, np.ones(80)])
            found, truth = bootstrap(rows, lambda sums: sums[..., 0] / sums[..., 1], n_rounds=300, seed=round_), 0.5
        n_covered += found.low <= truth <= found.high
    assert 0.91 <= n_covered / 400 <= 0.99
