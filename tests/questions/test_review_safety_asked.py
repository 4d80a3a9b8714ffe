"""What comes is scored by the model that ships, and what it marks, is unsure of, or a lot draws, is put before people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.refs import ref
from inference import artifacts, loader
from inference.models import ModelVersion
from moderation import scoring
from moderation.decisions import settling
from moderation.models.predictions import Prediction
from moderation.models.reviews import ReviewItem
from questions.review_safety import first_scorer
from tests import factories, people
from tests.questions.safety import KIND, is_hidden

pytestmark = pytest.mark.django_db


@pytest.fixture
def champion(tmp_path: Path, settings: Any) -> ModelVersion:
    """The model that ships, as it ships; nobody is asked by lot or blindly."""
    queue = {**settings.MODERATION.queue, "rereview_percent": 0, "blind_percent": 0, "random_percent": 0}
    settings.MODERATION = replace(settings.MODERATION, queue=queue)
    folder = tmp_path / "words"
    folder.mkdir()
    first_scorer.build(folder)
    loader.forget()
    return factories.model_version(KIND, backend="safety_words", artifact_hash=artifacts.store_directory(folder))


def _asked() -> dict[str, str]:
    return dict(ReviewItem.objects.filter(question=KIND).values_list("about", "strategy"))


def test_what_it_marks_or_is_unsure_of_is_asked_and_hidden_only_by_the_answer(champion: ModelVersion) -> None:
    product = factories.product(title="Steel kettle")
    bad = factories.customer_review("The seller is a filthy liar, I will kill you.", product=product)
    unsure = factories.customer_review("What a shitty kettle it is.", product=product)
    good = factories.customer_review("Keeps tea hot.", product=product)
    assert scoring.score() >= 3
    assert Prediction.objects.get(question=KIND, subject=ref(bad)).label == "abuse"
    assert not is_hidden(bad), "a model hides nothing"
    settling.open_reviews()
    assert _asked() == {ref(bad): "marked", ref(unsure): "uncertain"}
    item = ReviewItem.objects.get(question=KIND, about=ref(bad))
    factories.push_tasks()
    factories.answer(item, people.reviewer(), review_safety=["abuse"])
    settling.settle_decisions()
    assert (is_hidden(bad), is_hidden(unsure), is_hidden(good)) == (True, False, False)


def test_whatever_a_model_marks_is_asked_however_sure_it_is(champion: ModelVersion) -> None:
    review = factories.customer_review("Sure.")
    scoring.score()
    Prediction.objects.filter(question=KIND).update(label="spam", confidence=0.999)
    settling.open_reviews()
    assert _asked() == {ref(review): "marked"}


def test_a_share_is_drawn_by_lot_from_what_it_lets_be(champion: ModelVersion, settings: Any) -> None:
    queue = {**settings.MODERATION.queue, "random_percent": 50}
    settings.MODERATION = replace(settings.MODERATION, queue=queue)
    for number in range(20):
        factories.customer_review(f"Keeps tea hot, kettle {number}.")
    factories.customer_review("You filthy liar, I will kill you.")
    scoring.score()
    settling.open_reviews()
    assert sorted(_asked().values()) == ["marked", "random"]
