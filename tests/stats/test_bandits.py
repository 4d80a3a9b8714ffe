"""Thompson sampling: chances to be best in closed form, floors that hold, claims from the holdout."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from stats.bandits import Prior, allocate, draw_means, draw_rates


def test_rates_are_drawn_from_the_posterior() -> None:
    rng = np.random.default_rng(0)
    drawn = draw_rates([3, 40], [10, 50], prior=Prior(2, 5), rng=rng, sharpness=1, n_draws=100_000)
    assert drawn.mean(axis=0) == pytest.approx([5 / 17, 42 / 57], abs=0.003)
    assert drawn.var(axis=0) == pytest.approx([5 * 12 / 17**2 / 18, 42 * 15 / 57**2 / 58], rel=0.03)


def test_the_chance_to_be_best_of_two_normal_means_is_the_closed_form() -> None:
    rng = np.random.default_rng(1)
    drawn = draw_means([1.0, 1.5], [0.2, 0.3], prior_mean=0, prior_variance=1e9, rng=rng, sharpness=1, n_draws=200_000)
    found = allocate(drawn, floor=0, holdout=0)
    assert found.shares[1] == pytest.approx(float(ndtr(0.5 / math.sqrt(0.5))), abs=0.005)


def test_an_arm_that_nobody_saw_is_drawn_from_the_prior() -> None:
    rng = np.random.default_rng(2)
    drawn = draw_means(
        [1.0, math.nan], [0.01, math.inf], prior_mean=3, prior_variance=4, rng=rng, sharpness=1, n_draws=100_000
    )
    assert drawn[:, 1].mean() == pytest.approx(3, abs=0.03)
    assert drawn[:, 1].std() == pytest.approx(2, abs=0.03)


@given(st.integers(2, 8), st.floats(0, 0.12), st.floats(0, 1), st.integers(0, 99))
def test_every_arm_has_its_floor_and_all_traffic_is_given_out(n: int, floor: float, holdout: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = allocate(rng.normal(np.arange(n), 1, (200, n)), floor=floor, holdout=holdout)
    assert math.fsum(found.shares) == pytest.approx(1)
    assert min(found.shares) >= floor - 1e-12
    assert math.fsum(found.total) == pytest.approx(1)
    assert min(found.total) >= holdout / n - 1e-12


def test_sharper_draws_lie_closer_to_the_same_mean() -> None:
    rng = np.random.default_rng(3)
    for draws in (
        [draw_rates([30], [100], rng=rng, sharpness=by, n_draws=100_000) for by in (1, 4)],
        [
            draw_means([2.0], [0.5], prior_mean=2, prior_variance=9, rng=rng, sharpness=by, n_draws=100_000)
            for by in (1, 4)
        ],
    ):
        assert draws[1].mean() == pytest.approx(draws[0].mean(), abs=0.01)
        assert draws[1].std() / draws[0].std() == pytest.approx(0.5, abs=0.01)


def test_the_means_of_a_bandit_are_too_low_and_those_of_its_holdout_are_not() -> None:
    # Two arms of 10 %, 40 updates of 100 units; a tenth is split equally for good.
    rng, n_runs = np.random.default_rng(5), 400
    seen, held = np.empty(n_runs), np.empty(n_runs)
    for run in range(n_runs):
        hits, n, held_hits = np.zeros(2), np.zeros(2), 0
        for _ in range(40):
            shares = allocate(draw_rates(hits, n, rng=rng, n_draws=200), floor=0.01, holdout=0.1).shares
            units = rng.multinomial(90, shares)
            hits, n = hits + rng.binomial(units, 0.1), n + units
            held_hits += rng.binomial(5, 0.1)
        seen[run], held[run] = hits[0] / n[0], held_hits / 200
    assert seen.mean() < 0.1 - 4 * seen.std() / n_runs**0.5
    assert held.mean() == pytest.approx(0.1, abs=4 * held.std() / n_runs**0.5)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda rng: draw_rates([3], [2], rng=rng),
        lambda rng: draw_rates([1], [2], rng=rng, sharpness=0),
        lambda rng: draw_means([1], [0.0], prior_mean=0, prior_variance=1, rng=rng),
        lambda rng: allocate(np.zeros((5, 4)), floor=0.3),
        lambda rng: allocate(np.zeros((5, 4)), holdout=1.1),
    ],
)
def test_what_cannot_be_drawn_or_given_out_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        wrong(np.random.default_rng(0))  # type: ignore[operator]
