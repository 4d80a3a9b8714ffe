"""What a decision records: whose it is, how long they took, what they were shown, and which decision it supersedes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from labeling.consensus import ADJUDICATED, SINGLE
from labeling.models import Consensus
from moderation.drafting import screening
from moderation.models.reviews import Decision, ReviewItem

if TYPE_CHECKING:
    from django.contrib.auth.models import User

DecidedBy = Decision.DecidedBy


def record(item: ReviewItem, consensus: Consensus, actor: User, **fields: Any) -> Decision:
    """Record what was decided on `item` by what `consensus` holds, `actor`'s answer; returns the decision."""
    seat = _seat_of(item, actor)
    return Decision.objects.create(
        item=item,
        consensus=consensus,
        reviewer=actor,
        decided_by=DecidedBy.HUMAN_SINGLE if consensus.method in (SINGLE, ADJUDICATED) else DecidedBy.HUMAN_CONSENSUS,
        reason_codes=list(consensus.answer.get("reason_codes") or []),
        rationale=str(consensus.answer.get("comment") or "")[:2000],
        policy_version=screening.policy_version(),
        lead_time=time_spent(seat, consensus),
        dwell_time=dwell_time(seat, consensus),
        suggestion_shown=saw_suggestion(seat),
        supersedes=superseded_by_one_on(item),
        **fields,
    )


def superseded_by_one_on(item: ReviewItem) -> Decision | None:
    """Return the decision that a new one on `item` supersedes: the one that stands, or the one an appeal overturned."""
    stands = Q(item=item)
    if item.candidate_id:
        stands |= Q(appeal__candidate=item.candidate_id)
    return Decision.objects.filter(stands, superseded_by=None).order_by("-created_at").first()


def lead_time(consensus: Consensus) -> dt.timedelta | None:
    """Return the time that people spent on the annotations of `consensus`, together; None when it is not known."""
    times = [a.lead_time for a in consensus.annotations.all() if a.lead_time is not None]
    return sum(times, dt.timedelta()) if times else None


def dwell_time(seat: ReviewItem, consensus: Consensus) -> dt.timedelta | None:
    """Return how long who answered had `seat`, from taken to answered by our own clock;
    None when they took none here.
    """
    at = [a.pulled_at for a in consensus.annotations.all() if a.annotator_id == seat.assignee_id]
    return max(at) - seat.claimed_at if at and seat.claimed_at and seat.claimed_at <= max(at) else None


def time_spent(seat: ReviewItem, consensus: Consensus) -> dt.timedelta | None:
    """Return the time spent on an answer as Label Studio measured it, and no more than it was before who answered.

    Its clock starts when the task is loaded, which the review page does ahead, behind the task that is answered first.
    """
    time, dwell = lead_time(consensus), dwell_time(seat, consensus)
    return time if time is None or dwell is None or consensus.annotations.count() > 1 else min(time, dwell)


def _seat_of(item: ReviewItem, actor: User) -> ReviewItem:
    """The part of the panel that `actor` answered; the item itself where they are asked alone."""
    seats = ReviewItem.objects.filter(Q(pk=item.pk) | Q(lead=item), assignee=actor)
    return seats.select_related("labeling_task").order_by("-claimed_at").first() or item


def saw_suggestion(seat: ReviewItem) -> bool | None:
    """Return whether who has `seat` was shown what the model suggests; None where it suggests nothing."""
    task = seat.labeling_task
    made = task is not None and bool(seat.suggestion or task.predictions)
    return bool(task and task.shows_predictions) if made else None
