"""Trainers that learn each of several answers as a yes or no: bounds, heads and fine-tuned encoders."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import several
from inference.backends.linear_heads import CharacterHead
from inference.backends.sequence_classifier import SequenceClassifier
from tests.model_store import tiny_bert
from training import augmentation
from training.recipes import Recipe, resolve_defaults
from training.trainers import bounds, one_by_one, transformer_classifier
from training.trainers.contracts import Labelled, Ticked
from training.trainers.linear_heads import fit_character_head

CHOICES = ("price", "quality", "delivery")
WORDS = {"price": ["cheap", "dear"], "quality": ["sturdy", "flimsy"], "delivery": ["courier", "parcel"]}


def ticked(n: int, *, seed: int = 0, words: dict[str, list[str]] = WORDS, filler: int = 4) -> Ticked:
    """Texts that have the words of what they are about, among `filler` that say nothing."""
    rng = random.Random(seed)
    shares = {"price": 0.4, "quality": 0.4, "delivery": 0.5}
    texts, ticks = list[str](), list[tuple[int, ...]]()
    for _ in range(n):
        holds = [rng.random() < shares[name] for name in CHOICES]
        said = [rng.choice(words[name]) for name, one in zip(CHOICES, holds, strict=True) if one]
        others = rng.choices(["the", "mug", "it", "is", "and", "was"], k=filler)
        texts.append(" ".join(rng.sample([*said, *others], k=len(said) + filler)))
        ticks.append(tuple(map(int, holds)))
    return Ticked(texts, ticks)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_no_other_bound_says_it_better(rows: list[tuple[float, bool]]) -> None:
    said, truth = np.array([p for p, _ in rows]), np.array([yes for _, yes in rows])
    bound = bounds.choose(said, truth)
    assert 0 <= bound <= 1
    if min(truth.sum(), (~truth).sum()) < bounds.FEWEST:
        assert bound == several.USUAL
        return

    def f1(at: float) -> float:
        yes = said >= at
        return float(2 * (yes & truth).sum() / (yes.sum() + truth.sum()))

    assert f1(bound) >= max(f1(at) for at in [*said, 0.5]) - 1e-9


def test_a_bound_goes_where_a_rare_answer_is_found() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(400) < 40
    said = np.where(truth, rng.uniform(0.25, 0.45, 400), rng.uniform(0, 0.2, 400))
    assert 0.2 <= bounds.choose(said, truth) <= 0.25
    sure = np.where(truth, 0.9, 0.1)
    assert bounds.choose(sure, truth) == 0.5, "of equal places the usual one"


@pytest.mark.parametrize("weighted", [False, True])
def test_each_answer_has_a_layer_of_its_own(weighted: bool) -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(600, 5))
    truth = np.column_stack([features[:, 0] > 0, features[:, 1] > 1.2, np.zeros(600, dtype=bool)])
    rows = [Ticked([""] * 300, [tuple(map(int, one)) for one in part]) for part in (truth[:300], truth[300:])]
    heard: list[tuple[int, int]] = []
    found = one_by_one.fit(
        features[:300],
        features[300:],
        *rows,
        recipe=Recipe(class_weights=weighted),
        watch=lambda done, of, figures: heard.append((done, of)),
    )
    logits = features @ found.arrays["weight"].T + found.arrays["bias"]
    said = 1 / (1 + np.exp(-logits)) >= np.array(found.bounds)
    assert (said == truth).mean(axis=0)[:2].min() > 0.97
    assert not said[:, 2].any(), "what never held is not said"
    assert found.figures["C"] in one_by_one.STRENGTHS
    assert found.figures["best_eval_loss"] > 0
    assert heard == [(number, 5) for number in range(1, 6)]


def test_few_to_validate_choose_neither_strength_nor_bound() -> None:
    rng = np.random.default_rng(2)
    features = rng.normal(size=(60, 3))
    rows = Ticked([""] * 60, [(int(one > 0), 1) for one in features[:, 0]])
    few = Ticked([""] * 8, rows.labels[:8])
    found = one_by_one.fit(features, features[:8], rows, few, recipe=Recipe(), watch=lambda *step: None)
    assert (found.figures["C"], found.figures["best_eval_loss"]) == (one_by_one.USUAL, None)
    assert found.bounds == [0.5, 0.5]
    none = one_by_one.fit(features, None, rows, Ticked([], []), recipe=Recipe(), watch=lambda *step: None)
    assert none.bounds == [0.5, 0.5]
    assert found.arrays["bias"][1] > 3, "what always held is said"


def test_a_head_on_characters_is_written_and_answers(tmp_path: Path) -> None:
    figures = fit_character_head(ticked(300), ticked(100, seed=1), labels=CHOICES, recipe=Recipe(), into=tmp_path)
    assert set(figures["bounds"]) == set(CHOICES)
    assert json.loads((tmp_path / several.SEVERAL).read_text())["from"] == figures["bounds"]
    model = CharacterHead(directory=tmp_path, options={})
    answers = model.classify(["the cheap sturdy mug", "it was the mug", "the parcel was dear"])
    assert [answer.label for answer in answers] == ["price+quality", "none", "price+delivery"]
    assert all(answer.is_several for answer in answers)


KNOWN = {"price": ["steel"], "quality": ["blue"], "delivery": ["one"]}  # what the tiny tokeniser reads


def fine_tune(folder: Path, **values: Any) -> tuple[dict[str, Any], SequenceClassifier]:
    """Fine-tune a tiny encoder; return the figures, and what serves it."""
    usual = {"epochs": 12, "learning_rate": 3e-3, "patience": 20, "batch_size": 16, "dropout": 0.0}
    train, validation = (ticked(n, seed=seed, words=KNOWN, filler=1) for n, seed in ((240, 0), (80, 1)))
    figures = transformer_classifier.fit(
        train,
        validation,
        labels=CHOICES,
        recipe=Recipe(**{**usual, **values}),
        base=tiny_bert(folder / "base"),
        work=folder / "work",
        into=folder / "model",
    )
    return figures, SequenceClassifier(directory=folder / "model", options={})


@pytest.mark.parametrize("values", [{"method": "full"}, {"method": "lora", "lora_rank": 8, "learning_rate": 5e-3}])
def test_an_encoder_is_fine_tuned_to_say_yes_or_no(tmp_path: Path, values: dict[str, Any]) -> None:
    figures, model = fine_tune(tmp_path, **values)
    assert model.is_several
    assert model.bounds == [figures["bounds"][name] for name in CHOICES]
    tested = ticked(100, seed=2, words=KNOWN, filler=1)
    said = [answer.label for answer in model.classify(tested.texts)]
    truth = ["+".join(name for name, one in zip(CHOICES, row, strict=True) if one) or "none" for row in tested.labels]
    right = np.mean([a == b for a, b in zip(said, truth, strict=True)])
    assert right > 0.45, "the commonest of the eight labels would be right in 0.22"


def test_a_missed_answer_may_cost_as_much_as_it_is_rare(tmp_path: Path) -> None:
    rows = Ticked(["a", "b", "c", "d"], [(1, 0, 0), (0, 0, 1), (0, 0, 1), (0, 0, 0)])
    assert transformer_classifier._weights(rows, n_labels=3).tolist() == [3, 4, 1]
    figures, model = fine_tune(tmp_path, method="full", class_weights=True, epochs=1)
    assert figures["best_eval_loss"] > 0
    assert model.classify(["a blue mug"])[0].is_several


def test_copies_keep_their_answers() -> None:
    rows = ticked(50)
    more = augmentation.augment(rows, share=0.5, seed=0)
    assert isinstance(more, Ticked)
    assert len(more) > 50
    assert more.labels[:50] == rows.labels


def test_what_there_is_to_learn() -> None:
    assert Ticked(["a", "b"], [(1, 0), (1, 1)]).tells_apart
    assert not Ticked(["a", "b"], [(1, 0), (1, 0)]).tells_apart
    assert not Ticked([], []).tells_apart
    assert not Labelled(["a", "b"], [1, 1]).tells_apart


def test_the_frozen_encoder_is_what_several_answers_are_learnt_on() -> None:
    usual = resolve_defaults(Recipe(), n_train=500, is_chinese=False, is_several=True)
    assert usual.method == "head"
    assert resolve_defaults(Recipe(), n_train=500, is_chinese=True, is_several=True).method == "characters"
    assert resolve_defaults(Recipe(method="lora"), n_train=500, is_chinese=False, is_several=True).method == "lora"
