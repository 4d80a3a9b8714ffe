"""Sample-ratio mismatch: against scipy, against the product of predictions, and how often it is called for nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from stats.srm import CONCENTRATION, LEVEL, sample_ratio, sequential_p

COUNTS = st.lists(st.integers(0, 400), min_size=2, max_size=6)


@given(COUNTS, st.data())
def test_p_is_that_of_scipys_chi_square(counts: list[int], data: st.DataObject) -> None:
    shares = data.draw(st.lists(st.floats(0.1, 5), min_size=len(counts), max_size=len(counts)))
    found = sample_ratio(counts, shares)
    expected = np.array(shares) / sum(shares) * sum(counts)
    if expected.min() < 5:
        assert found.p is None
        assert not found.is_mismatch
        return
    assert found.p == pytest.approx(chisquare(counts, expected).pvalue, rel=1e-6, abs=1e-300)


@given(st.lists(st.integers(0, 2), min_size=1, max_size=200))
def test_the_sequential_p_is_one_over_the_product_of_what_was_predicted(arms: list[int]) -> None:
    shares = np.array([0.5, 0.3, 0.2])
    seen, log_factor = CONCENTRATION * shares, 0.0
    for arm in arms:
        log_factor += np.log(seen[arm] / seen.sum()) - np.log(shares[arm])
        seen[arm] += 1
    counts = np.bincount(arms, minlength=3)
    assert sequential_p(counts.tolist(), shares.tolist()) == pytest.approx(min(1.0, np.exp(-log_factor)), rel=1e-8)


@given(COUNTS, st.randoms())
def test_the_order_of_arms_does_not_matter(counts: list[int], random: object) -> None:
    order = list(range(len(counts)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shares = [1.0 + i for i in order]
    one = sample_ratio(counts, [1.0 + i for i in range(len(counts))])
    other = sample_ratio([counts[i] for i in order], shares)
    assert one.p == pytest.approx(other.p) if one.p is not None else other.p is None


def test_one_part_in_a_hundred_is_found_among_a_hundred_thousand() -> None:
    found = sample_ratio([50_500 + 50, 49_500 - 50], [1, 1])
    assert found.is_mismatch
    assert not sample_ratio([50_050, 49_950], [1, 1]).is_mismatch


def test_looking_always_does_not_raise_an_alarm_for_nothing() -> None:
    rng = np.random.default_rng(3)
    steps = rng.binomial(100, 0.5, (2000, 300)).cumsum(axis=1)
    n = 100 * np.arange(1, 301)
    shares = [0.5, 0.5]
    chi = (2 * steps - n) ** 2 / n
    once, often = (chi[:, -1] > 10.8276).mean(), (chi > 10.8276).any(axis=1).mean()
    always = np.mean(
        [
            min(sequential_p((k, m - k), shares) for k, m in zip(row[::5].tolist(), n[::5].tolist(), strict=True))
            < LEVEL
            for row in steps[:400]
        ]
    )
    assert once < 0.005 < often, "the test for one look is called more often when it is repeated"
    assert always <= 0.005


def test_it_is_found_by_the_sequential_test_too_when_it_is_plain() -> None:
    assert sample_ratio([5_600, 4_400], [1, 1]).is_mismatch_always
    assert not sample_ratio([5_010, 4_990], [1, 1]).is_mismatch_always


@pytest.mark.parametrize(("counts", "shares"), [([1], [1]), ([1, -1], [1, 1]), ([1, 2], [1, 0]), ([1, 2], [1])])
def test_what_is_no_split_is_refused(counts: list[int], shares: list[float]) -> None:
    with pytest.raises(ValueError, match="two arms"):
        sample_ratio(counts, shares)
