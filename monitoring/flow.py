"""Does the work move? Each stage with its depth, its oldest, what left it lately, and when it will be through."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, F, IntegerField, Max, Min, Q, QuerySet, Value
from django.db.models.functions import Cast, Extract, Floor
from django.utils import timezone

from labeling.models import LabelingTask, WebhookEvent
from labeling.question import queues
from moderation.models.candidates import Candidate, GenerationRequest
from moderation.models.predictions import Scoring
from moderation.models.reviews import ReviewItem
from monitoring.parts import in_words

SLOT = dt.timedelta(minutes=5)
N_SLOTS = 12  # an hour
SHORT = 3  # slots of the short window


@dataclass(frozen=True)
class Stage:
    """One stage: how many wait there, since when, and how many left it in each slot of the last hour, latest last."""

    key: str
    title: str
    depth: int
    oldest: dt.timedelta | None
    left: tuple[int, ...]
    still_for: dt.timedelta | None = None  # since anything left it; None if nothing ever did

    @property
    def left_15_min(self) -> int:
        return sum(self.left[-SHORT:])

    @property
    def left_hour(self) -> int:
        return sum(self.left)

    @property
    def eta(self) -> dt.timedelta | None:
        """When all of it will be through at the pace of the last 15 minutes, else of the last hour (Little's law)."""
        for n, slots in ((self.left_15_min, SHORT), (self.left_hour, N_SLOTS)):
            if n:
                return self.depth * slots * SLOT / n
        return None

    @property
    def is_still(self) -> bool:
        """Whether something waits for longer than a slot and nothing moves."""
        return bool(self.depth and not self.left_15_min and self.oldest and self.oldest > SLOT)

    def in_words(self) -> str:
        """Return when it will be through, or how long nothing has moved."""
        if not self.depth:
            return "nothing waits"
        if self.eta is not None and self.left_15_min:
            return f"about {in_words(max(self.eta, dt.timedelta(minutes=1)))} at the pace of the last 15 minutes"
        # What came a moment ago has not been kept waiting, however long nothing has moved.
        still = min((age for age in (self.still_for, self.oldest) if age is not None), default=dt.timedelta(0))
        return f"nothing moved for {in_words(still)}" if self.is_still else "came just now"


def stages() -> tuple[Stage, ...]:
    """Return every stage of both lines, in the order work goes through them; two queries for each."""
    Request, Draft, Task = GenerationRequest.Status, Candidate.Status, LabelingTask.Status
    requests, drafts = GenerationRequest.objects, Candidate.objects
    # What is in quarantine is not in the flow: the page of the quarantine has it.
    flowing = Q(quarantined_at=None)
    found = [
        _stage(
            "requested",
            "Orders that wait for the model",
            requests.filter(flowing, status=Request.QUEUED),
            requests.filter(status=Request.COMPLETED),
            left_at="finished_at",
        ),
        _stage(
            "drafts",
            "Drafts to check",
            drafts.filter(status=Draft.GENERATED, screened_at=None).exclude(request__finished_at=None),
            drafts.filter(origin=Candidate.Origin.MACHINE),
            left_at="screened_at",
        ),
        _stage(
            "unscored",
            "For models to answer",
            Scoring.objects.filter(flowing, scored_with=None),
            Scoring.objects.exclude(scored_with=None),
            left_at="scored_at",
        ),
        _stage(
            "sending",
            "On the way to Label Studio",
            LabelingTask.objects.filter(flowing, status=Task.OPEN),
            LabelingTask.objects.exclude(status=Task.OPEN),
            left_at="pushed_at",
        ),
    ]
    for question, title in queues():
        items = ReviewItem.objects.work().filter(question=question)
        waiting = items.filter(status__in=(ReviewItem.Status.WAITING, ReviewItem.Status.ESCALATED))
        decided = items.filter(status=ReviewItem.Status.DECIDED)
        found.append(_stage(question, f"{title}: for people", waiting, decided, left_at="decided_at"))
    events = WebhookEvent.objects
    found.append(
        _stage(
            "webhooks",
            "Webhooks to follow",
            events.filter(flowing, status=WebhookEvent.Status.RECEIVED),
            events.exclude(status=WebhookEvent.Status.RECEIVED),
            left_at="processed_at",
            entered_at="received_at",
        )
    )
    return tuple(found)


def _stage(
    key: str,
    title: str,
    waiting: QuerySet[Any],
    through: QuerySet[Any],
    *,
    left_at: str,
    entered_at: str = "created_at",
) -> Stage:
    now = timezone.now()
    depth = waiting.order_by().aggregate(n=Count("pk"), since=Min(entered_at))
    recent = through.filter(**{f"{left_at}__gt": now - N_SLOTS * SLOT})
    age = ExpressionWrapper(Value(now) - F(left_at), output_field=DurationField())
    slot = Cast(Floor(Extract(age, "epoch") / SLOT.total_seconds()), IntegerField())
    rows = recent.order_by().annotate(slot=slot).values("slot").annotate(n=Count("pk"), last=Max(left_at))
    left, last = [0] * N_SLOTS, None
    for row in rows:
        left[N_SLOTS - 1 - min(max(row["slot"], 0), N_SLOTS - 1)] += row["n"]
        last = max(last or row["last"], row["last"])
    return Stage(
        key,
        title,
        depth["n"],
        now - depth["since"] if depth["since"] else None,
        tuple(left),
        now - last if last else None,
    )
