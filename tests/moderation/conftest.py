"""A desk to test: scripted models behind the real registry, and the answer of a reviewer as labelling stores it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from inference import loader
from inference.models import ModelVersion
from labeling.models import Annotation, Consensus
from moderation.models.reviews import ReviewItem
from tests import factories

GOOD = "Harbour mug 1 by Tideway is a sea green stoneware mug that holds 350 ml of tea or coffee."
WRONG = "Harbour mug 1 by Tideway is a scarlet leather mug that holds 900 ml of tea or coffee."
REFUSAL = "I'm sorry, but as an AI language model I cannot write a product description for you."


@pytest.fixture
def script(settings: Any) -> Callable[..., ModelVersion]:
    """Return a function that makes a scripted copywriter the champion."""
    backends = {"scripted": "tests.backends.Scripted", "word_count": "tests.backends.WordCount"}
    settings.INFERENCE = {**settings.INFERENCE, "BACKENDS": {**settings.INFERENCE["BACKENDS"], **backends}}
    loader.forget()

    def champion(*texts: str, **options: Any) -> ModelVersion:
        loader.forget()
        return factories.model_version(
            backend="scripted", artifact_hash="", options={"texts": list(texts) or [GOOD], **options}
        )

    return champion


@pytest.fixture
def sentiment_champion(script: Callable[..., ModelVersion]) -> ModelVersion:
    """A word counter as sentiment champion."""
    return factories.model_version("sentiment", backend="word_count", artifact_hash="")


@pytest.fixture
def answer() -> Callable[..., Consensus]:
    """Return a function that stores what `user` answered about `item`, as `labeling` does after a pull."""
    numbers = iter(range(1, 10_000))

    def give(item: ReviewItem, user: User | None, **said: Any) -> Consensus:
        number = next(numbers)
        assert item.labeling_task is not None
        annotation = Annotation.objects.create(
            task=item.labeling_task,
            ls_annotation_id=number,
            annotator=user,
            ls_user_id=number,
            result=[],
            ls_created_at=timezone.now(),
            ls_updated_at=timezone.now(),
        )
        consensus = Consensus.objects.create(task=item.labeling_task, annotation_set_hash=str(number), answer=said)
        consensus.annotations.add(annotation)
        return consensus

    return give
