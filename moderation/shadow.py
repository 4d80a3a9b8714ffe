"""A challenger in the shadow: it scores what the champion scored last, and nothing acts on what it says."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from catalog.models import CustomerReview
from inference import loader, resolver
from inference.models import ModelVersion, Role
from moderation.models.reviews import Sentiment, ShadowScore

BATCH = 64


def score() -> int:
    """Have the challenger score up to `BATCH` of the reviews that the champion scored last. Returns how many.

    Two workers at once may look at the same reviews; each review is kept once.
    """
    champion, challenger = resolver.find(Role.SENTIMENT), resolver.find(Role.SENTIMENT, alias="challenger")
    if champion is None or challenger is None or challenger.pk == champion.pk:
        return 0
    seen = ShadowScore.objects.filter(review=OuterRef("review"), model_version=challenger)
    latest = Sentiment.objects.filter(~Exists(seen), model_version=champion).select_related("review")
    reviews: list[CustomerReview] = [row.review for row in latest.order_by("-created_at")[:BATCH]]
    if not reviews:
        return 0
    model = loader.load_classifier(challenger)
    began = time.perf_counter()
    answers = model.classify([row.full_text for row in reviews])
    seconds = (time.perf_counter() - began) / len(reviews)
    ShadowScore.objects.bulk_create(
        (ShadowScore(review=review, model_version=challenger, label=answer.label, confidence=answer.confidence, seconds=seconds)
         for review, answer in zip(reviews, answers, strict=True)),
        ignore_conflicts=True,
    )  # fmt: skip
    return len(reviews)


@dataclass(frozen=True)
class Shadow:
    """A challenger beside the champion on live traffic: how many reviews, how often alike, seconds a review."""

    n: int
    n_alike: int
    seconds: float

    @property
    def share(self) -> float:
        return self.n_alike / self.n if self.n else 0.0


def compared(challenger: ModelVersion, champion: ModelVersion) -> Shadow:
    """Return how the two compare on the reviews that both have scored."""
    theirs = Sentiment.objects.filter(review=OuterRef("review"), model_version=champion)
    scored = ShadowScore.objects.filter(Exists(theirs), model_version=challenger)
    alike = scored.filter(Exists(theirs.filter(label=OuterRef("label"))))
    n, spent = scored.count(), list(scored.values_list("seconds", flat=True)[:500])
    return Shadow(n, alike.count(), sum(spent) / len(spent) if spent else 0.0)
