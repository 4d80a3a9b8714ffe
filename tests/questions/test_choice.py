"""A closed list of answers, of which several may be given: page, reading and label follow from the choices."""

from __future__ import annotations

import pytest

from catalog.models import CustomerReview
from core.exceptions import PermanentError
from labeling.label_config import check_task, validate
from tests.labeling.conftest import choice
from tests.questions.delivery import Parts

PARTS = Parts()


def test_several_answers_are_one_label_in_the_order_of_the_choices() -> None:
    validate(PARTS)
    answer = PARTS.parse([{**choice("parts", "service", "quality"), "to_name": "review"}], {})
    assert answer == {"parts": ["service", "quality"], "escalate": False, "comment": ""}
    assert PARTS.label_of(answer) == "quality+service"
    assert PARTS.label_of(PARTS.parse(PARTS.result_of("quality+service"), {})) == "quality+service"


def test_none_of_them_is_an_answer_too() -> None:
    assert PARTS.label_of(PARTS.parse(PARTS.result_of("none"), {})) == "none"
    assert "None of these" in PARTS.config()
    for said in ([], [choice("parts", "none", "price")]):
        with pytest.raises(PermanentError):
            PARTS.parse(said, {})
    assert PARTS.label_of({"parts": [], "escalate": True}) == ""


def test_what_it_does_not_have_is_neither_read_nor_suggested() -> None:
    with pytest.raises(PermanentError, match="colour"):
        PARTS.parse([choice("parts", "colour")], {})
    with pytest.raises(PermanentError, match="colour"):
        PARTS.suggestions(None, label="price+colour")
    review = CustomerReview(text="Dear.")
    check_task(PARTS, PARTS.task_data(review), PARTS.suggestions(review, label="price", model_version="m"))
