"""Two models on the same texts, against statsmodels and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar

from training.evaluation.comparison import Comparison, compare

RNG = np.random.default_rng


def alike(rng: np.random.Generator, n_products: int, *, new: float, old: float) -> tuple[np.ndarray, ...]:
    """Who is right, and the product of each text: 1 to 9 of a product, most of which share their fate."""
    products = np.repeat(np.arange(n_products), rng.integers(1, 10, n_products))
    shares = rng.random(len(products)) < 0.7
    draws = [np.where(shares, rng.random(n_products)[products], rng.random(len(products))) for _ in "no"]
    return draws[0] < new, draws[1] < old, products


def test_with_a_text_for_each_product_it_is_mcnemars_and_its_interval_covers() -> None:
    rng = RNG(3)
    new, old = rng.random(300) < 0.85, rng.random(300) < 0.8
    found = compare(new, old)
    table = [[int((new & old).sum()), int((new & ~old).sum())], [int((~new & old).sum()), int((~new & ~old).sum())]]
    assert found.p == pytest.approx(mcnemar(table, exact=True).pvalue)
    assert found.gain == pytest.approx(new.mean() - old.mean())
    assert found == compare(new, old, np.arange(300)[::-1])
    hits = 0
    for _ in range(400):
        new, old = rng.random(150) < 0.85, rng.random(150) < 0.8
        drawn = compare(new, old)
        hits += drawn.low <= 0.05 <= drawn.high
    assert 0.92 <= hits / 400 <= 0.98


def test_where_texts_of_a_product_are_alike_it_covers_too_and_by_text_it_would_not() -> None:
    rng, by_product, by_text = RNG(4), 0, 0
    for _ in range(400):
        new, old, products = alike(rng, 80, new=0.85, old=0.8)
        found, naive = compare(new, old, products), compare(new, old)
        by_product += found.low <= 0.05 <= found.high
        by_text += naive.low <= 0.05 <= naive.high
    assert by_product / 400 >= 0.92
    assert by_text / 400 <= 0.85


def test_equal_models_differ_beyond_chance_no_more_often_than_they_may() -> None:
    rng, by_product, by_text = RNG(5), 0, 0
    for _ in range(400):
        new, old, products = alike(rng, 80, new=0.8, old=0.8)
        by_product += compare(new, old, products).p < 0.05
        by_text += compare(new, old).p < 0.05
    assert by_product / 400 <= 0.07
    assert by_text / 400 >= 0.15


def test_the_chance_is_counted_over_every_way_the_signs_could_have_fallen() -> None:
    new = np.array([1, 1, 1, 1, 1, 1, 0], dtype=bool)
    found = compare(new, ~new, np.array([0, 0, 0, 1, 1, 2, 3]))  # products differ by 3, 2, 1 and -1
    sums = [a * 3 + b * 2 + c + d for a in (1, -1) for b in (1, -1) for c in (1, -1) for d in (1, -1)]
    assert found.p == pytest.approx(sum(abs(one) >= 5 for one in sums) / 16)


def test_of_one_product_or_none_nothing_is_known() -> None:
    right, wrong = np.ones(50, dtype=bool), np.zeros(50, dtype=bool)
    found = compare(right, wrong, np.zeros(50, dtype=int))
    assert (found.gain, found.low, found.high, found.p) == (1, -1, 1, 1)
    assert compare(right[:0], wrong[:0]) == Comparison(0, 0.0, -1.0, 1.0, 0, 0, 1.0)


def test_models_that_never_differ_are_equal_as_far_as_their_products_tell() -> None:
    right = np.ones(500, dtype=bool)
    few, many = (compare(right, right, np.arange(500) % n) for n in (10, 500))
    assert few.gain == many.gain == 0
    assert few.high > 10 * many.high
