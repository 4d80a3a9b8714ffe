"""Models that say yes or no to each answer: their bounds, their probabilities, and what their words weigh."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from core.exceptions import PermanentError
from inference import explanations, several
from inference.backends.linear_heads import HEAD, LABELS, VOCABULARY, CharacterHead, logistic
from inference.contracts import Classification, TextClassifier

CHOICES = ("price", "quality", "delivery")


def _head(folder: Path, *, bounds: dict[str, float] | None) -> Path:
    """A head on three signs, one for each choice."""
    arrays = {"weight": np.eye(3) * 4, "bias": np.full(3, -2.0), "idf": np.ones(3)}
    save_file({name: value.astype(np.float32) for name, value in arrays.items()}, folder / HEAD)
    (folder / LABELS).write_text(json.dumps(CHOICES))
    (folder / VOCABULARY).write_text(json.dumps(["p", "q", "d"]))
    if bounds is not None:
        several.write(folder, bounds)
    return folder


def test_a_head_says_each_answer_from_its_own_bound_on(tmp_path: Path) -> None:
    _head(tmp_path, bounds={"price": 0.5, "quality": 0.9, "delivery": 0.05})
    price, none, both = CharacterHead(directory=tmp_path, options={}).classify(["p", "q", "pd"])
    # The third is said at 0.12 already, the second not at 0.88.
    assert (price.label, none.label, both.label) == ("price+delivery", "delivery", "price+delivery")
    assert price.is_several
    assert price.probabilities["price"] == pytest.approx(logistic(np.array([2.0]))[0])
    assert CharacterHead(directory=tmp_path, options={}).classify([]) == []


def test_without_bounds_it_says_one_of_all(tmp_path: Path) -> None:
    (found,) = CharacterHead(directory=_head(tmp_path, bounds=None), options={}).classify(["p"])
    assert (found.label, found.is_several) == ("price", False)
    assert sum(found.probabilities.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    "held",
    [
        '{"from": {"price": 0.5}}',
        '{"from": 3}',
        "[]",
        "",
        '{"from": {"price": 2, "quality": 0, "delivery": 0}}',
        '{"from": {"price": "x", "quality": 0, "delivery": 0}}',
        '{"from": {"price": NaN, "quality": 0, "delivery": 0}}',
    ],
)
def test_bounds_that_are_none_are_told(tmp_path: Path, held: str) -> None:
    (tmp_path / several.SEVERAL).write_text(held)
    with pytest.raises(PermanentError, match=several.SEVERAL):
        several.read(tmp_path, CHOICES)


def test_how_likely_a_label_is_counts_what_it_leaves_out() -> None:
    said = Classification.of_several(CHOICES, [0.9, 0.2, 0.6])
    assert said.label == "price+delivery"
    assert said.confidence == pytest.approx(0.9 * 0.8 * 0.6)
    assert said.probability_of("none") == pytest.approx(0.1 * 0.8 * 0.4)
    assert said.probability_of("quality") == pytest.approx(0.1 * 0.2 * 0.4)
    with pytest.raises(KeyError, match="colour"):
        said.probability_of("price+colour")


def test_no_logit_is_too_large_to_be_a_probability() -> None:
    assert logistic(np.array([-1e9, 0.0, 1e9])).tolist() == pytest.approx([0, 0.5, 1])


class _Words(TextClassifier):
    """Says of each choice whether its name stands in the text."""

    labels = CHOICES

    def classify(self, texts: Sequence[str]) -> list[Classification]:
        return [
            Classification.of_several(CHOICES, [0.9 if name in text else 0.1 for name in CHOICES]) for text in texts
        ]


def test_the_words_that_several_answers_hang_on_are_those_of_each() -> None:
    text = "the price and the delivery were as they should be"
    weights = explanations.explain(text, _Words(directory=None, options={}))
    assert {word.word for word in explanations.strongest(weights, 2)} == {"price", "delivery"}
    found = explanations.faithfulness(text, _Words(directory=None, options={}), weights, n=2)
    assert found is not None
    assert found.holds
