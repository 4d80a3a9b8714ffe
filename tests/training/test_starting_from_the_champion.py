"""A part for Chinese adds to the model that serves: few labels change little, and none are worse than what ships."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog.models import CustomerReview
from inference import artifacts, loader
from inference.backends.linear_heads import START, STARTED_FROM, CharacterHead
from inference.models import ModelVersion
from labeling.models import Label
from tests import factories
from tests.model_store import PreparedModels
from tests.training.shop import label_reviews, train
from training import kept_parts
from training.trainers import offset_regression

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("alone")]
SAID = ["质量很好，很喜欢", "很差，失望，要退货", "一般般吧", "收到了，包装破了，很失望", "物美价廉，推荐"]


@pytest.fixture
def shipped(base: ModelVersion, prepared_models: PreparedModels) -> ModelVersion:
    """The sentiment model that ships is the champion; fine-tuning starts from a tiny encoder."""
    return factories.model_version(
        "sentiment",
        backend="cold_start",
        locales=["en", "zh-Hans"],
        artifact_hash=prepared_models.folders["sentiment"].name,
    )


def test_labels_that_say_no_more_than_what_ships_leave_the_part_as_it_ships(shipped: ModelVersion) -> None:
    label_reviews(90, chinese=1.0)
    rng, model = random.Random(1), loader.build(shipped)
    for label in Label.objects.all():
        review = CustomerReview.objects.get(pk=label.subject.partition(":")[2])
        (said,) = model.classify([review.full_text])
        Label.objects.filter(pk=label.pk).update(label=rng.choices(*zip(*said.probabilities.items(), strict=True))[0])
    run = train()
    assert (run.status, run.last_error) == ("succeeded", "")
    figures = run.version.card["parts"]["chinese"]
    assert (figures["C"], figures["started_from"]) == (0, "cold_start")
    for before, after in zip(*(loader.build(model).classify(SAID) for model in (shipped, run.version)), strict=True):
        assert after.label == before.label
        assert after.probabilities == pytest.approx(before.probabilities, abs=0.01)


def test_what_is_learnt_once_is_learnt_again_from_what_ships_and_not_from_itself(shipped: ModelVersion) -> None:
    label_reviews(150, chinese=1.0)
    first = train().version
    folder = artifacts.path_for(first.artifact_hash) / "chinese"
    assert json.loads((folder / STARTED_FROM).read_text())["backend"] == "cold_start"
    assert first.card["parts"]["chinese"]["C"] > 0, "in this shop 周二 means something"
    factories.model_version(
        "sentiment", backend=first.backend, artifact_hash=first.artifact_hash, locales=first.locales
    )
    label_reviews(30, seed=2, chinese=1.0)
    second = train().version
    assert not (artifacts.path_for(second.artifact_hash) / "chinese" / START / START).exists()
    assert (artifacts.path_for(second.artifact_hash) / "chinese" / START / "chinese.json").is_file()


def test_a_champion_that_knows_other_labels_is_no_start(shipped: ModelVersion) -> None:
    assert kept_parts.start_of(shipped, ["positive", "negative"]) is not None
    assert kept_parts.start_of(shipped, ["valid", "invalid"]) is None
    gone = factories.model_version("validity", backend="sequence_classifier")
    assert kept_parts.start_of(gone, ["valid", "invalid"]) is None


def test_a_part_made_before_parts_had_a_start_begins_again_with_what_ships(
    shipped: ModelVersion, tmp_path: Path
) -> None:
    label_reviews(120, chinese=1.0)
    old = train().version
    folder = tmp_path / "old"
    shutil.copytree(artifacts.path_for(old.artifact_hash), folder)
    (folder / "manifest.json").unlink()
    (folder / "chinese" / STARTED_FROM).unlink()
    stored = artifacts.store_directory(folder)
    legacy = factories.model_version("sentiment", backend="by_language", artifact_hash=stored)
    start = kept_parts.start_of(legacy, ["positive", "neutral", "negative"])
    assert start is not None
    assert start.folder == artifacts.path_for(shipped.artifact_hash)


def test_an_offset_alone_is_the_other_model_and_learning_is_better_out_of_sample_or_not_at_all() -> None:
    from scipy import sparse

    rng = np.random.default_rng(0)
    said = rng.dirichlet(np.ones(3), 300)
    offset, truth = np.log(said), (rng.random((300, 1)) > said.cumsum(axis=1)).sum(axis=1)
    noise = sparse.random(300, 40, density=0.2, random_state=1, format="csr")
    keys = [str(number) for number in range(300)]
    telling = sparse.csr_matrix(np.eye(3)[np.where(rng.random(300) < 0.8, truth, (truth + 1) % 3)])
    _, nothing = offset_regression.fit(noise, offset, truth, keys=keys)
    assert not nothing["weight"].any()
    np.testing.assert_array_equal(nothing["start"], np.eye(3))
    figures, learnt = offset_regression.fit(telling, offset, truth, keys=keys)
    assert figures["best_eval_loss"] < figures["eval_loss_of_start"]
    logits = telling @ learnt["weight"].T + offset @ learnt["start"].T + learnt["bias"]
    assert (logits.argmax(axis=1) == truth).mean() > 0.75
    again, held = offset_regression.fit(telling, offset, truth, keys=keys, n_aside=100)
    assert again["C"] > 0
    assert held["weight"].shape == (3, 3)


def test_a_head_with_a_start_serves_what_was_fitted(shipped: ModelVersion, tmp_path: Path) -> None:
    from training.recipes import Recipe
    from training.trainers.contracts import Labelled
    from training.trainers.linear_heads import fit_character_head

    names = ["negative", "neutral", "positive"]
    start = kept_parts.start_of(shipped, names)
    rng = random.Random(5)
    said = ["".join(rng.choices("好差坏退货满意推荐失望收到", k=8)) for _ in range(120)]
    given = [2 if "好" in text else 0 for text in said]
    figures: Any = fit_character_head(
        Labelled(said, given), Labelled([], []), labels=names, recipe=Recipe(), into=tmp_path / "head", start=start
    )
    head = CharacterHead(directory=tmp_path / "head", options={})
    right = np.mean(
        [names.index(answer.label) == label for answer, label in zip(head.classify(said), given, strict=True)]
    )
    assert figures["C"] > 0
    assert right > 0.9
