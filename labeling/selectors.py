"""Questions about labelling that others ask."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils import timezone

from labeling.consensus import INVALID
from labeling.models import Annotation, CompletenessProof, Consensus, Drift, LabelingProject, LabelingTask, WebhookEvent
from labeling.provenance import CLOCKS_DIFFER

# A proof is made each day, and tried each hour: after this long without one something is wrong.
PROOF_OVERDUE = dt.timedelta(hours=26)
# What a webhook calls the coming of an answer.
ANSWERS = ("ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED", "ANNOTATION_SAID")


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


@dataclass(frozen=True)
class Completeness:
    """What the last finished proof of each project came to, together."""

    n_tasks: int
    n_accounted: int
    # Of the project whose proof is the oldest; None when no project has one.
    proved_at: dt.datetime | None
    # Kinds of work whose proof should have been made by now.
    overdue: tuple[str, ...]
    # What the proofs that left something unaccounted for say.
    open_questions: tuple[str, ...]


def completeness() -> Completeness:
    """Return how far the work in Label Studio is accounted for."""
    limit, last, overdue = timezone.now() - PROOF_OVERDUE, list[CompletenessProof](), []
    for row in LabelingProject.objects.exclude(ls_project_id=None):
        proof = row.proofs.exclude(finished_at=None).order_by("-finished_at").first()
        if proof is not None:
            last.append(proof)
        since = proof.finished_at if proof else row.tasks.aggregate(at=Min("pushed_at"))["at"]
        if since is not None and since < limit:
            overdue.append(row.title)
    return Completeness(
        n_tasks=sum(proof.n_tasks for proof in last),
        n_accounted=sum(proof.n_accounted for proof in last),
        proved_at=min((proof.finished_at for proof in last if proof.finished_at), default=None),
        overdue=tuple(overdue),
        open_questions=tuple(f"{proof.project.title}: {proof.words}" for proof in last if not proof.holds),
    )


def is_answer_on_its_way(task: LabelingTask, *, since: dt.datetime) -> bool:
    """Whether Label Studio has told of an answer to `task` since then that is still to be asked for.

    A hint, and as good as the secret of the webhook: to be shown by, never to decide by.
    """
    if task.ls_task_id is None:
        return False
    told = WebhookEvent.objects.filter(status=WebhookEvent.Status.RECEIVED, quarantined_at=None, received_at__gte=since)
    return told.filter(action__in=ANSWERS, ls_task_ids__contains=[task.ls_task_id]).exists()


# What differs on what people see, for as long as it does: their answers may mean something else than they say.
MISLEADING = (Drift.What.INTERFACE,)


def doubts(consensus: Consensus) -> list[str]:
    """Return why the answers of `consensus` are in doubt, as codes (`drift:interface`):
    what people saw was not what we set.
    """
    given = consensus.annotations.exclude(stamped_at=None).aggregate(first=Min("stamped_at"), last=Max("stamped_at"))
    if given["first"] is None:
        return []
    during = Drift.objects.filter(_lasted_into(given["first"], given["last"]), what__in=MISLEADING)
    return sorted(
        {f"drift:{what}" for what in during.filter(project=consensus.task.project_id).values_list("what", flat=True)}
    )


def _lasted_into(first: dt.datetime, last: dt.datetime) -> Q:
    return (Q(since=None) | Q(since__lte=last + CLOCKS_DIFFER)) & (
        Q(mended_at=None) | Q(mended_at__gte=first - CLOCKS_DIFFER)
    )


def consensuses_in_doubt(*, since: dt.datetime) -> QuerySet[Consensus]:
    """Return what was answered while something misled people, of what was found from `since` on."""
    found = Drift.objects.filter(what__in=MISLEADING, found_at__gte=since)
    within = Q(pk__in=())
    for drift in found:
        during = Q(task__project=drift.project_id)
        if drift.since:
            during &= Q(annotations__stamped_at__gte=drift.since - CLOCKS_DIFFER)
        if drift.mended_at:
            during &= Q(annotations__stamped_at__lte=drift.mended_at + CLOCKS_DIFFER)
        within |= during & Q(annotations__stamped_at__isnull=False)
    return Consensus.objects.filter(within).exclude(method=INVALID).select_related("task__project").distinct()


@dataclass(frozen=True)
class Trust:
    """What of late was not as it should be in Label Studio."""

    # Why answers do not count → how many of them were pulled.
    refused: Mapping[str, int]
    drifts: tuple[str, ...]


def trust(*, since: dt.datetime) -> Trust:
    """Return the answers that do not count and what differed from what we set, from `since` on or still."""
    refused = Annotation.objects.filter(pulled_at__gte=since).exclude(standing=Annotation.Standing.COUNTS)
    counts = refused.order_by().values_list("standing").annotate(n=Count("pk"))
    words = {str(standing): str(Annotation.Standing(standing).label) for standing, _ in counts}
    lasting = Q(mended_at=None, what__in=(Drift.What.INTERFACE, Drift.What.WEBHOOK, Drift.What.TASK))
    drifts = Drift.objects.filter(Q(found_at__gte=since, is_known=False) | lasting)
    return Trust({words[standing]: n for standing, n in counts}, tuple(drift.words for drift in drifts))


def consensuses_after(pk: int) -> QuerySet[Consensus]:
    """Return what was settled after the consensus with key `pk`, oldest first: for those who sweep."""
    return Consensus.objects.filter(pk__gt=pk).select_related("task").order_by("pk")
