"""Planned looks and sample sizes: against published boundaries, closed forms, simulation and statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import power_proportions_2indep

from stats.estimates import Contrast
from stats.planned import Plan, boundaries, crossings, drift_for, even_looks, spent
from stats.sample_size import cost_of_looks, cost_of_sequence, power_for_shares, units_for_means, units_for_shares

LOOKS = st.lists(st.floats(0.05, 1.0), min_size=1, max_size=6, unique=True).map(
    lambda found: [*sorted(x for x in found if x < 0.97), 1.0]
)


def test_the_boundaries_are_those_of_the_tables() -> None:
    # Reboussin, DeMets, Kim & Lan (2000), Controlled Clinical Trials 21, 190-207 (ld98, ldbounds): two-sided 0.05.
    assert boundaries(even_looks(5)) == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=5e-4)
    assert boundaries([0.5, 1.0]) == pytest.approx([2.9626, 1.9686], abs=5e-4)


def test_one_look_is_the_usual_test() -> None:
    assert boundaries([1.0]) == pytest.approx([1.959964], abs=1e-6)
    assert drift_for(0.8, [1.0], [1.959964]) == pytest.approx(1.959964 + 0.841621, abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(LOOKS)
def test_all_looks_together_spend_alpha(times: list[float]) -> None:
    if min(np.diff([0, *times])) < 0.01:
        return
    found = boundaries(times)
    assert crossings(times, found).sum() == pytest.approx(0.05, abs=1e-6)
    assert crossings(times, found).cumsum() == pytest.approx(spent(times), abs=1e-6)


def test_crossings_are_those_of_the_joint_normal_distribution() -> None:
    times, bounds, drift = [0.3, 0.7, 1.0], [2.5, 2.2, 2.0], 1.5
    cov = np.sqrt(np.minimum.outer(times, times) / np.maximum.outer(times, times))
    inside = [
        multivariate_normal(drift * np.sqrt(times[:k]), cov[:k, :k]).cdf(bounds[:k], lower_limit=-np.array(bounds[:k]))
        for k in (1, 2, 3)
    ]
    assert crossings(times, bounds, drift=drift) == pytest.approx(-np.diff([1, *inside]), abs=1e-4)


@given(st.integers(2, 6))
@settings(max_examples=5, deadline=None)
def test_what_comes_later_changes_no_boundary(k: int) -> None:
    assert boundaries(even_looks(6)[:k]) == pytest.approx(boundaries(even_looks(6))[:k])


def test_a_look_too_early_and_one_with_nothing_left_say_nothing() -> None:
    assert np.isinf(boundaries([0.01, 0.5])[0])
    assert np.isinf(boundaries([0.5, 1.0, 1.2])[2]), "all was spent at 1"
    assert np.isfinite(boundaries([0.5, 1.2])[1]), "overrun, with what was left"


@pytest.mark.parametrize("wrong", [[], [0.0, 1.0], [0.5, 0.5], [0.6, 0.5]])
def test_looks_that_do_not_rise_are_refused(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="rising"):
        boundaries(wrong)


def test_a_plan_gives_the_interval_of_its_look() -> None:
    plan = Plan()
    contrast = Contrast(0.05, 0.02**2, 0.4, 500)
    interval = plan.interval(contrast, earlier=[0.2])
    assert interval is not None
    assert interval.low == pytest.approx(0.05 - 3.3569 * 0.02, abs=1e-5)
    assert plan.interval(Contrast(0.05, 0.02**2, 0.4, 3), earlier=[0.2]) is None
    assert plan.is_due(0.4, earlier=[0.2])
    assert not plan.is_due(0.39, earlier=[0.2])
    assert not plan.is_due(1.0, earlier=[0.2, 0.4, 0.6, 0.8, 1.0])


def test_units_for_shares_are_those_of_the_books_and_invert_the_power() -> None:
    n = units_for_shares(0.10, 0.12)
    assert n == 3841  # R's power.prop.test rounds to the same
    assert power_for_shares(0.10, 0.12, n) == pytest.approx(0.8, abs=1e-4)
    theirs = power_proportions_2indep(0.02, 0.10, n).power
    assert power_for_shares(0.10, 0.12, n) == pytest.approx(theirs, abs=1e-3)


@given(st.floats(0.01, 0.9), st.floats(0.01, 0.09))
def test_more_units_find_more(base: float, lift: float) -> None:
    powers = [power_for_shares(base, base + lift, n) for n in (100, 1000, 10000)]
    assert powers == sorted(powers)
    assert units_for_shares(base, base + lift) == units_for_shares(base + lift, base)


def test_units_for_means_are_those_of_statsmodels() -> None:
    theirs = NormalIndPower().solve_power(effect_size=0.5 / 10, power=0.8, alpha=0.05)
    assert units_for_means(10, 0.5) == math.ceil(theirs)
    assert units_for_means(10, -0.5) == units_for_means(10, 0.5)
    # CUPED that takes half of the variance takes half of the units.
    assert units_for_means(10 / math.sqrt(2), 0.5) == pytest.approx(units_for_means(10, 0.5) / 2, abs=1)


@pytest.mark.parametrize(
    "wrong", [lambda: units_for_shares(0.1, 0.1), lambda: units_for_shares(0, 0.1), lambda: units_for_means(0, 1)]
)
def test_what_needs_no_experiment_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        wrong()  # type: ignore[operator]


def test_looks_cost_little_and_a_sequence_costs_more() -> None:
    # Jennison & Turnbull (2000), ch. 2: classical O'Brien-Fleming 1.028 with five looks; by spending a little less.
    assert cost_of_looks(1) == pytest.approx(1, abs=1e-3)
    assert 1.02 < cost_of_looks(5) < 1.03
    assert 1.6 < cost_of_sequence() < 1.75
