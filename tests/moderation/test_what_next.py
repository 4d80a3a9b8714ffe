"""What people are asked of what a model said."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from catalog.models import CustomerReview
from core.refs import ref
from labeling.models import Label
from labeling.quality import sampling
from labeling.question import question
from moderation.decisions import settling
from moderation.models.predictions import Prediction
from moderation.models.reviews import ReviewItem
from moderation.queues import active_learning
from tests import factories

pytestmark = pytest.mark.django_db


def scored(n: int, *, confidence: float, version: Any, text: str = "so so") -> None:
    product = factories.product()
    rows = [
        CustomerReview(external_id=f"{text}-{confidence}-{i}", text=f"{text} {i}", product=product) for i in range(n)
    ]
    rest = (1 - confidence) / 2
    Prediction.objects.bulk_create(
        Prediction(
            question="sentiment",
            subject=ref(row),
            model_version=version,
            label="neutral",
            confidence=confidence,
            probabilities={"neutral": confidence, "positive": rest, "negative": rest},
        )
        for row in CustomerReview.objects.bulk_create(rows)
    )


def test_a_fifth_of_what_people_are_asked_is_drawn_from_everything(sentiment_champion: Any) -> None:
    scored(80, confidence=0.4, version=sentiment_champion)
    scored(200, confidence=0.99, version=sentiment_champion, text="lovely")
    settling.open_reviews()
    strategies = Counter(ReviewItem.objects.values_list("strategy", flat=True))
    assert strategies == {"uncertain": 80, "random": 20}
    drawn = ReviewItem.objects.filter(strategy="random").values("about")
    assert Prediction.objects.filter(subject__in=drawn, confidence__gt=0.9).count() == 20, (
        "also what the model is sure of"
    )
    settling.open_reviews()
    assert ReviewItem.objects.count() == 100


def test_of_many_unsure_ones_the_most_telling_go_first(sentiment_champion: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(settling, "BATCH", 20)
    scored(100, confidence=0.4, version=sentiment_champion)
    scored(100, confidence=0.7, version=sentiment_champion, text="hm")
    for row in CustomerReview.objects.all()[:80]:
        Label.objects.create(
            question="sentiment", subject=ref(row), label="neutral", method="single", labelled_at=row.created_at
        )
    chosen = active_learning.choose(question("sentiment"), n=20)
    assert len(chosen) == 25
    assert {strategy for _, strategy in chosen} <= {"uncertain", "diverse", "random"}
    assert chosen == active_learning.choose(question("sentiment"), n=20), "the same lot"


def test_before_there_are_labels_the_models_doubts_decide_nothing(sentiment_champion: Any) -> None:
    scored(60, confidence=0.4, version=sentiment_champion)
    assert {strategy for _, strategy in active_learning.choose(question("sentiment"), n=20)} == {"cold_start", "random"}


def test_without_a_model_nobody_is_asked() -> None:
    assert active_learning.choose(question("sentiment"), n=20) == []


def test_what_an_import_has_labelled_is_not_asked_again(sentiment_champion: Any) -> None:
    scored(3, confidence=0.4, version=sentiment_champion)
    one = CustomerReview.objects.all()[0]
    Label.objects.create(
        question="sentiment",
        subject=ref(one),
        label="neutral",
        method="import",
        source="import:1",
        labelled_at=one.created_at,
    )
    assert {score.subject for score, _ in active_learning.choose(question("sentiment"), n=20)} == {
        ref(row) for row in CustomerReview.objects.exclude(pk=one.pk)
    }


def test_what_was_scored_long_ago_has_the_same_chance(sentiment_champion: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(active_learning, "POOL", 60)
    scored(400, confidence=0.99, version=sentiment_champion, text="lovely")
    scored(40, confidence=0.4, version=sentiment_champion)
    drawn = [
        score.pk for score, strategy in active_learning.choose(question("sentiment"), n=40) if strategy == "random"
    ]
    latest = set(Prediction.objects.filter(confidence=0.99).order_by("-pk").values_list("pk", flat=True)[:60])
    assert len(drawn) == 10
    assert set(drawn) - latest, "not the latest alone"


def test_the_first_labels_are_drawn_from_everything_not_from_what_the_model_doubts(
    sentiment_champion: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(active_learning, "POOL", 400)
    scored(60, confidence=0.4, version=sentiment_champion)
    scored(240, confidence=0.99, version=sentiment_champion, text="lovely")
    cold = [
        score.confidence
        for score, strategy in active_learning.choose(question("sentiment"), n=40)
        if strategy == "cold_start"
    ]
    assert len(cold) == 40
    assert sum(confidence > 0.9 for confidence in cold) > 20


def test_the_desk_asks_what_the_benchmark_would(sentiment_champion: Any) -> None:
    """`bench/label_quality_active.py` gives all that is left to `sampling.choose`; the desk what the model is least sure of."""
    words = ("lid", "mug", "boots", "lamp", "tea", "kettle", "sofa")
    for n in range(90):
        scored(1, confidence=0.35 + n / 300, version=sentiment_champion, text=f"{words[n % 7]} {words[n % 5]} {n}")
    for row in CustomerReview.objects.order_by("external_id")[:20]:
        for other in range(4):
            Label.objects.create(
                question="sentiment",
                subject=f"{ref(row)}-{other}",
                label="neutral",
                method="single",
                labelled_at=row.created_at,
            )
    everything = list(Prediction.objects.order_by("-confidence"))
    chosen = sampling.choose(
        10,
        uncertainty=sampling.margin([list(score.probabilities.values()) for score in everything]),
        features=sampling.hashed(question("sentiment").texts([score.subject for score in everything])),
        n_labelled=80,
        seed=everything[-1].pk,
        strategy=replace(sampling.SAFEST, random_share=0),
    )
    asked = {
        score.pk: strategy
        for score, strategy in active_learning.choose(question("sentiment"), n=10)
        if strategy != "random"
    }
    assert asked == {everything[row].pk: strategy for row, strategy in chosen}
