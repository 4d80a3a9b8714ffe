"""Figures of written copy: equal texts are perfect in every language, and claims are counted as production counts them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from moderation.policy.base import Draft, Fact, load_checks
from training.evaluation import copy_metrics
from training.evaluation.copy_metrics import Written

CHINESE = "禾木园艺铲采用不锈钢铲面，搭配白蜡木手柄。全长 31 cm，重 280 g。"
FACTS = (Fact("colour", "blue"), Fact("capacity", "350 ml", 350, "ml"))


def written(text: str, *, human: str = "", product: str = "A", locale: str = "en") -> Written:
    draft = Draft(text=text, channel="description", locale=locale, title="Mug", facts=FACTS)
    return Written(draft, product=product, human=human)


@pytest.mark.parametrize("text", [CHINESE, "不锈钢", "The blue mug holds 350 ml.", "Mug."])
def test_equal_texts_are_perfect_in_every_language(text: str) -> None:
    assert copy_metrics.rouge_l(text, text) == 1
    assert copy_metrics.bleu(text, text) == pytest.approx(1)
    assert copy_metrics.chrf(text, text) == pytest.approx(1)
    assert copy_metrics.ter(text, text) == 0
    assert copy_metrics.edit_distance(text, text) == 0


def test_other_texts_are_further_away_the_more_they_differ() -> None:
    human = "The blue mug holds 350 ml and weighs 240 g."
    near, far = "The blue mug holds 350 ml and weighs 200 g.", "A kettle."
    for figure in (copy_metrics.rouge_l, copy_metrics.bleu, copy_metrics.chrf):
        assert 1 > figure(near, human) > figure(far, human) >= 0
    for distance in (copy_metrics.ter, copy_metrics.edit_distance):
        assert 0 < distance(near, human) < distance(far, human)
    assert 0 < copy_metrics.rouge_l("禾木园艺铲采用塑料", CHINESE) < 1, "Chinese is compared by characters"


def test_an_empty_text_is_as_far_as_can_be_and_breaks_nothing() -> None:
    figures = copy_metrics.measure([written("", human="The blue mug.")], load_checks())
    assert figures["edit_distance"][0] == 1
    assert figures["rouge_l"][0] == 0
    assert figures["unsupported"][0] == 0
    assert copy_metrics.describe([], {}) == {"n": 0, "products": 0}


def test_claims_and_blocks_are_those_of_production() -> None:
    texts = [
        written("The blue mug holds 350 ml.", human="The blue mug holds 350 ml."),
        written("The steel mug weighs 240 g.", human="The blue mug holds 350 ml.", product="B"),
    ]
    figures = copy_metrics.measure(texts, load_checks())
    assert figures["unsupported_claims"].tolist() == [0, 2]
    assert figures["unsupported"].tolist() == [0, 1]
    assert figures["flagged"][1] == 1
    assert figures["blocked"].tolist() == [0, 0]
    assert figures["grounding"][0] > figures["grounding"][1]
    found = copy_metrics.describe(texts, figures)
    assert (found["n"], found["products"], found["unsupported"]["value"]) == (2, 2, 0.5)
    assert found["unsupported"]["low"] <= 0.5 <= found["unsupported"]["high"]


def test_what_the_policy_stops_is_blocked() -> None:
    leak = written("As an AI language model I cannot write this copy for you.")
    assert copy_metrics.measure([leak, written("")], load_checks())["blocked"].tolist() == [1, 1]


def test_without_a_human_text_nothing_is_compared() -> None:
    texts = [written("The blue mug.")]
    figures = copy_metrics.measure(texts, load_checks())
    assert np.isnan(figures["bleu"]).all()
    assert "bleu" not in copy_metrics.describe(texts, figures)


def test_the_interval_draws_products_not_texts() -> None:
    values = np.repeat([0.0, 1.0, 0.0, 1.0], 25)
    alike = copy_metrics.interval(values, [str(place // 25) for place in range(100)])
    apart = copy_metrics.interval(values, [str(place) for place in range(100)])
    assert alike["value"] == apart["value"] == 0.5
    assert alike["high"] - alike["low"] > 2 * (apart["high"] - apart["low"]), "four products say less than a hundred"


def test_the_interval_covers_the_mean() -> None:
    rng, hits = np.random.default_rng(5), 0
    for seed in range(200):
        values = rng.normal(0.3, 1, 60)
        found = copy_metrics.interval(values, [str(place) for place in range(60)], seed=seed)
        hits += found["low"] <= 0.3 <= found["high"]
    assert 0.89 <= hits / 200 <= 0.99


@pytest.mark.parametrize(("texts", "expected"), [(["a b c"], 1.0), (["a b", "a b"], 0.5), ([""], 0.0)])
def test_distinct_runs_tell_monotony(texts: list[str], expected: Any) -> None:
    assert copy_metrics.distinct(texts) == expected
