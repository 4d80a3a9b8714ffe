"""A few customer reviews of each day, by lot from all that came: people judge them, whatever a model is sure of.

What a model is unsure of says nothing about the rest, and a model that is sure of everything asks about nothing. Of
what the lot draws nobody sees a suggestion, so that what people say is not what the model said.
"""

from __future__ import annotations

import datetime as dt
import heapq

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef

from audit import ledger
from catalog.models import CustomerReview
from core.actors import SystemActor
from core.hashing import hash_json
from core.hints import hint_on_commit
from core.locks import try_advisory_lock
from core.refs import keys_of, ref_in_sql, ref_to
from inference import resolver
from labeling.approvals import FROM_FILES
from labeling.models import Label
from moderation.models.predictions import Prediction
from moderation.models.reviews import SENTIMENT
from moderation.models.traffic import TrafficSample
from moderation.queues import seats

LOT = SystemActor("moderation.daily_lot")
KIND = SENTIMENT
# Days without a worker are made up for, but not for ever.
LOOKS_BACK = 7
DAY = dt.timedelta(days=1)


def draw(*, today: dt.date | None = None) -> int:
    """Draw `settings.MODERATION.daily_lot` reviews of each whole day, in UTC, that has none yet. Returns how
    many were drawn.

    The lot is a hash of day and review, which anybody can draw again. Reviews that came with a label from a file are no
    traffic. Nothing is drawn while no model serves, and 0 at once while another process draws.
    """
    n, today = settings.MODERATION.daily_lot, today or dt.datetime.now(dt.UTC).date()
    if not n or resolver.find(SENTIMENT) is None:
        return 0
    with try_advisory_lock("moderation.daily_lot") as is_alone:
        if not is_alone:
            return 0
        # Days that have not come yet were drawn by a clock that was wrong: nothing waits for them.
        drawn = TrafficSample.objects.filter(day__lt=today)
        last = drawn.aggregate(at=Max("day"))["at"]
        first = max(last + DAY, today - LOOKS_BACK * DAY) if last else today - DAY
        return sum(_draw(first + i * DAY, n) for i in range((today - first).days))


def _draw(day: dt.date, n: int) -> int:
    began = dt.datetime.combine(day, dt.time(), dt.UTC)
    came = CustomerReview.objects.filter(created_at__gte=began, created_at__lt=began + DAY)
    subject = ref_in_sql(CustomerReview, OuterRef("pk"))
    came = came.filter(~Exists(Label.objects.filter(kind=KIND, subject=subject, source__startswith=FROM_FILES)))
    keys = list(came.order_by().values_list("pk", flat=True))
    drawn = heapq.nsmallest(n, keys, key=lambda key: (seats.draw("daily lot", day, key), key))
    if not drawn:
        return 0
    with transaction.atomic():
        samples = [TrafficSample(day=day, review_id=key, n_of=len(keys)) for key in drawn]
        TrafficSample.objects.bulk_create(samples)
        payload = {"day": str(day), "n": len(drawn), "of": len(keys), "drawn": hash_json([str(key) for key in drawn])}
        ledger.append("moderation.traffic.drawn", subject=f"queue:{KIND}", actor=LOT, payload=payload)
        hint_on_commit("moderation.open_reviews")
    return len(drawn)


def to_open(*, n: int) -> list[Prediction]:
    """Return what the champion says of up to `n` reviews that the lot drew and nobody was asked about yet; oldest
    first.

    What could not be put before people for a week after it could be drawn is not traffic of now any more.
    """
    since = dt.datetime.now(dt.UTC).date() - 2 * LOOKS_BACK * DAY
    drawn = TrafficSample.objects.filter(day__gte=since).exclude(review__review_items__kind=KIND).order_by("pk")
    subjects = [ref_to(CustomerReview, key) for key in drawn.values_list("review", flat=True)]
    said = (
        Prediction.objects.of(KIND, subjects).filter(model_version=resolver.find(KIND)).select_related("model_version")
    )
    place = {subject: i for i, subject in enumerate(subjects)}
    return sorted(said, key=lambda one: place[one.subject])[:n]


def drawn_among(subjects: list[str]) -> set[str]:
    """Return those of `subjects` that the lot drew."""
    found = TrafficSample.objects.filter(review__in=keys_of(subjects, CustomerReview))
    return {ref_to(CustomerReview, key) for key in found.values_list("review", flat=True)}
