"""Correcting one's own answer within ten minutes: the item is open again, and what went out comes down.

The decision stays on record, and the one that follows supersedes it. Who does not finish the correction leaves an item
that waits for the next person, like any other.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from catalog.models import PublishedCopy
from core.actors import actor_ref, require_permission
from core.exceptions import PermanentError, StaleState
from core.refs import ref
from labeling import labels
from labeling.consensus import SINGLE
from labeling.models import Vote
from moderation.lifecycle import advance
from moderation.live import publication
from moderation.models.candidates import Candidate
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import seats
from moderation.queues.rules import policy_for

if TYPE_CHECKING:
    from django.contrib.auth.models import User

WITHIN = dt.timedelta(minutes=10)
Status = ReviewItem.Status
TOGETHER = (Vote.Purpose.LABEL, Vote.Purpose.ADJUDICATION)
REASON = "You wanted to correct your answer."
TAKEN_BACK = "taken back by who let it out, to be corrected"
NO_PROPOSAL: dict[str, Any] = {"proposal": None, "proposed_by": None, "proposed_at": None, "high_severity": []}


def correctable_until(item: ReviewItem, user: User) -> dt.datetime | None:
    """Return until when `user` may correct what they answered to `item`; None when they may not, or not any more."""
    answered = _answered_at(item, user)
    until = answered + WITHIN if answered else None
    return until if until and timezone.now() < until else None


def _answered_at(item: ReviewItem, user: User) -> dt.datetime | None:
    """When the answer of `user` alone came to what stands now; None where it did not,
    or it is no longer theirs to change.
    """
    if item.purpose != Vote.Purpose.LABEL:
        return None
    if item.status == Status.ANSWERED and item.assignee_id == user.pk and item.leading.status != Status.CONFIRMING:
        return item.decided_at
    if item.lead_id is not None or item.seats.filter(purpose__in=TOGETHER).exists():
        return None  # several people came to it
    if item.status == Status.CONFIRMING:
        return item.proposed_at if item.proposed_by_id == user.pk else None
    decision = _standing(item) if item.status == Status.DECIDED else None
    is_theirs = decision is not None and decision.reviewer_id == user.pk and decision.checker_id is None
    return decision.created_at if decision and is_theirs and _can_be_undone(decision) else None


def _standing(item: ReviewItem) -> Decision | None:
    return item.decisions.select_related("result", "consensus").filter(superseded_by=None).first()


def _can_be_undone(decision: Decision) -> bool:
    """Whether it rests on one answer, and what it let out is live still: nothing else was built on it."""
    if decision.consensus is None or decision.consensus.method != SINGLE:
        return False
    if decision.outcome in (Decision.Outcome.LABEL, Decision.Outcome.REJECT):
        return True
    return decision.result is not None and _live(decision.result) is not None


def _live(candidate: Candidate) -> PublishedCopy | None:
    return PublishedCopy.objects.filter(candidate_ref=ref(candidate), retired_at=None).first()


def correct(item: ReviewItem, *, actor: User) -> ReviewItem:
    """Put an item that `actor` answered less than ten minutes ago before them again, and return it.

    What their answer let out is taken down at once; what waits for a second person, or for the others of a panel, is
    taken back. Needs moderation.review_item. Raises `PermanentError` when the answer was another's or several people's,
    when something was built on it, or when the time is over.
    """
    require_permission(actor, "moderation.review_item")
    with transaction.atomic():
        lead, *others = seats.lock_panel(item.leading)
        now = next((row for row in (lead, *others) if row.pk == item.pk), None)
        if now is None or correctable_until(now, actor) is None:
            raise PermanentError(
                "This answer cannot be corrected any more.",
                hint="Ten minutes are over, or others had a part in it: ask a senior reviewer.",
            )
        before, lines, updates = now.status, list[Line](), dict[str, Any]()
        labels.forget_vote(now.question, ref(now.subject), rater=labels.rater_of(actor))
        if before == Status.CONFIRMING:
            updates = NO_PROPOSAL
        elif before == Status.DECIDED:
            labels.forget_label(now.question, ref(now.subject))
            lines = _undo(now, now.candidate, actor=actor) if now.candidate else []
        started = timezone.now()
        lines.append(
            advance(
                now,
                from_=before,
                to=Status.ESCALATED if now.escalated_at else Status.DISPATCHED,
                event="reopened",
                payload={"by": actor_ref(actor)},
                assignee=actor,
                lease_token=uuid.uuid4(),
                claimed_at=started,
                lease_expires_at=started + policy_for(now.question).reservation,
                returned_reason=REASON,
                returned_at=started,
                decided_at=None,
                **updates,
            )
        )
        ledger.append_many(lines, actor=actor)
    return now


def _undo(item: ReviewItem, draft: Candidate, *, actor: User) -> list[Line]:
    """Take down what the decision on `draft` let out, and have the draft in review again;
    the other drafts stay as they are.
    """
    decision = _standing(item)
    if decision is None:
        raise StaleState("No decision stands on this item any more.")
    if decision.result is not None and (live := _live(decision.result)):
        publication.take_back(live, actor=actor, reason=TAKEN_BACK)
    draft.refresh_from_db(fields=["status"])
    return [advance(draft, from_=draft.status, to=Candidate.Status.IN_REVIEW, event="reopened")]
