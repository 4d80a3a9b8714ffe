"""One person at work in one queue: the item before them, the one leased ahead, and passing on, pausing, leaving.

The page asks for its turn again and again (`take_turn`): that is how the next item stands there by itself, and what
keeps the one ahead leased. Whoever leaves stops asking, and what they have not begun goes back.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from audit import ledger
from core import leases
from core.actors import actor_ref, require_permission
from core.exceptions import PermanentError, StaleState
from labeling import ingest
from moderation.lifecycle import line_for
from moderation.models.reviewers import Skip
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out
from moderation.queues.rules import policy_for
from moderation.queues.seats import pass_to_senior

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Status = ReviewItem.Status
# What so many people passed on is a senior's.
SKIPS_TO_SENIOR = 3
# With the time that an item is reserved for at first, nobody holds one for longer than so many times that.
MOST_TIME = 3


@dataclass(frozen=True)
class Turn:
    """What a person has before them in one queue, and what comes after it."""

    current: ReviewItem | None
    following: ReviewItem | None


def take_turn(user: User, *, question: str, showing: uuid.UUID | None = None) -> Turn:
    """Return what `user` works on in the queue `question` now, and the item after it, both leased to them.

    `showing` is what their page shows: it stays before them until they answered it or lost it. Then comes what was
    given back to them, what they began elsewhere, the one leased ahead, the next of the queue. The clock of what
    becomes current starts now. Needs moderation.review_item. Only items that stand in Label Studio.
    """
    require_permission(user, "moderation.review_item")
    open_ = _unanswered(user, question)
    current = next((item for item in open_ if item.pk == showing), None) or _shown_without_lease(
        user, question, showing
    )
    current = current or next(iter(open_), None) or handing_out.take(user, question=question)
    if current is None:
        return Turn(None, None)
    current = handing_out.begin(current)
    following = next((item for item in open_ if item.pk != current.pk), None) or handing_out.take(
        user, question=question, ahead=True
    )
    if following is not None and _is_half_gone(following):
        leases.renew([following], duration=handing_out.AHEAD)
    return Turn(current, following)


def _is_half_gone(ahead: ReviewItem) -> bool:
    """Whether what is leased ahead should be renewed: the page asks far more often than that is needed."""
    until = ahead.lease_expires_at
    return ahead.claimed_at is None and until is not None and until - timezone.now() < handing_out.AHEAD / 2


def say_answered(user: User, *, item: uuid.UUID) -> None:
    """Have the answer to `item` asked for now: the page of `user`, who holds it, says that they sent one.

    In place of a webhook that is late or lost, and as much worth: it decides nothing.
    """
    require_permission(user, "moderation.review_item")
    held = handing_out.held(user).filter(pk=item).select_related("labeling_task__project").first()
    if held is not None and held.labeling_task is not None and not handing_out.has_answered(held, user):
        ingest.note_answer(held.labeling_task)


def _unanswered(user: User, question: str) -> list[ReviewItem]:
    """What they hold and have not answered: given back first, then what they began last, the one ahead at the end."""
    held = (
        handing_out.held(user, question=question)
        .filter(labeling_task__ls_task_id__isnull=False)
        .select_related("labeling_task")
    )
    open_ = [item for item in held if not handing_out.has_answered(item, user)]
    return sorted(open_, key=lambda item: item.returned_at is None)  # stable


def _shown_without_lease(user: User, question: str, showing: uuid.UUID | None) -> ReviewItem | None:
    """In a queue without reservations something more urgent must not push away what they are reading."""
    if showing is None or policy_for(question).enable_reservations:
        return None
    item = handing_out.waiting_for(user, question=question).select_related("labeling_task").filter(pk=showing).first()
    return item if item is not None and not handing_out.has_answered(item, user) else None


def skip(item: ReviewItem, *, user: User, reason: str) -> None:
    """Pass `item`, which `user` has before them, on to somebody else; `reason` is one of `Skip.Reason`.

    They are not offered it again for `queue.PASSED_ON_FOR`; what `SKIPS_TO_SENIOR` people passed on goes to a senior.
    Needs moderation.review_item. Raises `PermanentError` for another reason, `StaleState` when it is not theirs any
    more.
    """
    require_permission(user, "moderation.review_item")
    if reason not in Skip.Reason.values:
        raise PermanentError("There is no such reason to skip.", hint=f"There are {', '.join(Skip.Reason.values)}.")
    with transaction.atomic():
        now = ReviewItem.objects.select_for_update(of=("self",), no_key=True).select_related("lead").get(pk=item.pk)
        is_held = now.status in handing_out.HELD and now.assignee_id == user.pk
        if not is_held and not (now.status == Status.WAITING and not policy_for(now.question).enable_reservations):
            raise StaleState("You do not hold this item any more.")
        Skip.objects.update_or_create(item=now.leading, user=user, defaults={"reason": reason, "at": timezone.now()})
        lines = [line_for(now, "skipped", by=actor_ref(user), reason=reason)]
        # Of a panel each seat is another person's: that one of them is passed on keeps the others from nothing.
        is_alone = now.status == Status.DISPATCHED and now.lead_id is None and not now.seats.exists()
        is_for_senior = is_alone and now.skips.count() >= SKIPS_TO_SENIOR
        if is_held and not is_for_senior:
            lines.append(handing_out.let_go(now, event="released"))
        ledger.append_many(lines, actor=user)
        if is_for_senior:
            reasons = ", ".join(sorted(set(now.skips.values_list("reason", flat=True))))
            pass_to_senior(now, reason=f"{now.skips.count()} people passed it on: {reasons}", actor=handing_out.REAPER)


def leave(user: User, *, question: str) -> int:
    """Give back what was leased ahead to `user` in the queue `question` and not begun; returns how many items."""
    require_permission(user, "moderation.review_item")
    return _give_back(user, [item for item in handing_out.held(user, question=question) if item.claimed_at is None])


def pause(user: User, *, question: str) -> int:
    """Give back what `user` holds in the queue `question` and has not answered; returns how many items.

    What was given back to them to be completed stays theirs until its time runs out: nobody else knows what is missing.
    """
    require_permission(user, "moderation.review_item")
    return _give_back(
        user,
        [
            i
            for i in handing_out.held(user, question=question)
            if i.returned_at is None and not handing_out.has_answered(i, user)
        ],
    )


def _give_back(user: User, items: list[ReviewItem]) -> int:
    n = 0
    for item in items:
        with transaction.atomic():
            # Still theirs, still that lease: what was decided or taken meanwhile is left alone.
            rows = ReviewItem.objects.select_for_update(no_key=True).filter(
                pk=item.pk, assignee=user, status__in=handing_out.HELD
            )
            if now := rows.filter(lease_token=item.lease_token, claimed_at=item.claimed_at).first():
                ledger.append_many([handing_out.let_go(now, event="released")], actor=user)
                n += 1
    return n


def extend(item: ReviewItem, *, user: User) -> ReviewItem:
    """Give `user` the time of one more reservation for the item before them, counted from now.

    At most `MOST_TIME` times what it is reserved for in all. Raises `StaleState` when it is not theirs any more,
    `PermanentError` when they had all that time.
    """
    require_permission(user, "moderation.review_item")
    found = handing_out.held(user).filter(pk=item.pk, claimed_at__isnull=False).first()
    if found is None or found.claimed_at is None:
        raise StaleState("You do not hold this item any more.")
    reservation = policy_for(found.question).reservation
    until = min(timezone.now() + reservation, (found.returned_at or found.claimed_at) + MOST_TIME * reservation)
    if found.lease_expires_at and until <= found.lease_expires_at:
        raise PermanentError("There is no more time for this one.", hint="Skip it, or finish it now.")
    changed = handing_out.held(user).filter(pk=found.pk, lease_token=found.lease_token).update(lease_expires_at=until)
    if not changed:
        raise StaleState("You do not hold this item any more.")
    found.lease_expires_at = until
    return found
