"""Questions about labelling that others ask."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Min, Q, QuerySet

from labeling.consensus import INVALID
from labeling.models import Consensus, LabelingProject, LabelingTask, WebhookEvent


@dataclass(frozen=True)
class LabelingHealth:
    """How the traffic with Label Studio is doing."""

    n_open: int
    # Of the open ones: Label Studio or our own check refused them at least once.
    n_failing: int
    n_pushed: int
    n_invalid_answers: int
    n_events_waiting: int
    oldest_open_at: dt.datetime | None
    oldest_event_at: dt.datetime | None
    # Of the project that waited longest; None when there is no project yet or one was never reconciled.
    reconciled_at: dt.datetime | None


def health() -> LabelingHealth:
    """Return today's numbers, in four queries."""
    tasks = LabelingTask.objects.aggregate(
        n_open=Count("pk", filter=Q(status="open")),
        n_failing=Count("pk", filter=Q(status="open") & ~Q(last_error="")),
        n_pushed=Count("pk", filter=Q(status="pushed")),
        oldest_open_at=Min("created_at", filter=Q(status="open")),
    )
    events = WebhookEvent.objects.filter(status=WebhookEvent.Status.RECEIVED).aggregate(
        n_events_waiting=Count("pk"), oldest_event_at=Min("received_at")
    )
    return LabelingHealth(
        **tasks,
        **events,
        n_invalid_answers=Consensus.objects.filter(method=INVALID).count(),
        reconciled_at=LabelingProject.objects.exclude(ls_project_id=None).aggregate(at=Min("reconciled_at"))["at"],
    )


def consensuses_after(pk: int) -> QuerySet[Consensus]:
    """Return what was settled after the consensus with key `pk`, oldest first: for those who sweep."""
    return Consensus.objects.filter(pk__gt=pk).select_related("task").order_by("pk")
