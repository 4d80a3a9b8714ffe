"""What is done to outcomes before they are compared: what CUPED removes, what a cap cuts, who has matured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.cuped import cap_of, cuped, matured, winsorise


@given(st.floats(-0.99, 0.99), st.integers(0, 5))
def test_what_is_left_of_the_variance_is_one_minus_rho_squared(rho: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(10, 2, 4000)
    y = rho * (x - 10) / 2 + np.sqrt(1 - rho**2) * rng.normal(size=4000) + 3
    found = cuped(y, x)
    left = found.apply(y, x)
    assert left.var() / y.var() == pytest.approx(found.kept, abs=1e-9)
    assert found.kept == pytest.approx(1 - np.corrcoef(x, y)[0, 1] ** 2, abs=1e-9)
    assert left.mean() == pytest.approx(y.mean())


def test_the_difference_of_arms_stays_unbiased() -> None:
    rng, found = np.random.default_rng(2), []
    for _ in range(400):
        before = rng.gamma(1, 5, 400)
        arm = rng.random(400) < 0.5
        after = before * 0.8 + rng.normal(0, 2, 400) + 0.5 * arm
        left = cuped(after, before).apply(after, before)
        found.append((left[arm].mean() - left[~arm].mean(), after[arm].mean() - after[~arm].mean()))
    (ours, plain), (our_spread, plain_spread) = np.mean(found, axis=0), np.std(found, axis=0)
    assert ours == pytest.approx(0.5, abs=4 * our_spread / 20)
    assert plain == pytest.approx(0.5, abs=4 * plain_spread / 20)
    assert our_spread < 0.6 * plain_spread


def test_a_covariate_that_says_nothing_changes_nothing() -> None:
    y = np.arange(10.0)
    assert cuped(y, np.ones(10)).apply(y, np.ones(10)) == pytest.approx(y)
    assert cuped(np.ones(10), y).kept == 1


@pytest.mark.parametrize("rows", [([1.0], [1.0]), ([1.0, 2.0], [1.0]), ([], [])])
def test_rows_that_do_not_pair_are_refused(rows: tuple[list[float], list[float]]) -> None:
    with pytest.raises(ValueError, match="both values"):
        cuped(*rows)


def test_a_cap_cuts_the_tail_and_nothing_else() -> None:
    values = np.arange(1, 1001.0)
    cap = cap_of(values)
    cut = winsorise(values, cap)
    assert (cut != values).sum() == 10
    assert cut.max() == cap


def test_where_most_bought_nothing_the_cap_is_of_those_who_bought() -> None:
    values = np.r_[np.zeros(9990), np.arange(1.0, 11)]
    assert cap_of(values) == pytest.approx(9.91)
    assert cap_of(np.zeros(5)) == 0


@pytest.mark.parametrize(("values", "tail"), [([], 0.99), ([1.0], 0.0), ([1.0], 1.1)])
def test_a_cap_of_nothing_is_refused(values: list[float], tail: float) -> None:
    with pytest.raises(ValueError, match="cap"):
        cap_of(values, tail=tail)


def test_only_those_whose_window_is_over_are_compared() -> None:
    assert matured([0, 3, 7, 8, 10], now=10, window=3).tolist() == [True, True, True, False, False]
    with pytest.raises(ValueError, match="negative"):
        matured([0], now=1, window=-1)
