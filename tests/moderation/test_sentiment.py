"""Customer reviews are scored once per model; what the model is unsure of goes to a person."""

from __future__ import annotations

import pytest

from catalog.models import CustomerReview
from inference.models import ModelVersion
from moderation import sentiment
from moderation.decisions import settling
from moderation.models.reviews import ReviewItem, Sentiment
from tests import factories

pytestmark = pytest.mark.django_db


def test_each_review_is_scored_once_by_each_champion(sentiment_champion) -> None:
    for text in ("good, really good", "bad", "it is a mug"):
        factories.customer_review(text)
    assert [sentiment.score_reviews(), sentiment.score_reviews()] == [3, 0]
    assert sorted(Sentiment.objects.values_list("label", flat=True)) == ["negative", "neutral", "positive"]
    factories.model_version("sentiment", backend="word_count", artifact_hash="")
    assert sentiment.score_reviews() == 3


def test_only_unsure_ones_are_asked_about_and_only_once(sentiment_champion) -> None:
    for text in ("good, really good", "it is a mug"):
        factories.customer_review(text)
    sentiment.score_reviews()
    settling.open_reviews()
    assert settling.open_reviews() == 0
    item = ReviewItem.objects.exclude(strategy="random").get()  # the sure one may be drawn by lot beside it
    assert (item.kind, item.customer_review.text) == ("sentiment", "it is a mug")
    assert item.labeling_task.predictions


def test_without_a_champion_nothing_is_scored() -> None:
    factories.customer_review()
    assert sentiment.score_reviews() == 0


def test_a_review_that_the_model_chokes_on_holds_up_no_other_and_ends_in_quarantine(
    sentiment_champion: ModelVersion,
) -> None:
    poison = factories.customer_review("choke on this")
    for n in range(5):
        factories.customer_review(f"good {n}")
    assert sentiment.score_reviews() == 5
    for _ in range(4):
        CustomerReview.objects.update(lease_expires_at=None)  # the rest is over
        assert sentiment.score_reviews() == 0
    poison.refresh_from_db()
    assert poison.quarantined_at
    assert poison.last_error == "RuntimeError: the model chokes on this"
    assert sentiment.score_reviews() == 0
