"""Whole products in each part, with its share of each label to test by; and whole products set aside where there is too little to validate."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.splits import ENOUGH, TEST_BELOW, _draw, assign, held_out, split_of


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


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["positive", "neutral", "negative", ""])), max_size=200))
def test_each_label_has_its_share_to_test_by_and_something_to_learn_from(given_: list[tuple[int, str]]) -> None:
    labelled = [(f"SKU-{product}", label) for product, label in given_]
    parts = assign(labelled)
    assert parts == assign(reversed(labelled))
    assert parts.keys() == {group for group, _ in labelled}, "a product is in one part, whole"
    labels = {label for _, label in labelled if label}
    last = {label: max((group for group, said in labelled if said == label), key=order) for label in labels}
    for label in labels:
        having = {group for group, said in labelled if said == label}
        tested = sum(parts[group] == "test" for group, said in labelled if said == label)
        n = sum(said == label for _, said in labelled)
        if len(having) > 1:
            assert tested < n
            spare = having - set(last.values())
            assert tested >= int(TEST_BELOW * n) or all(parts[group] == "test" for group in spare)
            assert tested or not spare


def order(group: str) -> tuple[float, str]:
    """Where a product comes in the lots."""
    return _draw("split-1", group), group


def test_a_label_that_is_not_short_leaves_everything_to_the_lots() -> None:
    labelled = [(f"SKU-{product}", "positive") for product in range(1000)]
    by_lot = {group: split_of(group) for group, _ in labelled}
    assert Counter(by_lot.values())["test"] >= ENOUGH
    assert assign(labelled) == by_lot
    assert assign([(group, "") for group, _ in labelled]) == by_lot, "copy has no labels"


def test_a_rare_label_is_tested_on_and_learnt_from_wherever_its_lots_fall() -> None:
    common = [(f"SKU-{product}", "positive") for product in range(1000)]
    by_part = {part: [group for group, _ in common if split_of(group) == part] for part in ("train", "test")}
    for part in ("train", "test"):
        rare = [(group, "negative") for group in by_part[part][:10]]
        parts = assign([*common, *rare])
        tested = sum(parts[group] == "test" for group, _ in rare)
        assert tested == {"train": 2, "test": 9}[part]
        moved = [group for group in parts if parts[group] != split_of(group)]
        assert len(moved) == {"train": 2, "test": 1}[part], "only as many products as have to"
    assert assign([*common, (by_part["train"][0], "negative")])[by_part["train"][0]] == "train", (
        "the only one is learnt from"
    )
