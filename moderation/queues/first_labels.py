"""The first labels of a question that no model answers yet: asked by lot, until there are as many as it wants."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef

from core.refs import ref_in_sql, ref_to
from labeling.models import Label
from labeling.question import Question, asked_questions
from labeling.subject import subject_of
from moderation.models.reviews import ReviewItem
from moderation.queues import back_pressure, seats

RANDOM = "random"
# So many wait for people at once, drawn from so many of the latest: a lot of today's traffic.
AHEAD, POOL = 50, 2000


def due() -> Iterator[tuple[Question, list[Any]]]:
    """Yield each question that wants first labels with the rows to ask it about now.

    Drawn by a hash of question and key, which anybody can draw again. Nothing while its queue is paused, nor once
    its `first_labels` are there.
    """
    for asked in asked_questions():
        if asked.first_labels and not back_pressure.is_paused(asked.name):
            lacking = asked.first_labels - Label.objects.filter(question=asked.name).count()
            waiting = ReviewItem.objects.filter(question=asked.name, status__in=seats.UNDECIDED).count()
            if (n := min(lacking, AHEAD) - waiting) > 0:
                yield asked, _draw(asked, n)


def _draw(asked: Question, n: int) -> list[Any]:
    about = subject_of(asked.about)
    subject = ref_in_sql(about.model, OuterRef("pk"))
    said = Label.objects.filter(question=asked.name, subject=subject)
    items = ReviewItem.objects.filter(question=asked.name, about=subject, lead=None)
    latest = about.all().filter(~Exists(said), ~Exists(items)).order_by(f"-{about.came}")
    keys = list(latest.values_list("pk", flat=True)[:POOL])
    drawn = heapq.nsmallest(n, keys, key=lambda key: (seats.draw("first labels", asked.name, key), key))
    return list(about.rows([ref_to(about.model, key) for key in drawn]).values())
