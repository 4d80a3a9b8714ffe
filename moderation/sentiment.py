"""Sentiment of customer reviews: scored by the champion, looked at by a person where it is unsure."""

from __future__ import annotations

from django.db import transaction

from audit import ledger
from audit.ledger import Line
from catalog.models import CustomerReview
from core.actors import SystemActor
from core.hints import hint_on_commit
from inference import loader, resolver
from inference.models import Role
from moderation.models.reviews import Sentiment

SCORER = SystemActor("moderation.sentiment")
BATCH = 256


def score_reviews() -> int:
    """Score one batch of reviews that the sentiment champion has not scored yet. Returns how many; 0 without a champion."""
    version = resolver.find(Role.SENTIMENT)
    if version is None:
        return 0
    reviews = list(
        CustomerReview.objects.exclude(sentiments__model_version=version).order_by("created_at", "pk")[:BATCH]
    )
    if not reviews:
        return 0
    answers = loader.load_classifier(version).classify([f"{review.title}\n{review.text}".strip() for review in reviews])
    rows = [
        Sentiment(
            review=review, model_version=version, label=answer.label, confidence=answer.confidence,
            probabilities={label: round(p, 6) for label, p in answer.probabilities.items()},
        )
        for review, answer in zip(reviews, answers, strict=True)
    ]  # fmt: skip
    with transaction.atomic():
        # A second scorer may have been faster; the first score of a version stands.
        Sentiment.objects.bulk_create(rows, ignore_conflicts=True)
        scored = Line("moderation.sentiment.scored", f"inference.modelversion:{version.pk}", {"n": len(rows)})
        ledger.append_many([scored], actor=SCORER)
        hint_on_commit("moderation.open_reviews")
    return len(rows)
