"""Explanations name the words that count, in English and Chinese, and the deletion check tells them from words by lot."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from inference.contracts import Classification, TextClassifier
from inference.explanations import WordWeight, explain, explain_by_parts, faithfulness, strongest

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


def test_of_a_long_text_parts_are_tried_first_and_then_the_words_of_those_that_count(model: ByWords) -> None:
    sizes: list[int] = []
    classify = model.classify

    def counted(texts: Sequence[str]) -> list[Classification]:
        sizes.append(len(texts))
        return classify(texts)

    model.classify = counted  # type: ignore[method-assign]
    text = f"{'so it goes ' * 40}it came broken and it is awful {'so it goes ' * 40}"
    weights = explain_by_parts(text, model)
    assert sum(sizes) <= 1 + 16 + 3 * 16, "far fewer than words"
    assert len(weights) == 200
    assert [word.word for word in strongest(weights, 2)] == ["awful", "broken"]
    check = faithfulness(text, model, weights)
    assert check is not None
    assert check.holds
    sizes.clear()
    short = "The mug came broken and it is awful"
    assert explain_by_parts(short, model) == explain(short, model)
