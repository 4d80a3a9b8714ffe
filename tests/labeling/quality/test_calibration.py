"""What a calibration does to what a method states, and what it is learnt from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.quality import calibration
from labeling.quality.calibration import SHIPPED, Calibration, fit, of_crowds

numbers = st.builds(Calibration, likeness=st.floats(0, 2), doubt=st.floats(0, 9))
rows = st.lists(
    st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda row: sum(row) > 0.01), min_size=1, max_size=20
)


def normal(values: list[list[float]]) -> np.ndarray:
    """Rows that sum to 1."""
    array = np.array(values)
    return array / array.sum(axis=1, keepdims=True)


@given(numbers, rows, st.integers(1, 60))
def test_the_order_of_labels_stays_and_nothing_gets_surer(
    believed: Calibration, given_: list[list[float]], n: int
) -> None:
    before = normal(given_)
    after = believed.apply(before, np.full(len(before), n))
    assert after.sum(axis=1) == pytest.approx(np.ones(len(before)))
    assert (after.max(axis=1) <= before.max(axis=1) + 1e-9).all()
    for one, other in zip(before, after, strict=True):
        for a in range(3):
            for b in range(3):
                assert one[a] < one[b] or other[a] >= other[b] - 1e-12


@given(st.floats(0.01, 9), st.integers(1, 50))
def test_the_fewer_votes_the_less_is_stated_of_the_same_share(doubt: float, n: int) -> None:
    shares = np.array([[2 / 3, 1 / 3, 0.0]] * 2)
    few, many = Calibration(0.0, doubt).apply(shares, np.array([n, n + 1])).max(axis=1)
    assert few < many < 2 / 3


def test_two_of_three_and_three_of_three_before_anything_is_known() -> None:
    stated = SHIPPED["majority"].apply([[2 / 3, 1 / 3, 0], [1, 0, 0]], [3, 3]).max(axis=1)
    assert stated == pytest.approx([0.619, 0.905], abs=0.001)


def crowd(n: int, *, doubt: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Posteriors that say .99 of one label, of which `doubt` is drawn evenly among three."""
    rng = np.random.default_rng(seed)
    said = rng.integers(0, 3, n)
    posteriors = np.full((n, 3), 0.005)
    posteriors[np.arange(n), said] = 0.99
    return posteriors, np.full(n, 5), np.where(rng.random(n) < doubt, rng.integers(0, 3, n), said)


@pytest.mark.parametrize("doubt", [0.1, 0.45])
def test_many_known_labels_decide(doubt: float) -> None:
    posteriors, n_votes, truth = crowd(2000, doubt=doubt)
    found = fit(posteriors, n_votes, truth, prior=SHIPPED["dawid_skene"])
    stated = found.apply(posteriors, n_votes).max(axis=1)
    assert stated.mean() == pytest.approx((posteriors.argmax(axis=1) == truth).mean(), abs=0.03)
    assert found.n == 2000


def test_few_known_labels_move_little_and_always_towards_what_they_say() -> None:
    prior = SHIPPED["dawid_skene"]

    def stated(n: int, *, right: bool) -> float:
        posteriors, n_votes, _ = crowd(n, doubt=0)
        truth = posteriors.argmax(axis=1) if right else (posteriors.argmax(axis=1) + 1) % 3
        return float(fit(posteriors, n_votes, truth, prior=prior).apply(posteriors, n_votes).max(axis=1).mean())

    posteriors, n_votes, _ = crowd(1, doubt=0)
    before = float(prior.apply(posteriors, n_votes).max())
    assert stated(3, right=False) < before < stated(3, right=True)
    assert stated(100, right=False) < stated(3, right=False)
    # Laplace's rule of succession would say 4/5, 11/12 and 101/102.
    assert [stated(n, right=True) for n in (3, 10, 100)] == pytest.approx([0.8, 0.92, 0.99], abs=0.03)


def test_every_set_counts_the_same_for_what_ships() -> None:
    small, large = crowd(50, doubt=0.5, seed=1), crowd(5000, doubt=0.0, seed=2)
    both = of_crowds([[small], [large]]).apply(small[0], small[1]).max(axis=1).mean()
    alone = [of_crowds([[one]]).apply(small[0], small[1]).max(axis=1).mean() for one in (small, large)]
    assert alone[0] + 0.1 < both < alone[1] - 0.1


def test_it_is_kept_as_plain_values() -> None:
    believed = Calibration(0.25, 0.03, 40)
    assert Calibration.of(believed.as_json()) == believed
    assert set(calibration.SHIPPED) == {"majority", "dawid_skene", "crowdlab"}
