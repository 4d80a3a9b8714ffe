"""Explanations name the words that count, in English and Chinese, and the deletion check tells them from words by lot."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from inference.contracts import Classification, TextClassifier
from inference.explanations import WordWeight, explain, faithfulness, strongest

SAYS = {"awful": 3.0, "broken": 1.5, "差": 3.0}


class ByWords(TextClassifier):
    """Negative by the sum of what the words of SAYS say."""

    labels = ("negative", "other")
    n_calls = 0

    def classify(self, texts: Sequence[str]) -> list[Classification]:
        self.n_calls += 1
        sums = [sum(value for word, value in SAYS.items() if word in text) - 1 for text in texts]
        return [Classification.of(self.labels, (1 / (1 + math.exp(-x)), 1 / (1 + math.exp(x)))) for x in sums]


@pytest.fixture
def model() -> ByWords:
    return ByWords(directory=None, options={})


def test_the_words_that_count_come_first_where_they_stand(model: ByWords) -> None:
    text = "The mug came broken on Monday and it is awful to hold"
    first, second = strongest(explain(text, model), 2)
    assert (first.word, second.word) == ("awful", "broken")
    assert text[first.start : first.end] == "awful"
    assert model.n_calls == 1, "all texts without a word are one batch"


def test_a_chinese_sign_is_a_word(model: ByWords) -> None:
    assert strongest(explain("这个杯子很差", model), 1)[0].word == "差"


def test_deletion_tells_named_words_from_words_by_lot(model: ByWords) -> None:
    text = "The mug came broken on Monday and it is awful to hold"
    weights = explain(text, model)
    check = faithfulness(text, model, weights, n=2)
    assert check is not None
    assert check.holds
    assert check.named > 0.5
    assert check.random == pytest.approx(0)
    wrong = [WordWeight(w.word, w.start, w.end, float(w.word in {"Monday", "hold"})) for w in weights]
    check = faithfulness(text, model, wrong, n=2)
    assert check is not None
    assert not check.holds


def test_of_few_words_nothing_is_said(model: ByWords) -> None:
    assert explain("!!!", model) == []
    assert faithfulness("awful", model, explain("awful", model)) is None
