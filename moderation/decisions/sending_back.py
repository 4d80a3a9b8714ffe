"""Sending an answer of a panel back, to who gave it or to somebody else: a senior does, and says why."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from audit import ledger
from core.actors import actor_ref, require_permission
from core.exceptions import PermanentError, StaleState
from core.reasons import require_reason
from core.refs import ref
from labeling import labels
from labeling.models import LabelingTask
from moderation.lifecycle import advance
from moderation.models.reviews import ReviewItem
from moderation.queues import seats
from moderation.queues.rules import policy_for
from moderation.queues.seats import PANELS, Purpose, Status


def send_back(item: ReviewItem, *, actor: User, reason: str, to_same_person: bool) -> None:
    """Give an answer of a panel back with a reason: to who gave it, or to somebody else. The vote does not count.

    Needs moderation.review_escalated_item and another person than who answered. Raises `PermanentError` without a
    reason, `StaleState` when the answer counts already or is not there.
    """
    require_permission(actor, "moderation.review_escalated_item")
    reason = require_reason(reason, act="Sending an answer back", hint="Say what should be looked at again.")
    with transaction.atomic():
        lead, *others = seats.lock_panel(item.leading)
        item = next(now for now in (lead, *others) if now.pk == item.pk)
        if item.status != Status.ANSWERED or item.assignee is None or item.labeling_task is None:
            raise StaleState("There is no answer here that could be sent back.")
        if lead.status == Status.CONFIRMING:
            raise StaleState("The panel has agreed, and a second person looks at it.", hint="They can return it.")
        if item.assignee_id == actor.pk:
            raise PermanentError("This answer is your own.", hint="Change it in Label Studio.")
        labels.forget_vote(item.question, ref(item.subject), rater=labels.rater_of(item.assignee))
        payload = {"from": actor_ref(item.assignee), "reason": ledger.typed(reason, by=actor)}
        asked = [seat for seat in others if seat.purpose == Purpose.ADJUDICATION and seat.status == Status.ESCALATED]
        ledger.append_many([line for seat in asked for line in seats.end(seat)], actor=PANELS)
        freed: dict[str, Any] = {"decided_at": None}
        before, to = item.labeling_task, Status.DISPATCHED if to_same_person else Status.WAITING
        if to_same_person:
            until = timezone.now() + policy_for(item.question).reservation
            freed |= {
                "returned_reason": reason,
                "claimed_at": timezone.now(),
                "lease_token": uuid.uuid4(),
                "lease_expires_at": until,
            }
        else:
            freed |= {"assignee": None, "claimed_at": None, "released_at": timezone.now()}
        person = item.assignee
        line = advance(item, from_=Status.ANSWERED, to=to, event="sent_back", payload=payload, **freed)
        seats.give_task(item, like=before, note=f"Sent back: {reason}")
        if not to_same_person:
            _remember(item, lead, person=person, task=before, reason=reason)
        ledger.append_many([line], actor=actor)


def _remember(item: ReviewItem, lead: ReviewItem, *, person: User, task: LabelingTask, reason: str) -> None:
    """Keep the seat that `person` had as a withdrawn one: what they answered there stays, and they get no other."""
    ReviewItem.objects.create(
        lead=lead,
        question=item.question,
        purpose=item.purpose,
        status=Status.WITHDRAWN,
        assignee=person,
        labeling_task=task,
        suggestion=item.suggestion,
        returned_reason=reason,
    )
