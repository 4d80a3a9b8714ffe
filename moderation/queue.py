"""Handing review items to people: one item, one person, for a limited time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from audit import ledger
from core import leases
from core.actors import SystemActor, actor_ref, require_permission
from core.exceptions import StaleState
from labeling.models import LabelingTask
from moderation.lifecycle import advance, line_for
from moderation.models.reviews import ReviewItem

if TYPE_CHECKING:
    from django.contrib.auth.models import User

REAPER = SystemActor("moderation.queue")
Status = ReviewItem.Status


def waiting_for(user: User, *, kind: str | None = None) -> QuerySet[ReviewItem]:
    """Return what `user` may take next, best first: escalated items for seniors, then by priority and age.

    Only items that stand in Label Studio already; an escalated item never goes back to who escalated it.
    """
    mine = Q(status=Status.WAITING)
    if user.has_perm("moderation.review_escalated_item"):
        free = Q(lease_expires_at=None) | Q(lease_expires_at__lt=timezone.now())
        mine |= Q(status=Status.ESCALATED) & free & ~Q(escalated_by=user)
    items = ReviewItem.objects.filter(mine, labeling_task__ls_task_id__isnull=False)
    if kind:
        items = items.filter(kind=kind)
    return items.order_by("-escalated_at", "-priority", "created_at", "pk")


def held_by(user: User, *, kind: str | None = None) -> ReviewItem | None:
    """Return the undecided item that `user` holds a running lease on, if any."""
    held = ReviewItem.objects.filter(
        assignee=user, status__in=(Status.DISPATCHED, Status.ESCALATED), lease_expires_at__gt=timezone.now()
    )
    return (held.filter(kind=kind) if kind else held).order_by("-claimed_at").first()


def next_item(user: User, *, kind: str | None = None) -> ReviewItem | None:
    """Lease the next item to `user` and return it; None when nothing waits. Needs moderation.review_item.

    Who still holds an unanswered item gets that one again; an item they have answered or skipped in Label Studio is
    let go of, whether or not the answer has been settled yet.
    """
    require_permission(user, "moderation.review_item")
    if (held := held_by(user, kind=kind)) and not _has_answered(held, user):
        return held
    lease = settings.MODERATION["REVIEW_LEASE"]
    with transaction.atomic():
        claimed = leases.claim(
            waiting_for(user, kind=kind), n=1, duration=lease, unlimited=True, assignee=user, claimed_at=timezone.now()
        )
        if not claimed:
            return None
        item = claimed[0]
        if item.status == Status.WAITING:
            line = advance(item, from_=Status.WAITING, to=Status.DISPATCHED, payload={"to": actor_ref(user)})
        else:
            line = line_for(item, "taken", to=actor_ref(user))
        ledger.append_many([line], actor=user)
    return item


def _has_answered(item: ReviewItem, user: User) -> bool:
    task: LabelingTask | None = item.labeling_task
    since = item.claimed_at or item.created_at
    return task is not None and task.annotations.filter(annotator=user, ls_updated_at__gte=since).exists()


def release_item(item: ReviewItem, *, actor: User | SystemActor) -> None:
    """Put an item that `actor` holds back into the queue. Raises `StaleState` when somebody else holds it."""
    require_permission(actor, "moderation.review_item")
    if not isinstance(actor, SystemActor) and item.assignee_id != actor.pk:
        raise StaleState("Somebody else holds this item now.")
    with transaction.atomic():
        ledger.append_many([_let_go(item, event="released")], actor=actor)


def _let_go(item: ReviewItem, *, event: str) -> ledger.Line:
    freed = {"assignee": None, **leases.NO_LEASE}
    if item.status == Status.ESCALATED:
        ReviewItem.objects.filter(pk=item.pk, status=Status.ESCALATED).update(**freed)
        return line_for(item, event)
    return advance(item, from_=Status.DISPATCHED, to=Status.WAITING, event=event, **freed)


def reap_items() -> int:
    """Return items whose reviewer went away (lease expired) to the queue. Returns how many."""
    reaped = 0
    for item in leases.expired(ReviewItem.objects.filter(status=Status.DISPATCHED)):
        try:
            with transaction.atomic():
                ledger.append_many([_let_go(item, event="lease_expired")], actor=REAPER)
            reaped += 1
        except StaleState:
            continue  # decided this very moment
    return reaped
