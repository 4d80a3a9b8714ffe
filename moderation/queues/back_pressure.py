"""Back-pressure: while more waits for people than its queue allows, what feeds that queue pauses. Nothing is lost.

Copy: no draft is written; orders are taken and wait. Other questions: no new item is opened; what models said is kept.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from audit import ledger
from core.actors import SystemActor
from core.refs import ref
from labeling.question import question
from moderation.models.queues import QueuePolicy
from moderation.models.reviews import ReviewItem
from moderation.queues.rules import policy_for, stored

GATE = SystemActor("moderation.back_pressure")
WAITING = (ReviewItem.Status.WAITING, ReviewItem.Status.ESCALATED)


def is_paused(question: str) -> bool:
    """Whether the queue `question` must not be fed now.

    Pauses above `max_waiting`, resumes by itself below a lower mark.
    """
    policy = policy_for(question)
    if policy.paused_at is None:
        if policy.max_waiting and count_waiting(question, limit=policy.max_waiting + 1) > policy.max_waiting:
            _move(stored(question), pause=True)
            return True
        return False
    if policy.max_waiting and count_waiting(question, limit=policy.resumes_below) >= policy.resumes_below:
        return True
    _move(policy, pause=False)
    return False


def count_waiting(question: str, *, limit: int) -> int:
    """Return how many items of the queue wait for people; counting stops at `limit`."""
    return ReviewItem.objects.work().filter(question=question, status__in=WAITING).order_by()[:limit].count()


def _move(policy: QueuePolicy, *, pause: bool) -> None:
    """Of two workers who see the same, one writes it down."""
    with transaction.atomic():
        rows = QueuePolicy.objects.filter(pk=policy.pk, paused_at__isnull=pause)
        if rows.update(paused_at=Now() if pause else None):
            action = "moderation.queue.paused" if pause else "moderation.queue.resumed"
            payload = {"queue": policy.question, "max_waiting": policy.max_waiting}
            ledger.append(action, subject=ref(policy), actor=GATE, payload=payload)


def pause_in_words(policy: QueuePolicy) -> str:
    """Return what is paused, why, and when it goes on; empty while nothing is."""
    if policy.paused_at is None:
        return ""
    return (
        f"{question(policy.question).when_paused}: since {policy.paused_at:%Y-%m-%d %H:%M} UTC more than "
        f"{policy.max_waiting:,} items of “{policy}” wait for people. It goes on by itself below "
        f"{policy.resumes_below:,}."
    )
