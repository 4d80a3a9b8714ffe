"""Customer reviews are scored once per model; what the model is unsure of goes to a person."""

from __future__ import annotations

import pytest

from moderation import review, sentiment
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
    assert [review.open_reviews(), review.open_reviews()] == [1, 0]
    item = ReviewItem.objects.get()
    assert (item.kind, item.customer_review.text) == ("review_sentiment", "it is a mug")
    assert item.labeling_task.predictions


def test_without_a_champion_nothing_is_scored() -> None:
    factories.customer_review()
    assert sentiment.score_reviews() == 0
