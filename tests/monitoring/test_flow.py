"""Whether the work moves, stage by stage, and when it will be through."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.question import queue_names
from moderation.models.candidates import GenerationRequest
from moderation.models.reviews import ReviewItem
from monitoring import flow
from monitoring.flow import Stage
from tests import factories as make

MINUTE = dt.timedelta(minutes=1)


def stage(key: str) -> Stage:
    return next(found for found in flow.stages() if found.key == key)


def left(*slots: int) -> tuple[int, ...]:
    return (0,) * (flow.N_SLOTS - len(slots)) + slots


@pytest.mark.django_db
def test_depth_oldest_and_what_left_are_those_of_the_tables() -> None:
    for minutes in (1, 7, 14, 40, 61):
        make.generation_request(status="completed", finished_at=timezone.now() - minutes * MINUTE)
    order = make.generation_request()
    GenerationRequest.objects.filter(pk=order.pk).update(created_at=timezone.now() - 50 * MINUTE)
    make.generation_request(quarantined_at=timezone.now(), status="failed")
    found = stage("requested")
    assert (found.depth, found.left_15_min, found.left_hour) == (1, 3, 4)
    assert (found.left[-1], found.left[-2], found.left[-3], found.left[-9]) == (1, 1, 1, 1)
    assert 50 * MINUTE <= found.oldest < 51 * MINUTE
    assert found.in_words() == "about 5 minutes at the pace of the last 15 minutes"


@pytest.mark.django_db
def test_people_are_a_stage_for_each_queue_and_both_kinds_of_waiting_count() -> None:
    make.review_item(age=dt.timedelta(hours=2))
    make.review_item(status="escalated")
    make.review_item(status="decided", decided_at=timezone.now() - MINUTE)
    assert (stage("copy_verdict").depth, stage("copy_verdict").left_hour) == (2, 1)
    assert stage("sentiment").in_words() == "nothing waits"


def test_words_say_how_long_it_takes_or_that_nothing_moves() -> None:
    hour = dt.timedelta(hours=1)
    assert (
        Stage("k", "t", 40, hour, left(10, 10, 10), MINUTE).in_words()
        == "about 20 minutes at the pace of the last 15 minutes"
    )
    assert Stage("k", "t", 1, hour, left(99), MINUTE).in_words() == "about 1 minute at the pace of the last 15 minutes"
    moved_before = Stage("k", "t", 40, hour, left(5, 0, 0, 0, 0, 0, 0), 30 * MINUTE)
    assert moved_before.in_words() == "nothing moved for 30 minutes"
    assert moved_before.is_still
    assert Stage("k", "t", 40, hour, left(0)).in_words() == "nothing moved for 60 minutes"
    fresh = Stage("k", "t", 1, MINUTE, left(0))
    assert fresh.in_words() == "came just now"
    assert not fresh.is_still


@pytest.mark.django_db
def test_it_takes_the_same_number_of_queries_however_much_there_is() -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            flow.stages()
        return len(seen)

    empty = count()
    for _ in range(5):
        make.review_item(make.candidate(status="in_review"))
        make.review_item(make.customer_review())
    ReviewItem.objects.update(status="decided", decided_at=timezone.now())
    assert count() == empty == 10 + 2 * len(queue_names())
