"""Confidence sequences: against the mixture they invert, in coverage over many looks, and as laws of their widths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from stats.estimates import difference, mean, ratio, relative, share
from stats.sequences import Sequence, p_values, tuning, widths

FRACTIONS = st.floats(1e-4, 10)


@given(FRACTIONS, st.floats(-6, 6))
def test_the_p_value_is_the_inverse_of_the_mixture_of_likelihood_ratios(fraction: float, z: float) -> None:
    # ∫ exp(λ S - λ² t / 2) dN(λ; 0, ρ²), with the score S = z √t: the martingale of the proof, by numeric integration.
    variance, score = tuning(), z * math.sqrt(fraction)
    spread = math.sqrt(variance)

    def weighed(x: float) -> float:
        at = spread * x
        return math.exp(at * score - at * at * fraction / 2 - x * x / 2) / math.sqrt(2 * math.pi)

    scale = 1 / math.sqrt(1 + variance * fraction)
    peak = spread * score * scale**2
    mixed, _ = quad(weighed, peak - 12 * scale, peak + 12 * scale, epsabs=0, epsrel=1e-9)
    assert float(p_values(z, fraction)) == pytest.approx(min(1.0, 1 / mixed), rel=1e-6)


@given(FRACTIONS, st.sampled_from([0.001, 0.01, 0.05, 0.2]))
def test_the_interval_ends_where_p_is_alpha(fraction: float, alpha: float) -> None:
    width = widths(fraction, alpha=alpha)
    assert float(p_values(width, fraction, alpha=alpha)) == pytest.approx(alpha, rel=1e-9)


@given(FRACTIONS, FRACTIONS)
def test_it_gets_narrower_with_information_and_is_never_as_narrow_as_one_look(one: float, other: float) -> None:
    low, high = sorted((one, other))
    # In units of the difference: standard errors are 1 / √fraction of what they are when the plan is full.
    assert widths(high) / math.sqrt(high) <= widths(low) / math.sqrt(low) + 1e-12
    assert widths(low) > 1.96


@given(FRACTIONS, st.floats(0.001, 0.2), st.floats(0.001, 0.2))
def test_to_be_surer_it_has_to_be_wider(fraction: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert float(p_values(3.0, fraction, alpha=low)) <= 1
    assert widths(fraction, alpha=low) >= widths(fraction, alpha=high) - 1e-9


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
def test_the_tuning_makes_it_narrowest_where_it_says(alpha: float) -> None:
    def width(log_variance: float) -> float:
        s = math.exp(log_variance) * 0.5
        return math.sqrt(2 * (s + 1) / s * math.log(math.sqrt(s + 1) / alpha))

    best = minimize_scalar(width, bounds=(-3, 8), method="bounded", options={"xatol": 1e-8})
    assert tuning(alpha=alpha, tuned_at=0.5) == pytest.approx(math.exp(best.x), rel=1e-4)
    assert float(widths(0.5, alpha=alpha, tuned_at=0.5)) == pytest.approx(best.fun)


def test_before_anything_is_there_it_is_infinite() -> None:
    assert np.isinf(widths([0.0, 1e-9])[0])
    assert float(p_values(5.0, 0.0)) == 1.0


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"alpha": 1.0}, {"tuned_at": 0.0}])
def test_a_sequence_that_promises_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no sequence"):
        tuning(**wrong)


def test_all_of_a_thousand_looks_hold_together() -> None:
    # Two arms of Bernoulli outcomes, 2,000 runs of 500 looks: about a third is called if each look is taken for the
    # only one.
    rng, n_looks, step = np.random.default_rng(5), 500, 20
    n = step * np.arange(1, n_looks + 1)
    hits = rng.binomial(step, 0.1, (2, 2000, n_looks)).cumsum(axis=2)
    rates = hits / n
    error = np.sqrt((rates * (1 - rates)).sum(axis=0) / (n - 1))
    enough = (hits >= 20).all(axis=0)
    z = np.where(enough, (rates[0] - rates[1]) / np.where(error > 0, error, 1), 0.0)
    called = (np.abs(z) > widths(n / n[-1])).any(axis=1).mean()
    naive = (np.abs(z) > 1.96).any(axis=1).mean()
    assert called <= 0.05
    assert called > 0.005, "not so wide that it is of no use"
    assert naive > 0.3


@pytest.mark.parametrize("metric", ["share", "mean", "relative", "ratio"])
def test_a_planted_difference_is_covered_at_every_look(metric: str) -> None:
    rng, n_runs, looks = np.random.default_rng(6), 300, (200, 400, 800, 1600)
    held = 0
    for _ in range(n_runs):
        if metric == "ratio":
            below = rng.geometric(0.3, (2, looks[-1]))
            above = rng.binomial(below, np.array([[0.30], [0.25]]) * rng.uniform(0.5, 1.5, below.shape))
        elif metric == "share":
            above = rng.random((2, looks[-1])) < np.array([[0.30], [0.25]])
        else:
            above = rng.gamma(0.5, [[6.0], [5.0]], (2, looks[-1]))
        found = []
        for n in looks:
            planned = (looks[-1], looks[-1])
            if metric == "ratio":
                arms = [ratio(above[i, :n], below[i, :n]) for i in (0, 1)]
            elif metric == "share":
                arms = [share(int(above[i, :n].sum()), n) for i in (0, 1)]
            else:
                arms = [mean(above[i, :n]) for i in (0, 1)]
            contrast = (relative if metric == "relative" else difference)(arms[0], arms[1], planned=planned)
            found.append(Sequence().interval(contrast))
        truth = {"share": 0.05, "mean": 0.5, "relative": 0.2, "ratio": 0.05}[metric]
        held += all(one is not None and one.low <= truth <= one.high for one in found)
    assert held / n_runs >= 0.95


def test_its_interval_and_its_p_value_agree() -> None:
    for hits in range(100, 200, 5):
        contrast = difference(share(hits, 1000), share(100, 1000), planned=(2000, 2000))
        interval = Sequence().interval(contrast)
        assert interval is not None
        assert (interval.low > 0) == (Sequence().p_value(contrast) < 0.05)
    assert Sequence().p_value(difference(share(3, 1000), share(100, 1000), planned=(2000, 2000))) == 1
