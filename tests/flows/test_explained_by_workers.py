"""A review that comes is scored, put before people and explained by real workers, each woken by the one before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.hints import hint
from inference import artifacts
from moderation import explaining
from moderation.models.predictions import Prediction
from moderation.models.reviews import ReviewItem
from questions.review_safety import first_scorer
from tests import factories
from tests.questions.safety import KIND
from tests.workers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_people_are_asked_about_is_explained_without_a_beat(
    start_worker: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "words"
    folder.mkdir()
    first_scorer.build(folder)
    factories.model_version(KIND, backend="safety_words", artifact_hash=artifacts.store_directory(folder))
    start_worker("gpu,default")
    factories.customer_review("My neighbour came to see the kettle, and the lid closes. I will kill you.")
    hint("moderation.score")
    wait_for(lambda: Prediction.objects.exclude(explanation__isnull=True).exists(), what="the words that moved it")
    said = Prediction.objects.exclude(explanation__isnull=True).get()
    assert said.subject == ReviewItem.objects.get(question=KIND).about
    why = explaining.explanation_of(said)
    assert why is not None
    assert {"kill", "you"} <= {one.word for one in why.words}
