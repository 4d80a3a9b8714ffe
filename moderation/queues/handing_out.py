"""Handing review items to people: one item, one person, for a limited time, by the rules of its queue."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from accounts import hands
from audit import ledger
from core import leases
from core.actors import SystemActor, actor_ref, require_permission
from core.exceptions import StaleState
from labeling.models import Annotation, LabelingTask, Vote
from labeling.provenance import note_shown
from labeling.selectors import is_answer_on_its_way
from moderation.lifecycle import advance, line_for
from moderation.models.queues import QueuePolicy
from moderation.models.reviewers import Skip
from moderation.models.reviews import ReviewItem
from moderation.queues.languages import languages_of
from moderation.queues.rules import may_take, policies, policy_for
from moderation.queues.separation_of_duties import texts_back_by_appeal_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User

REAPER = SystemActor("moderation.queue")
Status = ReviewItem.Status
HELD = (Status.DISPATCHED, Status.ESCALATED)
# What is leased ahead goes back this soon after its page stopped asking for it (moderation/queues/turns.py).
AHEAD = dt.timedelta(minutes=2)
# What somebody passed on is not offered to them again for so long.
PASSED_ON_FOR = dt.timedelta(hours=12)


def waiting_for(user: User, *, question: str | None = None) -> QuerySet[ReviewItem]:
    """Return what `user` may take now, the most urgent first; of what is escalated only what they may decide.

    Only items that stand in Label Studio already; an escalated item never goes back to who escalated it.
    """
    offers = _escalated(user)
    if open_to_them := [policy.question for policy in policies().values() if may_take(user, policy)]:
        offers |= Q(status=Status.WAITING, question__in=open_to_them) & ~Q(purpose=Vote.Purpose.GOLD)
    return _offered(user, offers, question)


def _escalated(user: User) -> Q:
    if not user.has_perm("moderation.review_escalated_item"):
        return Q(pk__in=())
    free = Q(lease_expires_at=None) | Q(lease_expires_at__lt=Now())
    return Q(status=Status.ESCALATED) & free & ~Q(escalated_by__in=[user.pk, *hands.held_with(user)])


def _seats_of(user: User) -> QuerySet[ReviewItem]:
    """What `user` has, had or answered of the same panel: nobody is asked the same twice,
    nor who is in the same hands.
    """
    panel, outer = Coalesce("lead", "id"), Coalesce(OuterRef("lead"), OuterRef("id"))
    same = [user.pk, *hands.held_with(user)]
    return ReviewItem.objects.alias(panel=panel).filter(assignee__in=same, panel=outer)


def _offered(user: User, offers: Q, question: str | None) -> QuerySet[ReviewItem]:
    items = ReviewItem.objects.filter(offers, ~Exists(_seats_of(user)), labeling_task__ls_task_id__isnull=False)
    if own := texts_back_by_appeal_of(user):
        items = items.exclude(candidate__in=own).exclude(lead__candidate__in=own)
    if passed_on := list(Skip.objects.filter(user=user, at__gt=timezone.now() - PASSED_ON_FOR).values_list("item")):
        leads = [pk for (pk,) in passed_on]
        items = items.exclude(pk__in=leads).exclude(lead__in=leads)
    if locales := languages_of(user):
        items = items.filter(locale__in=["", *locales])
    return (items.filter(question=question) if question else items).order_by("urgent_from", "pk")


def held(user: User, *, question: str | None = None) -> QuerySet[ReviewItem]:
    """Return the undecided items that `user` holds a running lease on: what they began last first,
    what is leased ahead last.
    """
    items = ReviewItem.objects.filter(assignee=user, status__in=HELD, lease_expires_at__gt=timezone.now())
    return (items.filter(question=question) if question else items).order_by(
        F("claimed_at").desc(nulls_last=True), "pk"
    )


def held_by(user: User, *, question: str | None = None) -> ReviewItem | None:
    """Return the undecided item that `user` holds a running lease on and began last, if any."""
    return held(user, question=question).first()


def next_item(user: User, *, question: str | None = None) -> ReviewItem | None:
    """Lease the next item to `user` and return it; None when nothing waits. Needs moderation.review_item.

    Who still holds an unanswered item gets that one again; an item they have answered or skipped in Label Studio is let
    go of, whether or not the answer has been settled yet. Otherwise as `take`.
    """
    require_permission(user, "moderation.review_item")
    for item in held(user, question=question):
        if not has_answered(item, user):
            return begin(item)
    return take(user, question=question)


def take(user: User, *, question: str | None = None, ahead: bool = False) -> ReviewItem | None:
    """Lease to `user` an item that they do not hold yet; None when nothing waits. Needs moderation.review_item.

    What is escalated goes first, to seniors; without `question`, one queue after the other. With `ahead` it is theirs
    as long as their page asks for it, and the clock starts when it is put before them (`begin`). A queue without
    reservations shows everybody the most urgent item they have not answered, the first answer decides, and nothing is
    leased ahead.
    """
    require_permission(user, "moderation.review_item")
    rules = [policy_for(question)] if question else list(policies().values())
    if ahead:
        rules = [policy for policy in rules if policy.enable_reservations]
    offers = [(_escalated(user), policy) for policy in rules]
    for policy in (policy for policy in rules if may_take(user, policy)):
        gold, ordinary = Q(purpose=Vote.Purpose.GOLD, status=Status.WAITING), Q(status=Status.WAITING)
        # Now and then one whose answer is known; a person cannot tell which.
        is_test = policy.gold_percent and secrets.randbelow(100) < policy.gold_percent
        offers += [(gold, policy)] if is_test else []
        offers += [(ordinary & ~Q(purpose=Vote.Purpose.GOLD), policy)]
    for offer, policy in offers:
        if item := _hand_out(_offered(user, offer, policy.question), user, policy, ahead=ahead):
            return item
    return None


def begin(item: ReviewItem) -> ReviewItem:
    """Start the clock of an item that was leased ahead and is put before its reviewer now; one that runs, runs on."""
    if item.claimed_at is None and item.lease_token is not None:
        now, reservation = timezone.now(), policy_for(item.question).reservation
        held = ReviewItem.objects.filter(pk=item.pk, lease_token=item.lease_token, claimed_at=None)
        if held.update(claimed_at=now, lease_expires_at=now + reservation):
            item.claimed_at, item.lease_expires_at = now, now + reservation
    return item


def take_escalated(item: ReviewItem, *, user: User) -> ReviewItem:
    """Lease this escalated item to `user`, a senior who is looking at it; who holds it already gets it again.

    Needs moderation.review_escalated_item. Raises `StaleState` when it is not theirs to take: another senior has it, it
    is not in Label Studio yet, or they had a part in it.
    """
    require_permission(user, "moderation.review_escalated_item")
    held = ReviewItem.objects.filter(
        pk=item.pk, assignee=user, status=Status.ESCALATED, lease_expires_at__gt=timezone.now()
    )
    if mine := held.first():
        return mine
    offered = _offered(user, _escalated(user), item.question).filter(pk=item.pk)
    if taken := _hand_out(offered, user, policy_for(item.question)):
        return taken
    raise StaleState(
        "This one is not yours to take.",
        hint="Another senior has it, it is not in Label Studio yet, or you had a part in it.",
    )


def _hand_out(
    items: QuerySet[ReviewItem], user: User, policy: QueuePolicy, *, ahead: bool = False
) -> ReviewItem | None:
    if not policy.enable_reservations:
        return _show(items, user)
    with transaction.atomic():
        claimed = _claim(items, duration=AHEAD if ahead else policy.reservation, user=user, ahead=ahead)
        if not claimed:
            return None
        item = claimed[0]
        if item.status == Status.WAITING:
            line = advance(item, from_=Status.WAITING, to=Status.DISPATCHED, payload={"to": actor_ref(user)})
        else:
            line = line_for(item, "taken", to=actor_ref(user))
        ledger.append_many([line], actor=user)
    return item


def _claim(items: QuerySet[ReviewItem], *, duration: dt.timedelta, user: User, ahead: bool) -> list[ReviewItem]:
    begun = None if ahead else timezone.now()
    try:
        with transaction.atomic():
            return leases.claim(items, n=1, duration=duration, unlimited=True, assignee=user, claimed_at=begun)
    except IntegrityError:
        return []  # in another tab they were given another seat of the same panel, this very moment


def _show(items: QuerySet[ReviewItem], user: User) -> ReviewItem | None:
    """The most urgent item that `user` has not answered; it stays in the queue, and the clock of handling starts."""
    counting = Annotation.objects.filter(standing=Annotation.Standing.COUNTS, annotator=user)
    answered = counting.filter(task=OuterRef("labeling_task"))
    item = items.exclude(Exists(answered)).first()
    if item and item.labeling_task:
        note_shown(item.labeling_task, to=user)
        ReviewItem.objects.filter(pk=item.pk, claimed_at=None).update(claimed_at=timezone.now())
    return item


def has_answered(item: ReviewItem, user: User) -> bool:
    """Whether `user` has answered or skipped `item` in Label Studio since they got it, as far as we have heard.

    Also while only its webhook has come: that is a hint, which shows them the next one at once and decides nothing. If
    the pull then finds no answer, the item is before them again.
    """
    task: LabelingTask | None = item.labeling_task
    since = item.returned_at or item.claimed_at
    if task is None or since is None:
        return False
    given = task.annotations.filter(annotator=user, standing=Annotation.Standing.COUNTS)
    if given.filter(ls_updated_at__gte=since).exists():
        return True
    return is_answer_on_its_way(task, since=since)


def release_item(item: ReviewItem, *, actor: User | SystemActor) -> None:
    """Put an item that `actor` holds back into the queue. Raises `StaleState` when somebody else holds it."""
    require_permission(actor, "moderation.review_item")
    with transaction.atomic():
        # Read again under a lock: since the caller looked, the lease may have run out and another person have the item.
        now = ReviewItem.objects.select_for_update(no_key=True).get(pk=item.pk)
        theirs = isinstance(actor, SystemActor) or now.assignee_id == actor.pk
        if now.status not in HELD or not theirs:
            raise StaleState("You do not hold this item any more.")
        ledger.append_many([let_go(now, event="released")], actor=actor)


def let_go(item: ReviewItem, *, event: str) -> ledger.Line:
    """Free an item that the caller has locked. Whoever takes it next starts the clock of handling anew."""
    freed = {
        "assignee": None,
        "claimed_at": None,
        "returned_at": None,
        "released_at": timezone.now(),
        **leases.NO_LEASE,
    }
    if item.status == Status.ESCALATED:
        ReviewItem.objects.filter(pk=item.pk).update(**freed)
        return line_for(item, event)
    return advance(item, from_=Status.DISPATCHED, to=Status.WAITING, event=event, **freed)


def reap_items() -> int:
    """Return items whose reviewer went away (lease expired) to the queue. Returns how many."""
    reaped = 0
    for item in leases.expired(ReviewItem.objects.filter(status__in=HELD)):
        with transaction.atomic():
            # Still expired, still that lease: an item that was decided or taken anew meanwhile is left alone.
            held = ReviewItem.objects.select_for_update(no_key=True).filter(
                status__in=HELD, lease_token=item.lease_token
            )
            if now := leases.expired(held).filter(pk=item.pk).first():
                ledger.append_many([let_go(now, event="lease_expired")], actor=REAPER)
                reaped += 1
    return reaped
