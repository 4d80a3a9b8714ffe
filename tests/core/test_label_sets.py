"""Labels made of several answers."""

from __future__ import annotations

import pytest

from core import label_sets
from inference.contracts import Classification

ORDER = ("spam", "hate", "abuse")


@pytest.mark.parametrize(("values", "label"), [({"abuse", "spam"}, "spam+abuse"), (["hate"], "hate"), ([], "none")])
def test_a_label_of_several_answers_comes_apart_into_what_it_was_made_of(values: list[str], label: str) -> None:
    assert label_sets.join(values, ORDER) == label
    assert set(label_sets.split(label)) == set(values)


def test_no_label_holds_no_answer() -> None:
    assert label_sets.split("") == []


def test_a_model_says_each_answer_that_is_likelier_than_not_and_how_sure_all_of_it_is() -> None:
    said = Classification.of_several(ORDER, [0.5, 0.2, 0.9])
    assert said.label == "spam+abuse"
    assert said.confidence == pytest.approx(0.5 * 0.8 * 0.9)
    assert Classification.of_several(ORDER, [0.1, 0.2, 0.3]).label == "none"
    assert Classification.of_several(ORDER, [0.1, 0.2, 0.3], at=[0.05, 0.5, 0.5]).label == "spam"
