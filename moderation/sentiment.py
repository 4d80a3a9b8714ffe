"""Sentiment of customer reviews: scored by the champion, looked at by a person where it is unsure."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from audit import ledger
from audit.ledger import Line
from catalog.models import CustomerReview
from core import leases
from core.actors import SystemActor
from core.exceptions import TransientError
from core.hints import hint_on_commit
from inference import loader, resolver
from inference.models import ModelVersion
from moderation.models.reviews import SENTIMENT, Sentiment

log = logging.getLogger(__name__)
SCORER = SystemActor("moderation.sentiment")
BATCH = 256


def score_reviews() -> int:
    """Score one batch of reviews that the sentiment champion has not scored yet. Returns how many; 0 without a champion.

    A review that the model chokes on is tried again, and goes into quarantine in the end; the others go on.
    """
    version = resolver.find(SENTIMENT)
    if version is None:
        return 0
    lease = settings.LEASES["WORK"]
    for scored_with in (None, *_other_versions(version)):
        if reviews := leases.claim(to_score(scored_with), n=BATCH, duration=lease):
            with leases.heartbeat(reviews, duration=lease):
                return _score_together(reviews, version)
    return 0


def to_score(scored_with: uuid.UUID | None) -> QuerySet[CustomerReview]:
    """Reviews that nobody has scored yet, or that another version than the champion scored last; oldest first.

    One version at a time: so the index finds them. "Not scored by the champion" would read every review there ever was.
    """
    reviews = CustomerReview.objects.filter(scored_with=scored_with).order_by("created_at", "pk")
    return leases.claimable(reviews)


def _other_versions(champion: ModelVersion) -> QuerySet[ModelVersion, uuid.UUID]:
    versions = ModelVersion.objects.filter(role=SENTIMENT).exclude(pk=champion.pk)
    return versions.order_by("-number").values_list("pk", flat=True)


def _score_together(reviews: Sequence[CustomerReview], version: ModelVersion) -> int:
    """Score `reviews` in one call; where that fails, halve, until what the model chokes on stands alone."""
    if not reviews:
        return 0
    try:
        return _score(reviews, version)
    except TransientError as exc:
        log.warning("reviews cannot be scored now: %s", exc)
        leases.release(reviews, error=str(exc), counts=False, pause=leases.backoff(1))
    except leases.DATABASE_AWAY:
        raise
    except Exception as exc:
        if len(reviews) > 1:
            middle = len(reviews) // 2
            return _score_together(reviews[:middle], version) + _score_together(reviews[middle:], version)
        log.exception("review %s cannot be scored", reviews[0].pk)
        leases.fail(reviews[0], error=f"{type(exc).__name__}: {exc}")
    return 0


def _score(reviews: Sequence[CustomerReview], version: ModelVersion) -> int:
    # A version that was champion before has scored some already; that stands.
    before = set(Sentiment.objects.filter(model_version=version, review__in=reviews).values_list("review", flat=True))
    fresh = [review for review in reviews if review.pk not in before]
    texts = [review.full_text for review in fresh]
    answers = loader.load_classifier(version).classify(texts) if texts else []
    given = dict(zip((review.pk for review in fresh), answers, strict=True))
    with transaction.atomic():
        ours = leases.hold_all(reviews)
        if not ours:
            return 0
        Sentiment.objects.bulk_create(
            Sentiment(
                review=review, model_version=version, label=given[review.pk].label,
                confidence=given[review.pk].confidence,
                probabilities={label: round(p, 6) for label, p in given[review.pk].probabilities.items()},
            )
            for review in ours
            if review.pk in given
        )  # fmt: skip
        leases.release(ours, n_attempts=0, scored_with=version.pk)
        scored = Line("moderation.sentiment.scored", f"inference.modelversion:{version.pk}", {"n": len(ours)})
        ledger.append_many([scored], actor=SCORER)
        hint_on_commit("moderation.open_reviews")
    return len(ours)
