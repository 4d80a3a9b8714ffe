"""Asking again about what an import changed after people were asked about it.

What was decided stands until somebody answers anew: what is hidden stays hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from core import leases
from core.hints import hint, hint_on_commit
from labeling import labels, sync
from labeling.models import Label
from labeling.question import Question, asked_questions, question
from labeling.subject import subject_of
from moderation.decisions import settling
from moderation.lifecycle import advance
from moderation.models.reviews import ReviewItem
from moderation.queues import back_pressure, seats
from moderation.queues.seats import PANELS, Purpose, Status

BATCH = 200
EDITED = "edited"
# Whoever has it in hand, or waits for others, ends that first; their answer is about the words before, and is asked for
# anew.
FROM = (Status.WAITING, Status.DECIDED)
OF_LABELS = (Purpose.SECOND_REVIEW, Purpose.AUDIT, Purpose.GOLD, Purpose.ADJUDICATION)


def ask_again_about_edited() -> int:
    """Put what was edited before people again, of those questions that want it. Returns how many."""
    asked_anew = sum(_ask_again_of(asked) for asked in asked_questions() if asked.asks_again_when_edited)
    if asked_anew:
        hint("labeling.push_tasks")
    return asked_anew


def _ask_again_of(asked: Question) -> int:
    items = ReviewItem.objects.filter(question=asked.name, lead=None, purpose=Purpose.LABEL, status__in=FROM)
    stale, asked_anew = subject_of(asked.about).edited(items), 0
    for key in list(stale.values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            lead, *others = seats.lock_panel(ReviewItem.objects.get(pk=key))
            if stale.filter(pk=key).exists():  # nobody else was faster
                _ask_again(lead, others)
                asked_anew += 1
    return asked_anew


def ask_anew(asked: Question, references: Sequence[str], *, strategy: str) -> set[str]:
    """Put each of `references` before people, again or for the first time. Returns those that are seen to.

    Also those that are gone, were withdrawn for good, or have been answered anew already. Not what somebody has in hand
    or a second person looks at, nor, while the queue is paused, what nobody was asked about here.
    """
    rows, seen = asked.rows(references), set[str]()
    leads = {
        item.about: item for item in ReviewItem.objects.filter(question=asked.name, about__in=references, lead=None)
    }
    answered = set(Label.objects.filter(question=asked.name, subject__in=references).values_list("subject", flat=True))
    for reference in references:
        lead = leads.get(reference)
        if reference not in rows or reference in answered or (lead and lead.status == Status.WITHDRAWN):
            seen.add(reference)
        elif lead is None:
            if not back_pressure.is_paused(asked.name):
                settling.open_about(asked, rows[reference], strategy=strategy)
                seen.add(reference)
        elif _put_back(lead, strategy=strategy):
            seen.add(reference)
    if seen:
        hint_on_commit("labeling.push_tasks")
    return seen


def _put_back(found: ReviewItem, *, strategy: str) -> bool:
    with transaction.atomic():
        lead, *others = seats.lock_panel(found)
        if Label.objects.filter(question=lead.question, subject=lead.about).exists():
            return True  # answered anew since it was looked up
        if lead.status not in (*FROM, Status.ANSWERED):
            return False
        if lead.purpose == Purpose.GOLD:  # nobody is tested with it any more: it is asked as any other
            ReviewItem.objects.filter(pk=lead.pk).update(purpose=Purpose.LABEL)
            lead.purpose = Purpose.LABEL
        _ask_again(lead, others, strategy=strategy)
    return True


def _ask_again(lead: ReviewItem, others: list[ReviewItem], *, strategy: str = EDITED) -> None:
    """Free every seat of the panel, each with a task that shows the words as they are now.

    What was said is forgotten.
    """
    lines = list[Line]()
    payload = question(lead.question).task_data(lead.subject)
    labels.forget_label(lead.question, lead.about)
    labels.forget_votes(lead.question, lead.about)
    ended = [*seats.end_gold(lead), *seats.withdraw(lead, purposes=OF_LABELS)]
    for seat in (lead, *others):
        if seat.purpose != Purpose.LABEL or seat.status == Status.WITHDRAWN or seat.labeling_task is None:
            continue
        before = seat.labeling_task
        freed: dict[str, Any] = {
            "assignee": None,
            "claimed_at": None,
            "decided_at": None,
            "released_at": timezone.now(),
        }
        if seat.status == Status.ESCALATED:
            lines += seats.end(seat)
            continue
        if seat.status != Status.WAITING:
            moved = advance(seat, from_=seat.status, to=Status.WAITING, event="asked_again", **freed, **leases.NO_LEASE)
            lines.append(moved)
        ReviewItem.objects.filter(pk=seat.pk).update(suggestion="", strategy=strategy)
        seat.suggestion, seat.strategy = "", strategy
        seats.give_task(seat, like=before, payload=payload)
        sync.withdraw_task(before)
    ledger.append_many([*ended, *lines], actor=PANELS)
