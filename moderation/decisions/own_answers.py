"""What a person answered lately, and what became of each: the words of the page they work on and of their own list."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Max, Q
from django.utils import timezone

from catalog.models import PublishedCopy
from core.refs import keys_of, ref
from labeling.models import Annotation, Vote
from moderation.decisions import corrections
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Outcome, Status = Decision.Outcome, ReviewItem.Status
OPEN_TO_THEM = (Vote.Purpose.LABEL, Vote.Purpose.ADJUDICATION)


class Fate(enum.StrEnum):
    """What became of an answer. `arriving` is the only one that changes by itself within seconds."""

    ARRIVING = "arriving"
    AGAIN = "again"
    WAITS = "waits"
    DONE = "done"
    ENDED = "ended"


@dataclass(frozen=True)
class OwnAnswer:
    """One answer: to what, when, what became of it in words, and until when the person may correct it (None: not)."""

    item: ReviewItem
    at: dt.datetime
    fate: Fate
    words: str
    correct_until: dt.datetime | None


def n_answered_today(user: User, *, question: str) -> int:
    """Return how many items of the queue `question` they answered since midnight, in the time zone of the settings."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    given = Annotation.objects.filter(annotator=user, was_cancelled=False, ls_updated_at__gte=midnight)
    return given.filter(task__project__question=question).values("task").distinct().count()


def answers_of(user: User, *, question: str | None = None, n: int = 10) -> list[OwnAnswer]:
    """Return the last `n` answers that `user` gave, the latest first; one for each item, as it is now."""
    given = Annotation.objects.filter(annotator=user, was_cancelled=False)
    if question:
        given = given.filter(task__project__question=question)
    latest = given.values("task__reference").annotate(at=Max("ls_updated_at")).order_by("-at")[: 2 * n]
    at: dict[uuid.UUID, dt.datetime] = {}
    for row in latest:
        # A task that was given anew is numbered: moderation.reviewitem:<uuid>#2.
        reference = str(row["task__reference"]).partition("#")[0]
        for pk in keys_of([reference], ReviewItem):
            at.setdefault(pk, row["at"])
    items = _items(list(at)[:n])
    return [_answer(items[pk], user, when) for pk, when in list(at.items())[:n] if pk in items]


def fates(user: User, keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, OwnAnswer]:
    """Return what became of the answers of `user` to these items; those they neither hold nor answered are left out."""
    theirs = Q(assignee=user) | Q(labeling_task__annotations__annotator=user)
    own = ReviewItem.objects.filter(theirs, pk__in=list(keys)).values_list("pk", flat=True)
    return {item.pk: _answer(item, user, None) for item in _items(own).values()}


def _items(keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, ReviewItem]:
    rows = ReviewItem.objects.filter(pk__in=list(keys)).select_related(
        "lead__candidate__product", "lead__customer_review", "candidate__product", "customer_review", "labeling_task"
    )
    return {row.pk: row for row in rows}


def _answer(item: ReviewItem, user: User, at: dt.datetime | None) -> OwnAnswer:
    fate, words = _fate_of(item, user)
    return OwnAnswer(item, at or timezone.now(), fate, words, corrections.correctable_until(item, user))


def _fate_of(item: ReviewItem, user: User) -> tuple[Fate, str]:
    """Return what became of the answer of `user`; whose `item` is no longer learns that and no more."""
    lead = item.leading
    is_returned = item.returned_at is not None and item.assignee_id == user.pk and item.status in handing_out.HELD
    if is_returned and not handing_out.has_answered(item, user):
        return Fate.AGAIN, f"Once more, please: {item.returned_reason}"
    if lead.status == Status.CONFIRMING:
        return Fate.WAITS, "Waits for a second person"
    if item.status == Status.ESCALATED:
        return Fate.WAITS, "A senior looks at it"
    if item.status == Status.ANSWERED:
        return Fate.WAITS, "Waits for the others who were asked"
    if Status.DECIDED in (item.status, lead.status):
        # What measures people or judges labels tells them nothing of what others said.
        return Fate.DONE, _outcome(lead) if item.purpose in OPEN_TO_THEM else "Answered"
    if item.status == Status.WITHDRAWN:
        return Fate.ENDED, "Not asked any more"
    return Fate.ARRIVING, "On its way"


def _outcome(lead: ReviewItem) -> str:
    decision = lead.decisions.select_related("result").order_by("-created_at").first()
    if decision is None:
        return "Decided"
    if decision.outcome == Outcome.LABEL:
        return f"Labelled {decision.label}"
    if decision.outcome == Outcome.REJECT:
        return "Rejected"
    if decision.outcome == Outcome.RETIRE:
        return "Taken down"
    is_live = bool(
        decision.result and PublishedCopy.objects.filter(candidate_ref=ref(decision.result), retired_at=None).exists()
    )
    title = lead.candidate.product.title if lead.candidate else ""
    return f"Published: {title}" if is_live else "Approved, and no longer live"
