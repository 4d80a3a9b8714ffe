"""Each day a few reviews by lot from all that came go before people, whatever the model is sure of."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import LedgerEntry
from catalog.models import CustomerReview, Product
from core.refs import ref, ref_to
from labeling import labels
from labeling.labels import ImportedLabel
from labeling.models import LabelingTask, Vote
from moderation.decisions import settling
from moderation.models.reviews import ReviewItem
from moderation.models.traffic import TrafficSample
from moderation.queues import daily_lot, seats
from monitoring import label_quality
from tests import factories, people
from training import drift

pytestmark = pytest.mark.django_db
TODAY = dt.datetime.now(dt.UTC).date()
DAY = dt.timedelta(days=1)


def came(n: int, *, on: dt.date, confidence: float = 0.99, label: str = "positive") -> list[CustomerReview]:
    """Reviews of a day, scored by the champion."""
    product = factories.product()
    made = [factories.customer_review(f"text {i} of {on}", product=product) for i in range(n)]
    noon = dt.datetime.combine(on, dt.time(12), dt.UTC)
    CustomerReview.objects.filter(pk__in=[row.pk for row in made]).update(created_at=noon)
    for row in made:
        factories.sentiment(row, label, confidence=confidence)
    return made


def test_a_model_that_is_sure_of_everything_is_looked_at_all_the_same() -> None:
    factories.model_version("sentiment")
    came(50, on=TODAY - DAY)
    assert settling.open_reviews() == 0, "it asks about nothing"
    assert daily_lot.draw() == 20
    assert settling.open_reviews() == 20
    assert settling.open_reviews() == 0
    items = ReviewItem.objects.all()
    assert {(item.strategy, item.suggestion, item.uncertainty) for item in items} == {("daily_lot", "positive", 1.0)}
    assert not LabelingTask.objects.filter(shows_predictions=True).exists(), "nobody sees what the model says"
    line = LedgerEntry.objects.get(action="moderation.traffic.drawn")
    assert (line.payload["n"], line.payload["of"], line.payload["day"]) == (20, 50, str(TODAY - DAY))


def test_every_review_of_the_day_has_the_same_chance() -> None:
    factories.model_version("sentiment")
    rows = came(40, on=TODAY - DAY, confidence=0.99) + came(40, on=TODAY - DAY, confidence=0.4)
    unsure = {row.pk for row in rows[40:]}
    drawn: Counter[bool] = Counter()
    for _ in range(40):  # the lot hangs on day and key: other days are other lots of the same reviews
        keys = [row.pk for row in rows]
        lot = sorted(keys, key=lambda key: seats.draw("daily lot", _, key))[:20]
        drawn.update(key in unsure for key in lot)
    assert 300 < drawn[True] < 500
    assert daily_lot.draw() == 20
    drawn_now = set(TrafficSample.objects.values_list("subject", flat=True))
    first = sorted((row.pk for row in rows), key=lambda key: seats.draw("daily lot", TODAY - DAY, key))[:20]
    assert drawn_now == {ref_to(CustomerReview, key) for key in first}


def test_what_people_were_asked_about_already_is_part_of_the_lot() -> None:
    factories.model_version("sentiment")
    came(10, on=TODAY - DAY, confidence=0.4)
    assert settling.open_reviews() >= 10
    assert daily_lot.draw() == 10
    assert settling.open_reviews() == 0


def test_a_day_is_drawn_once_and_days_without_a_worker_are_made_up_for(settings: Any) -> None:
    settings.MODERATION = replace(settings.MODERATION, daily_lot=3)
    assert daily_lot.draw() == 0, "nobody serves"
    factories.model_version("sentiment")
    for days in range(1, 12):
        came(5, on=TODAY - days * DAY)
    came(5, on=TODAY)
    assert daily_lot.draw(today=TODAY - 9 * DAY) == 3, "the first time the day before"
    assert daily_lot.draw(today=TODAY - 9 * DAY) == 0
    assert daily_lot.draw() == 7 * 3
    days = Counter(TrafficSample.objects.values_list("day", flat=True))
    assert set(days.values()) == {3}
    assert TODAY not in days, "the day is not over"
    assert {TODAY - 8 * DAY, TODAY - 9 * DAY} & set(days) == set()
    settings.MODERATION = replace(settings.MODERATION, daily_lot=0)
    assert daily_lot.draw(today=TODAY + DAY) == 0


def test_a_clock_that_was_ahead_and_was_set_right_does_not_end_the_lot() -> None:
    factories.model_version("sentiment")
    came(5, on=TODAY + 300 * DAY)
    assert daily_lot.draw(today=TODAY + 301 * DAY) == 5
    came(4, on=TODAY - DAY)
    assert daily_lot.draw() == 4
    assert daily_lot.draw() == 0
    came(3, on=TODAY + 300 * DAY)
    assert daily_lot.draw(today=TODAY + 301 * DAY) == 0, "that day has its lot"


def test_what_came_with_a_label_from_a_file_is_no_traffic() -> None:
    factories.model_version("sentiment")
    rows = came(8, on=TODAY - DAY)
    brought = [ImportedLabel(ref(row), "negative") for row in rows[:5]]
    labels.upsert_imported("sentiment", brought, source="import:7", now=dt.datetime.now(dt.UTC))
    assert daily_lot.draw() == 3
    assert {sample.subject for sample in TrafficSample.objects.all()} == {ref(row) for row in rows[5:]}


def test_the_lot_goes_before_people_while_the_queue_is_paused(settings: Any) -> None:
    factories.model_version("sentiment")
    rules = {**settings.MODERATION.queue, "max_waiting": 1}
    settings.MODERATION = replace(settings.MODERATION, queue=rules)
    came(5, on=TODAY - DAY, confidence=0.4)
    for _ in range(3):
        factories.review_item(factories.customer_review())
    daily_lot.draw()
    assert settling.open_reviews() == 5
    assert set(ReviewItem.objects.exclude(strategy="").values_list("strategy", flat=True)) == {"daily_lot"}


def test_what_is_too_old_to_be_traffic_of_now_is_not_opened() -> None:
    factories.model_version("sentiment")
    came(5, on=TODAY - 30 * DAY)
    assert daily_lot.draw(today=TODAY - 29 * DAY) == 5
    assert settling.open_reviews() == 0


def test_a_review_that_is_erased_leaves_the_lot() -> None:
    factories.model_version("sentiment")
    rows = came(5, on=TODAY - DAY)
    daily_lot.draw()
    rows[0].delete()
    assert TrafficSample.objects.count() == 4


def test_the_lot_is_no_arm_of_what_suggestions_do_to_people() -> None:
    factories.model_version("sentiment")
    rows = came(30, on=TODAY - DAY)
    daily_lot.draw()
    drawn = set(TrafficSample.objects.values_list("subject", flat=True))
    person = people.reviewer()
    for row in rows:
        labels.record_vote(
            "sentiment",
            ref(row),
            rater=f"user:{person.pk}",
            label="negative",
            purpose="label",
            at=dt.datetime.now(dt.UTC),
            suggestion="positive",
            is_assisted=ref(row) not in drawn,
        )
    found = label_quality.quality_of("sentiment").anchoring
    assert found is not None
    assert (found.accepted_blind.n, found.accepted_assisted.n) == (0, 10)
    assert Vote.objects.filter(is_assisted=False).count() == 20


def test_a_declared_question_has_a_lot_of_its_own_also_of_products(tmp_path: Path, settings: Any) -> None:
    text = (
        "name: shelf\ntitle: Shelf\nabout: product\ndaily_lot: 3\nchoices: [{value: a, title: A}, {value: b, title: B}]"
    )
    (tmp_path / "shelf.yaml").write_text(text)
    settings.QUESTIONS_DIR = str(tmp_path)
    settings.QUESTIONS = {**settings.QUESTIONS, "shelf": "questions.declared.shelf"}
    factories.model_version("sentiment")
    version = factories.model_version("shelf")
    came(5, on=TODAY - DAY)
    products = [factories.product() for _ in range(6)]
    noon = dt.datetime.combine(TODAY - DAY, dt.time(12), dt.UTC)
    Product.objects.filter(pk__in=[product.pk for product in products]).update(created_at=noon)
    for product in products:
        factories.prediction(product, "shelf", {"a": 0.9, "b": 0.1}, version=version)
    assert daily_lot.draw() == 5 + 3
    assert daily_lot.draw() == 0
    drawn = set(TrafficSample.objects.filter(question="shelf").values_list("subject", flat=True))
    lot = sorted(products, key=lambda product: daily_lot.lot_of("shelf", TODAY - DAY, product.pk))[:3]
    assert drawn == {ref(product) for product in lot}
    assert settling.open_reviews() == 8
    items = ReviewItem.objects.filter(question="shelf")
    assert {(item.about, item.strategy) for item in items} == {(subject, "daily_lot") for subject in drawn}
    assert drift.watched() == ("sentiment", "shelf")
    seen = drift.look("shelf", today=TODAY)
    assert seen is not None
    assert (seen.role, seen.champion) == ("shelf", version)
    page = Client()
    page.force_login(people.ml_engineer())
    assert "3 products a day are drawn" in " ".join(page.get(reverse("console:training")).content.decode().split())
    lot[0].delete()
    assert TrafficSample.objects.filter(question="shelf").count() == 2
