"""The first labels of a question that no model answers yet: asked by lot, until there are as many as it wants."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from django.db.models import Exists, OuterRef

from catalog.models import CustomerReview
from core.refs import ref_in_sql
from labeling.models import Label
from labeling.question import Question, asked_questions
from moderation.models.reviews import ReviewItem
from moderation.queues import back_pressure, seats

RANDOM = "random"
# So many wait for people at once, drawn from so many of the latest: a lot of today's traffic.
AHEAD, POOL = 50, 2000


def due() -> Iterator[tuple[Question, list[CustomerReview]]]:
    """Yield each question that wants first labels with the customer reviews to ask it about now.

    Drawn by a hash of question and review, which anybody can draw again. Nothing while its queue is paused, nor once
    its `first_labels` are there.
    """
    for asked in asked_questions():
        if asked.first_labels and asked.about == "review" and not back_pressure.is_paused(asked.name):
            lacking = asked.first_labels - Label.objects.filter(kind=asked.name).count()
            waiting = ReviewItem.objects.filter(kind=asked.name, status__in=seats.UNDECIDED).count()
            if (n := min(lacking, AHEAD) - waiting) > 0:
                yield asked, _draw(asked.name, n)


def _draw(name: str, n: int) -> list[CustomerReview]:
    subject = ref_in_sql(CustomerReview, OuterRef("pk"))
    said = Label.objects.filter(kind=name, subject=subject)
    asked = ReviewItem.objects.filter(kind=name, customer_review=OuterRef("pk"))
    latest = CustomerReview.objects.filter(~Exists(said), ~Exists(asked)).order_by("-created_at")
    keys = list(latest.values_list("pk", flat=True)[:POOL])
    drawn = heapq.nsmallest(n, keys, key=lambda key: (seats.draw("first labels", name, key), key))
    return list(CustomerReview.objects.filter(pk__in=drawn).select_related("product"))
