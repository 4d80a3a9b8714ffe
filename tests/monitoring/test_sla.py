"""How long people's part takes, against cases computed by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.actors import SystemActor
from moderation.models.reviews import ReviewItem
from moderation.queues import rules
from monitoring import sla
from tests import factories as make

pytestmark = pytest.mark.django_db
HOUR, MINUTE, SECOND = dt.timedelta(hours=1), dt.timedelta(minutes=1), dt.timedelta(seconds=1)


def decided(*, waited: dt.timedelta, handled: dt.timedelta, ago: dt.timedelta = 5 * MINUTE, **fields: Any) -> None:
    end = timezone.now() - ago
    item = make.review_item(status="decided", decided_at=end, claimed_at=end - handled, **fields)
    ReviewItem.objects.filter(pk=item.pk).update(created_at=end - handled - waited)


def report(window: dt.timedelta = HOUR) -> sla.Report:
    return sla.reports(window=window)[0]


def test_percentiles_are_those_computed_by_hand() -> None:
    for minutes in (10, 20, 30, 40, 50):
        decided(waited=minutes * MINUTE, handled=minutes * SECOND)
    decided(waited=100 * HOUR, handled=HOUR, ago=2 * HOUR)  # before the window
    waiting, handling, total = report().clocks
    # Of five values the q-th lies at position 4q: 2, 3.6 and 3.96, interpolated between neighbours.
    assert (waiting.p50, waiting.p90, waiting.p99) == (30 * MINUTE, 46 * MINUTE, 49.6 * MINUTE)
    assert (handling.p50, handling.p90, handling.p99) == (30 * SECOND, 46 * SECOND, 49.6 * SECOND)
    assert total.p90 == 46 * MINUTE + 46 * SECOND


def test_an_item_that_nobody_took_first_counts_in_the_total_alone() -> None:
    item = make.review_item(status="decided", decided_at=timezone.now(), age=HOUR)
    assert item.claimed_at is None
    assert [clock.name for clock in report().clocks] == ["total"]


def test_breaches_are_counted_among_the_open_and_the_decided() -> None:
    rules.set_policy("copy_verdict", actor=SystemActor("tests"), sla_minutes=60)
    make.review_item(age=2 * HOUR)
    make.review_item(age=2 * HOUR, status="escalated")
    make.review_item(age=50 * MINUTE)
    make.review_item(make.customer_review(), age=2 * HOUR)  # another queue, another SLA
    decided(waited=55 * MINUTE, handled=4 * MINUTE)
    decided(waited=55 * MINUTE, handled=6 * MINUTE)
    found = report()
    assert (found.n_open, found.n_overdue, found.n_decided, found.n_late) == (3, 2, 2, 1)
    assert sla.reports(window=HOUR)[1].n_overdue == 0


def test_the_forecast_follows_littles_law_and_the_order_of_the_queue() -> None:
    rules.set_policy("copy_verdict", actor=SystemActor("tests"), sla_minutes=60)
    for _ in range(6):
        decided(waited=MINUTE, handled=MINUTE)
    for n in range(10):
        make.review_item(age=n * SECOND)
    found = report()
    # Six an hour, so one in ten minutes: the k-th of ten is decided after 10 k minutes, of which five are in time.
    assert found.wait_now == 100 * MINUTE
    assert found.n_due == 5
    assert "all that is open takes 100 minutes" in found.forecast()
    assert f"{found.n_due} of 10 open ones too late" in found.forecast()


def test_it_says_so_when_there_is_too_little_to_forecast_from() -> None:
    assert report().forecast() == "Nothing is open."
    make.review_item()
    decided(waited=MINUTE, handled=MINUTE)
    found = report()
    assert found.wait_now is None
    assert found.n_due is None
    assert found.forecast() == "Too little to forecast from: 1 decided in the last 60 minutes."


def test_it_takes_the_same_number_of_queries_however_much_there_is() -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as seen:
            sla.reports(window=HOUR)
        return len(seen)

    empty = count()
    for _ in range(5):
        decided(waited=MINUTE, handled=MINUTE)
        make.review_item(make.customer_review())
    assert count() == empty == 3
