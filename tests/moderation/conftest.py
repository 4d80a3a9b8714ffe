"""A desk to test: scripted models behind the real registry, and the answer of a reviewer as labelling stores it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User

from inference import loader
from inference.models import ModelVersion
from labeling.models import Consensus, LabelingTask
from moderation.decisions import settling
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out
from tests import factories

GOOD = "Harbour mug 1 by Tideway is a sea green stoneware mug that holds 350 ml of tea or coffee."
WRONG = "Harbour mug 1 by Tideway is a scarlet leather mug that holds 900 ml of tea or coffee."
REFUSAL = "I'm sorry, but as an AI language model I cannot write a product description for you."


@pytest.fixture
def script(settings: Any) -> Callable[..., ModelVersion]:
    """Return a function that makes a scripted copywriter the champion."""
    backends = {"scripted": "tests.backends.Scripted", "word_count": "tests.backends.WordCount"}
    settings.INFERENCE = replace(settings.INFERENCE, backends={**settings.INFERENCE.backends, **backends})
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
    return factories.answer


@pytest.fixture
def rules(settings: Any) -> Callable[..., None]:
    """Return a function that sets rules of both queues; nobody is re-reviewed unless a test asks for it."""

    def set_rules(**changes: Any) -> None:
        settings.MODERATION = replace(settings.MODERATION, queue={**settings.MODERATION.queue, **changes})

    set_rules(rereview_percent=0, blind_percent=0)
    return set_rules


@pytest.fixture
def panel(rules: Callable[..., None], sentiment_champion: Any) -> ReviewItem:
    """An item about a customer review that three people are asked about."""
    rules(num_reviewers_per_item=3)
    factories.sentiment(
        factories.customer_review("good and bad"), "neutral", confidence=0.4, version=sentiment_champion
    )
    assert settling.open_reviews() == 1
    for number, task in enumerate(LabelingTask.objects.all()):
        LabelingTask.objects.filter(pk=task.pk).update(status="pushed", ls_task_id=900 + number)
    return ReviewItem.objects.get(lead=None)


@pytest.fixture
def says(answer: Callable[..., Any]) -> Callable[..., None]:
    """Return a function that lets a person press Next and answer what they get."""

    def give(user: User, label: str = "", **said: Any) -> ReviewItem:
        item = handing_out.next_item(user)
        assert item is not None, "nothing waits for them"
        answer(item, user, **({"sentiment": label} if label else {}), **said)
        settling.settle_decisions()
        item.refresh_from_db()
        return item

    return give
