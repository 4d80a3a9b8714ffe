"""Puts what a version split before people again: as many at a time as their queue takes, until nothing is left."""

from __future__ import annotations

from django.db.models.functions import Now

from labeling.question import known, question
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
        seen = ask_anew(question(name), [subject for _, subject in batch], strategy=SPLIT)
        done = [pk for pk, subject in batch if subject in seen]
        n += LabelBefore.objects.filter(pk__in=done, asked_at=None).update(asked_at=Now())
        if back_pressure.is_paused(name):
            break
    return n
