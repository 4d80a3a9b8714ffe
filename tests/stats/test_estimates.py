"""Figures of arms and what is between two of them: against numpy, closed forms, and that order does not matter."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.estimates import (
    MINIMUM,
    Contrast,
    Figure,
    Interval,
    difference,
    mean,
    mean_of_sums,
    ratio,
    relative,
    share,
)

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=60)


@given(VALUES)
def test_a_mean_is_the_same_from_values_and_from_sums(values: list[float]) -> None:
    rows = np.array(values)
    from_sums = mean_of_sums(
        len(rows), rows.sum(), float(rows @ rows), float((rows**3).sum()), support=int(np.count_nonzero(rows))
    )
    ours = mean(values)
    assert (ours.n, ours.support) == (from_sums.n, from_sums.support)
    assert ours.value == pytest.approx(from_sums.value, abs=1e-9)
    assert ours.variance == pytest.approx(from_sums.variance, rel=1e-6, abs=1e-6)


@given(VALUES, st.randoms())
def test_the_order_of_units_does_not_matter(values: list[float], random: object) -> None:
    shuffled = values.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert mean(shuffled).value == pytest.approx(mean(values).value, abs=1e-9)
    assert mean(shuffled).variance == pytest.approx(mean(values).variance, rel=1e-9, abs=1e-9)


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_share_is_the_mean_of_zeros_and_ones(hits: int, misses: int) -> None:
    if hits + misses < 2:
        return
    ones = mean([1] * hits + [0] * misses)
    ours = share(hits, hits + misses)
    assert (ours.n, ours.support) == (ones.n, min(hits, misses))
    assert (ours.value, ours.variance) == pytest.approx((ones.value, ones.variance))


def test_a_ratio_of_equal_denominators_is_a_mean() -> None:
    rows = np.random.default_rng(0).poisson(2, 500)
    ours, plain = ratio(rows, np.full(500, 4)), mean(rows / 4)
    assert (ours.value, ours.variance, ours.support) == pytest.approx((plain.value, plain.variance, plain.support))


def test_the_variance_of_a_ratio_is_what_it_varies_by_over_samples() -> None:
    rng = np.random.default_rng(1)
    views = rng.geometric(0.2, (4000, 400))
    taste = rng.beta(2, 18, views.shape)  # clicks of one shopper go together
    clicks = rng.binomial(views, taste)
    found = [ratio(above, below) for above, below in zip(clicks, views, strict=True)]
    spread = np.var([figure.value for figure in found])
    assert np.mean([figure.variance for figure in found]) == pytest.approx(spread, rel=0.06)
    as_if_independent = np.mean([f.value * (1 - f.value) / below.sum() for f, below in zip(found, views, strict=True)])
    assert as_if_independent < 0.75 * spread, "counting clicks as independent is too sure"


def test_the_fraction_is_the_share_of_the_planned_units() -> None:
    found = difference(share(300, 1000), share(250, 1000), planned=(4000, 4000))
    assert found.value == pytest.approx(0.05)
    assert found.fraction == pytest.approx(0.25)
    assert found.variance == pytest.approx(0.3 * 0.7 / 999 + 0.25 * 0.75 / 999)
    assert difference(share(900, 3000), share(1500, 6000), planned=(2000, 4000)).fraction == pytest.approx(1.5)


def test_a_ramp_counts_as_the_information_it_brought() -> None:
    # A tenth in one arm and all of the other tells hardly more than a tenth in both.
    ramp = difference(share(300, 1000), share(3000, 10000), planned=(10000, 10000))
    assert 0.1 < ramp.fraction < 0.2


def test_a_relative_difference_is_the_log_of_the_ratio() -> None:
    arm, control = share(330, 1000), share(300, 1000)
    found = relative(arm, control, planned=(1000, 1000))
    assert found.value == pytest.approx(math.log(1.1))
    assert found.variance == pytest.approx(arm.variance / 0.33**2 + control.variance / 0.30**2)
    interval = found.interval(1.959964)
    assert interval is not None
    assert interval.is_relative
    assert interval.value == pytest.approx(0.1)
    other = relative(control, arm, planned=(1000, 1000)).interval(1.959964)
    assert other is not None
    assert (1 + other.low) * (1 + interval.high) == pytest.approx(1), "the same from either side"


def test_too_few_outcomes_have_no_interval() -> None:
    few = difference(share(MINIMUM - 1, 1000), share(100, 1000), planned=(1000, 1000))
    assert not few.is_defined
    assert few.interval(3.0) is None
    assert few.z == 0
    enough = difference(share(MINIMUM, 1000), share(100, 1000), planned=(1000, 1000))
    assert enough.is_defined
    none = relative(share(0, 1000), share(100, 1000), planned=(1000, 1000))
    assert none.interval(3.0) is None
    same = difference(mean(np.ones(50)), mean(np.ones(50)), planned=(50, 50))
    assert same.interval(3.0) is None, "without a spread there is nothing to measure by"


@given(st.integers(1, 400), st.integers(1, 400))
def test_the_skewness_of_a_share_is_the_closed_form(hits: int, misses: int) -> None:
    rate = hits / (hits + misses)
    closed = (1 - 2 * rate) / math.sqrt(rate * (1 - rate))
    assert share(hits, hits + misses).skewness == pytest.approx(closed, abs=1e-6)
    assert mean([1] * hits + [0] * misses).skewness == pytest.approx(closed, abs=1e-9)


def test_the_skewness_of_a_difference_is_what_it_shows_over_samples() -> None:
    rng = np.random.default_rng(3)
    few, many = rng.exponential(1, (40_000, 20)).mean(axis=1), rng.exponential(1, (40_000, 100)).mean(axis=1)
    found = few - many - np.mean(few - many)
    seen = np.mean(found**3) / np.mean(found**2) ** 1.5
    units = rng.exponential(1, 200_000)
    ours = difference(mean(units[:20]), mean(units), planned=(20, 20))
    assert seen == pytest.approx(2 * (1 / 20 - 1 / 100) / math.sqrt(1 / 20 + 1 / 100), abs=0.05)
    assert ours.skewness == pytest.approx(2 * (1 / 20 - 1 / 200_000) / math.sqrt(1 / 20 + 1 / 200_000), rel=0.05)


def test_a_long_tail_in_a_small_arm_has_no_interval_until_there_is_more() -> None:
    rng = np.random.default_rng(4)
    revenue = np.where(rng.random(40_000) < 0.02, rng.lognormal(3, 1.5, 40_000), 0)
    uneven = difference(mean(revenue[:4000]), mean(revenue[4000:]), planned=(4000, 36_000))
    even = difference(mean(revenue[:20_000]), mean(revenue[20_000:]), planned=(20_000, 20_000))
    shares = difference(share(90, 4000), share(720, 36_000), planned=(4000, 36_000))
    assert not uneven.is_defined
    assert uneven.interval(3.0) is None
    assert even.is_defined
    assert shares.is_defined, "conversions are not skewed enough to wait for"


def test_an_infinite_width_says_nothing() -> None:
    assert Contrast(1.0, 1.0, 0.5, 100).interval(math.inf) is None
    assert Contrast(1.0, 4.0, 0.5, 100).interval(2.0) == Interval(1.0, -3.0, 5.0)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: mean([1.0]),
        lambda: share(3, 2),
        lambda: share(-1, 2),
        lambda: share(1, 1),
        lambda: ratio([1, 2], [1, 2, 3]),
        lambda: ratio([1, 2], [0, 0]),
        lambda: difference(Figure(2, 0, 1, 2, 0), Figure(2, 0, 1, 2, 0), planned=(0, 5)),
    ],
)
def test_what_has_no_figure_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        wrong()  # type: ignore[operator]
