"""Where there is too little to validate, whole products are set aside, so that nothing leaks there either."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.splits import held_out


@dataclass(frozen=True)
class One:
    group: str
    number: int


def rows(*sizes: int) -> list[One]:
    """So many rows of each product."""
    return [One(f"SKU-{product}", number) for product, size in enumerate(sizes) for number in range(size)]


@given(st.lists(st.integers(1, 9), min_size=2, max_size=40))
def test_no_product_is_on_both_sides_and_neither_is_empty(sizes: list[int]) -> None:
    given_ = rows(*sizes)
    train, validation = held_out(given_[3:], given_[:3], fewest=4)
    assert sorted([*train, *validation], key=repr) == sorted(given_, key=repr)
    assert train
    assert validation
    assert not {row.group for row in train} & {row.group for row in validation}
    assert held_out(given_[3:], given_[:3], fewest=4) == (train, validation)


@pytest.mark.parametrize(("sizes", "n"), [([5] * 16, 10), ([1] * 40, 5), ([100, 1], 1), ([7, 5], 5), ([9], 2)])
def test_about_an_eighth_is_set_aside(sizes: list[int], n: int) -> None:
    train, validation = held_out(rows(*sizes), [], fewest=12)
    assert (len(train), len(validation)) == (sum(sizes) - n, n)


def test_a_product_that_comes_later_moves_few_others() -> None:
    before = {row.group for row in held_out(rows(*[1] * 80), [], fewest=12)[1]}
    after = {row.group for row in held_out(rows(*[1] * 81), [], fewest=12)[1]}
    assert len(before - after) <= 1


def test_enough_to_validate_is_left_as_it_is() -> None:
    train, validation = rows(3, 3), [One("other", number) for number in range(12)]
    assert held_out(train, validation, fewest=12) == (train, validation)
    assert held_out([], [], fewest=12) == ([], [])
