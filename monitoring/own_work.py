"""A reviewer's own work: what they did, how they do, and what came back to them. Nobody else's figures are in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from labeling.labels import rater_of
from labeling.models import Vote
from labeling.question import queues
from moderation.decisions import own_answers
from moderation.decisions.own_answers import OwnAnswer
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out
from monitoring.label_quality import RaterCard, scorecards

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from labeling.quality.scorecard import Scorecard

DAYS = 14
SENT_BACK = 20
ANSWERS = 20


@dataclass(frozen=True)
class QueueWork:
    """One queue: what waits for the person, what they answered, and their scorecard (None before they answered)."""

    question: str
    title: str
    n_waiting: int
    n_answered: int
    n_today: int
    card: Scorecard | None


@dataclass(frozen=True)
class OwnWork:
    """Everything on the page."""

    days: Sequence[tuple[dt.date, int]]  # answers on each of the last days, today last
    queues: Sequence[QueueWork]
    held: ReviewItem | None
    answers: Sequence[OwnAnswer]  # the last ones, with what became of each
    sent_back: Sequence[ReviewItem]


def of(user: User) -> OwnWork:
    """Return the work of `user`."""
    rater, today = rater_of(user), timezone.localdate()
    mine = Vote.objects.filter(rater=rater)
    since = timezone.now() - dt.timedelta(days=DAYS)
    found = mine.filter(voted_at__gt=since).annotate(day=TruncDate("voted_at")).order_by().values("day")
    counts = {row["day"]: row["n"] for row in found.annotate(n=Count("pk"))}
    days = [today - dt.timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    returned = ReviewItem.objects.filter(assignee=user).exclude(returned_reason="")
    return OwnWork(
        days=[(day, counts.get(day, 0)) for day in days],
        queues=[_queue(user, rater, question, title) for question, title in queues()],
        held=handing_out.held_by(user),
        answers=own_answers.answers_of(user, n=ANSWERS),
        sent_back=list(returned.select_related("lead").order_by("-claimed_at")[:SENT_BACK]),
    )


def _queue(user: User, rater: str, question: str, title: str) -> QueueWork:
    cards: list[RaterCard] = scorecards(question)
    card = next((row.card for row in cards if row.rater == rater), None)
    n_answered = Vote.objects.filter(question=question, rater=rater).count()
    n_today = own_answers.n_answered_today(user, question=question)
    return QueueWork(
        question, title, handing_out.waiting_for(user, question=question).count(), n_answered, n_today, card
    )
