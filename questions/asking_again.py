"""Puts what a version split before people again: as many at a time as their queue takes, until nothing is left."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from labeling.question import Question, known, question
from moderation.decisions.asking_again import ask_anew
from moderation.queues import back_pressure
from questions.models import LabelBefore

BATCH = 100
# Why it is put before people.
SPLIT = "asked_again"


def ask_again() -> int:
    """Ask people about a batch of what waits for it, of each question. Returns how many were seen to.

    Of a question that the settings do not name (any more) they wait until they do, as does what somebody has in hand.
    """
    waiting = LabelBefore.objects.filter(asked_at=None)
    names = waiting.order_by().values_list("version__name", flat=True).distinct()
    return sum(map(_ask, known(names)))


def _ask(name: str) -> int:
    rows = LabelBefore.objects.filter(asked_at=None, version__name=name).order_by("pk")
    n, after = 0, 0
    # What is in hand stays behind: it must not hold up what comes after it.
    while n < BATCH and (batch := list(rows.filter(pk__gt=after).values_list("pk", "subject")[:BATCH])):
        after = batch[-1][0]
        n += sum(_ask_about(question(name), pk, subject) for pk, subject in batch)
        if back_pressure.is_paused(name):
            break
    return n


def _ask_about(asked: Question, key: int, subject: str) -> bool:
    # It is put before people and noted to be in one transaction: with a worker that dies between the two it would be
    # put before them twice, and what somebody of a panel has answered meanwhile would be forgotten.
    with transaction.atomic():
        row = LabelBefore.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=key, asked_at=None)
        if not row or subject not in ask_anew(asked, [subject], strategy=SPLIT):
            return False
        return bool(LabelBefore.objects.filter(pk=key).update(asked_at=Now()))
