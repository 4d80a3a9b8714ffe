"""A few of what comes each day, by lot from all of it: people judge them, whatever a model is sure of.

What a model is unsure of says nothing about the rest, and a model that is sure of everything asks about nothing. Of
what the lot draws nobody sees a suggestion, so that what people say is not what the model said.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Iterator, Sequence

from django.db import transaction
from django.db.models import Exists, Max, OuterRef

from audit import ledger
from core.actors import SystemActor
from core.hashing import hash_json
from core.hints import hint_on_commit
from core.locks import try_advisory_lock
from core.refs import ref_in_sql, ref_to
from inference import resolver
from labeling.approvals import FROM_FILES
from labeling.models import Label
from labeling.question import Question, asked_questions
from labeling.subject import subject_of
from moderation.models.predictions import Prediction
from moderation.models.reviews import SENTIMENT, ReviewItem
from moderation.models.traffic import TrafficSample
from moderation.queues import seats

LOT = SystemActor("moderation.daily_lot")
# Days without a worker are made up for, but not for ever.
LOOKS_BACK = 7
DAY = dt.timedelta(days=1)


def drawn_questions() -> list[Question]:
    """Return the questions that have a lot: people are asked them, and a champion answers them about what comes."""
    asked = [one for one in asked_questions() if one.backend and one.daily_lot is not None]
    return [one for one in asked if subject_of(one.about).is_scored_as_it_comes]


def draw(*, today: dt.date | None = None) -> int:
    """Draw `daily_lot` of what came on each whole day, in UTC, that has none yet, for each question. Returns how many.

    The lot is a hash of day and key, which anybody can draw again. What came with a label from a file is no traffic.
    Nothing is drawn for a question while no model of it serves, and 0 at once while another process draws.
    """
    today = today or dt.datetime.now(dt.UTC).date()
    with try_advisory_lock("moderation.daily_lot") as is_alone:
        return sum(_draw_days(asked, today) for asked in drawn_questions()) if is_alone else 0


def _draw_days(asked: Question, today: dt.date) -> int:
    if not asked.daily_lot or resolver.find(asked.name) is None:
        return 0
    # Days that have not come yet were drawn by a clock that was wrong: nothing waits for them.
    drawn = TrafficSample.objects.filter(question=asked.name, day__lt=today)
    last = drawn.aggregate(at=Max("day"))["at"]
    first = max(last + DAY, today - LOOKS_BACK * DAY) if last else today - DAY
    return sum(_draw(asked, first + i * DAY, asked.daily_lot) for i in range((today - first).days))


def _draw(asked: Question, day: dt.date, n: int) -> int:
    began, about = dt.datetime.combine(day, dt.time(), dt.UTC), subject_of(asked.about)
    came = about.all().filter(**{f"{about.came}__gte": began, f"{about.came}__lt": began + DAY})
    subject = ref_in_sql(about.model, OuterRef("pk"))
    came = came.filter(
        ~Exists(Label.objects.filter(question=asked.name, subject=subject, source__startswith=FROM_FILES))
    )
    # What a clock that was wrong drew is not drawn again.
    came = came.filter(~Exists(TrafficSample.objects.filter(question=asked.name, subject=subject)))
    keys = list(came.order_by().values_list("pk", flat=True))
    drawn = heapq.nsmallest(n, keys, key=lambda key: (lot_of(asked.name, day, key), key))
    if not drawn:
        return 0
    with transaction.atomic():
        TrafficSample.objects.bulk_create(
            TrafficSample(day=day, question=asked.name, subject=ref_to(about.model, key), n_of=len(keys))
            for key in drawn
        )
        payload = {"day": str(day), "n": len(drawn), "of": len(keys), "drawn": hash_json([str(key) for key in drawn])}
        ledger.append("moderation.traffic.drawn", subject=f"queue:{asked.name}", actor=LOT, payload=payload)
        hint_on_commit("moderation.open_reviews")
    return len(drawn)


def lot_of(name: str, day: dt.date, key: object) -> float:
    """Return the number by which `key` is drawn for the question `name`, 0 to 1; the lowest are."""
    # The first question that had a lot is drawn as it always was: what was drawn then can be drawn again.
    return seats.draw("daily lot", *(() if name == SENTIMENT else (name,)), day, key)


def to_open(*, n: int) -> Iterator[tuple[Question, list[Prediction]]]:
    """Yield each question with what its champion says of up to `n` that the lot drew and nobody was asked about yet;
    oldest first.

    What could not be put before people for a week after it could be drawn is not traffic of now any more.
    """
    since = dt.datetime.now(dt.UTC).date() - 2 * LOOKS_BACK * DAY
    for asked in drawn_questions():
        items = ReviewItem.objects.filter(question=asked.name, about=OuterRef("subject"), lead=None)
        drawn = TrafficSample.objects.filter(~Exists(items), question=asked.name, day__gte=since).order_by("pk")
        place = {subject: i for i, subject in enumerate(drawn.values_list("subject", flat=True))}
        said = Prediction.objects.of(asked.name, list(place)).filter(model_version=resolver.find(asked.name))
        yield asked, sorted(said.select_related("model_version"), key=lambda one: place[one.subject])[:n]


def drawn_among(name: str, subjects: Sequence[str]) -> set[str]:
    """Return those of `subjects` that the lot drew for the question `name`."""
    found = TrafficSample.objects.filter(question=name, subject__in=subjects)
    return set(found.values_list("subject", flat=True))
