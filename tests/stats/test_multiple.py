"""Holm's adjustment: against statsmodels, and what it promises when many metrics are looked at often."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from stats.multiple import holm, simultaneous_level
from stats.sequences import p_values


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_it_is_that_of_statsmodels(p: list[float]) -> None:
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_it_never_makes_a_p_value_smaller_nor_turns_two_round(p: list[float]) -> None:
    adjusted = holm(p)
    assert np.all(adjusted >= np.array(p))
    assert np.all(adjusted <= 1)
    assert np.all(np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0)


def test_ten_metrics_looked_at_always_are_called_in_one_of_twenty_experiments_at_most() -> None:
    rng, fractions = np.random.default_rng(4), np.arange(1, 101) / 100
    score = rng.normal(0, 0.1, (500, 10, 100)).cumsum(axis=2)
    p = p_values(score / np.sqrt(fractions), fractions)
    called = [any(holm(run[:, look]).min() < 0.05 for look in range(0, 100, 5)) for run in p]
    assert np.mean(called) <= 0.05
    unadjusted = (p < 0.05).any(axis=(1, 2)).mean()
    assert unadjusted > 0.1


def test_no_metrics_and_no_p_values() -> None:
    assert holm([]).size == 0
    assert simultaneous_level(0.05, 5) == pytest.approx(0.01)
    with pytest.raises(ValueError, match="not all"):
        holm([0.5, float("nan")])
    with pytest.raises(ValueError, match="interval"):
        simultaneous_level(0.05, 0)
