"""Sentiment of customer reviews: scored by the champion, looked at by a person where it is unsure."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction

from audit import ledger
from audit.ledger import Line
from catalog.models import CustomerReview
from core import leases
from core.actors import SystemActor
from core.exceptions import TransientError
from core.hints import hint_on_commit
from inference import loader, resolver
from inference.models import ModelVersion, Role
from moderation.models.reviews import Sentiment

log = logging.getLogger(__name__)
SCORER = SystemActor("moderation.sentiment")
BATCH = 256


def score_reviews() -> int:
    """Score one batch of reviews that the sentiment champion has not scored yet. Returns how many; 0 without a champion.

    A review that the model chokes on is tried again, and goes into quarantine in the end; the others go on.
    """
    version = resolver.find(Role.SENTIMENT)
    if version is None:
        return 0
    unscored = CustomerReview.objects.exclude(sentiments__model_version=version).order_by("created_at", "pk")
    lease = settings.LEASES["WORK"]
    reviews = leases.claim(leases.claimable(unscored), n=BATCH, duration=lease)
    with leases.heartbeat(reviews, duration=lease):
        return _score_together(reviews, version)


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
    answers = loader.load_classifier(version).classify([f"{review.title}\n{review.text}".strip() for review in reviews])
    given = dict(zip((review.pk for review in reviews), answers, strict=True))
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
        )  # fmt: skip
        leases.release(ours, n_attempts=0)
        scored = Line("moderation.sentiment.scored", f"inference.modelversion:{version.pk}", {"n": len(ours)})
        ledger.append_many([scored], actor=SCORER)
        hint_on_commit("moderation.open_reviews")
    return len(ours)
