"""The desk in numbers: what waits where, since when, and what was done today."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min, QuerySet
from django.db.models.functions import TruncHour
from django.utils import timezone

from catalog.models import CustomerReview, PublishedCopy
from labeling import question
from moderation.models.candidates import Candidate, GenerationRequest
from moderation.models.predictions import Prediction
from moderation.models.reviews import SENTIMENT, Decision, ReviewItem


@dataclass(frozen=True)
class Stage:
    """One stage of the line: how many wait there, and since when the oldest does (None where age says nothing)."""

    key: str
    title: str
    count: int
    oldest: dt.timedelta | None
    explains: str


@dataclass(frozen=True)
class Queue:
    """One queue of human work."""

    question: str
    title: str
    waiting: int
    on_the_way: int
    with_people: int
    escalated: int
    oldest: dt.timedelta | None


@dataclass(frozen=True)
class Desk:
    """Everything the dashboard shows about the work."""

    stages: tuple[Stage, ...]
    failed: int
    blocked: int
    escalated: int
    queues: tuple[Queue, ...]
    sentiment: tuple[tuple[str, int], ...]
    n_reviews_unscored: int
    hours: tuple[tuple[dt.datetime, int, int], ...]  # start of the hour, drafts written, decisions made
    today: tuple[tuple[str, int], ...]


def _count_and_oldest(rows: QuerySet[Any], field: str = "created_at") -> tuple[int, dt.timedelta | None]:
    found = rows.aggregate(n=Count("pk"), oldest=Min(field))
    return found["n"], timezone.now() - found["oldest"] if found["oldest"] else None


def stages() -> tuple[Stage, ...]:
    """Return the line from order to shelf."""
    requests = GenerationRequest.objects
    queued = _count_and_oldest(requests.filter(status=GenerationRequest.Status.QUEUED))
    generating = _count_and_oldest(requests.filter(status=GenerationRequest.Status.GENERATING))
    unchecked = Candidate.objects.filter(status=Candidate.Status.GENERATED, screened_at=None)
    drafts = _count_and_oldest(unchecked.exclude(request__finished_at=None))
    in_review = _count_and_oldest(Candidate.objects.filter(status=Candidate.Status.IN_REVIEW))
    live = PublishedCopy.objects.filter(retired_at=None).count()
    return (
        Stage("queued", "Requested", *queued, "orders that wait for the model"),
        Stage("generating", "Being written", *generating, "orders the model works on now"),
        Stage("drafts", "Drafts to check", *drafts, "drafts that wait for the policy checks"),
        Stage("in_review", "In review", *in_review, "drafts that wait for a person"),
        Stage("published", "Live", live, None, "texts that shoppers see"),
    )


def queues() -> tuple[Queue, ...]:
    """Return the queues of human work."""
    Status = ReviewItem.Status
    found = []
    for name, title in question.queues():
        items = ReviewItem.objects.work().filter(question=name)
        ready = items.filter(status=Status.WAITING, labeling_task__ls_task_id__isnull=False)
        waiting, oldest = _count_and_oldest(ready)
        found.append(
            Queue(
                question=name,
                title=title,
                waiting=waiting,
                on_the_way=items.filter(status=Status.WAITING, labeling_task__ls_task_id=None).count(),
                with_people=items.filter(status=Status.DISPATCHED).count(),
                escalated=items.filter(status=Status.ESCALATED).count(),
                oldest=oldest,
            )
        )
    return tuple(found)


def sentiment() -> tuple[tuple[str, int], ...]:
    """Return how many customer reviews each label has, by what the model said that answered last."""
    said = Prediction.objects.filter(question=SENTIMENT).about(CustomerReview).standing()
    counts = {row["label"]: row["n"] for row in said.values("label").annotate(n=Count("pk")).order_by()}
    return tuple((label, counts.get(label, 0)) for label in ("positive", "neutral", "negative"))


def hours(*, n: int = 24) -> tuple[tuple[dt.datetime, int, int], ...]:
    """Return drafts written and decisions made in each of the last `n` hours, oldest first."""
    this_hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    first = this_hour - dt.timedelta(hours=n - 1)
    drafts = _by_hour(Candidate.objects.filter(created_at__gte=first, origin=Candidate.Origin.MACHINE))
    decisions = _by_hour(Decision.objects.filter(created_at__gte=first))
    starts = [first + dt.timedelta(hours=i) for i in range(n)]
    return tuple((start, drafts.get(start, 0), decisions.get(start, 0)) for start in starts)


def _by_hour(rows: QuerySet[Any]) -> dict[dt.datetime, int]:
    counted = rows.annotate(hour=TruncHour("created_at", tzinfo=dt.UTC)).values("hour").annotate(n=Count("pk"))
    return {row["hour"]: row["n"] for row in counted.order_by()}


def today() -> tuple[tuple[str, int], ...]:
    """Return what was done since midnight (server time zone)."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    decided = dict(
        Decision.objects.filter(created_at__gte=midnight).values_list("outcome").annotate(n=Count("pk")).order_by()
    )
    written = Candidate.objects.filter(created_at__gte=midnight, origin=Candidate.Origin.MACHINE).count()
    published = PublishedCopy.objects.filter(published_at__gte=midnight).count()
    return (
        ("drafts written", written),
        ("accepted", decided.get(Decision.Outcome.APPROVE, 0)),
        ("fixed", decided.get(Decision.Outcome.EDIT, 0)),
        ("rejected", decided.get(Decision.Outcome.REJECT, 0)),
        ("sentiments labelled", decided.get(Decision.Outcome.LABEL, 0)),
        ("published", published),
    )


def desk() -> Desk:
    """Return everything the dashboard shows about the work, at this moment."""
    failed = GenerationRequest.objects.filter(status=GenerationRequest.Status.FAILED).count()
    blocked = Candidate.objects.filter(status=Candidate.Status.BLOCKED).count()
    escalated = ReviewItem.objects.filter(status=ReviewItem.Status.ESCALATED).count()
    scored = sentiment()
    return Desk(
        stages=stages(),
        failed=failed,
        blocked=blocked,
        escalated=escalated,
        queues=queues(),
        sentiment=scored,
        n_reviews_unscored=CustomerReview.objects.count() - sum(n for _, n in scored),
        hours=hours(),
        today=today(),
    )
