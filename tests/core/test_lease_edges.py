"""The small print of leases: who may have a row and who not, what is written on it, and how the heart beats."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from core import leases
from core.exceptions import LeaseLost
from moderation.models.candidates import GenerationRequest
from tests import factories

MINUTE = dt.timedelta(minutes=1)


def queued():
    return GenerationRequest.objects.filter(status="queued").order_by("pk")


@pytest.mark.django_db
def test_the_columns_of_a_lease_are_those_of_the_tables() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.django_db
def test_people_may_take_a_row_however_often_it_was_tried(settings: Any) -> None:
    row = factories.generation_request(n_attempts=settings.LEASES.max_attempts)
    (claimed,) = leases.claim(queued(), n=2, duration=MINUTE, unlimited=True)
    assert (claimed.pk, claimed.n_attempts) == (row.pk, settings.LEASES.max_attempts + 1)
    row.refresh_from_db()
    assert row.quarantined_at is None


@pytest.mark.django_db
def test_while_the_queue_is_long_what_is_spent_only_stays_out_of_the_way() -> None:
    spent = factories.generation_request(n_attempts=7, lease_token=uuid.uuid4())
    factories.generation_request()
    (first,) = leases.claim(leases.claimable(queued()), n=1, duration=MINUTE)
    spent.refresh_from_db()
    assert first != spent
    assert (spent.quarantined_at, spent.last_error) == (None, "")
    assert leases.claim(leases.claimable(queued()), n=1, duration=MINUTE) == []
    spent.refresh_from_db()
    assert timezone.now() - MINUTE < spent.quarantined_at <= timezone.now()
    assert (spent.last_error, spent.lease_token) == ("its worker died or stalled 7 times", None)


@pytest.mark.django_db
def test_a_row_on_its_last_attempt_is_quarantined_only_when_that_is_over(settings: Any) -> None:
    factories.generation_request(n_attempts=settings.LEASES.max_attempts - 1)
    (row,) = leases.claim(leases.claimable(queued()), n=2, duration=MINUTE)
    assert leases.is_spent(row)
    row.refresh_from_db()
    assert row.quarantined_at is None


@pytest.mark.django_db
def test_rows_in_quarantine_or_at_rest_or_in_hands_cannot_be_claimed_and_what_ran_out_can() -> None:
    now = timezone.now()
    for fields in (
        {"quarantined_at": now},
        {"lease_expires_at": now + MINUTE},
        {"lease_expires_at": now + MINUTE, "lease_token": uuid.uuid4()},
    ):
        factories.generation_request(**fields)
    rested = factories.generation_request(lease_expires_at=now - MINUTE)
    left = factories.generation_request(lease_expires_at=now - MINUTE, lease_token=uuid.uuid4())
    fresh = factories.generation_request()
    assert set(leases.claimable(queued())) == {rested, left, fresh}
    assert list(leases.expired(queued())) == [left]


@pytest.mark.django_db
def test_a_failed_row_rests_longer_each_time_and_an_hour_at_most() -> None:
    assert [leases.backoff(n).total_seconds() for n in (1, 2, 3, 11, 12, 13, 50)] == [2, 4, 8, 2048, 3600, 3600, 3600]
    factories.generation_request()
    (row,) = leases.claim(queued(), n=1, duration=10 * MINUTE)
    assert leases.fail(row, error="busy") is False
    row.refresh_from_db()
    assert dt.timedelta(0) < row.lease_expires_at - timezone.now() <= dt.timedelta(seconds=2)
    assert (row.lease_token, row.n_attempts, row.last_error, row.quarantined_at) == (None, 1, "busy", None)


@pytest.mark.django_db
def test_who_lost_a_row_cannot_put_it_into_quarantine(settings: Any) -> None:
    factories.generation_request(n_attempts=settings.LEASES.max_attempts - 1)
    (row,) = leases.claim(queued(), n=1, duration=MINUTE)
    GenerationRequest.objects.update(lease_token=uuid.uuid4())
    assert leases.fail(row, error="busy") is False
    row.refresh_from_db()
    assert (row.quarantined_at, row.last_error) == (None, "")


@pytest.mark.django_db
def test_a_release_keeps_the_beginning_of_a_long_error_and_writes_what_comes_with_it() -> None:
    factories.generation_request()
    rows = leases.claim(queued(), n=1, duration=MINUTE, status="generating")
    assert leases.release(rows, error="x" * 3000, status="failed") == 1
    rows[0].refresh_from_db()
    assert (rows[0].last_error, rows[0].status) == ("x" * 2000, "failed")
    assert (rows[0].n_attempts, rows[0].lease_token, rows[0].lease_expires_at) == (1, None, None)


@pytest.mark.django_db
def test_what_is_readmitted_is_free_and_fresh() -> None:
    row, other = (
        factories.generation_request(
            n_attempts=5,
            quarantined_at=timezone.now(),
            lease_token=uuid.uuid4(),
            lease_expires_at=timezone.now() + MINUTE,
        )
        for _ in range(2)
    )
    assert leases.readmit(row)
    row.refresh_from_db()
    assert (row.n_attempts, row.quarantined_at, row.lease_token, row.lease_expires_at) == (0, None, None, None)
    other.refresh_from_db()
    assert other.quarantined_at


@pytest.mark.django_db
def test_of_nothing_nothing_is_held_renewed_or_released() -> None:
    assert leases.hold_all([]) == []
    assert leases.renew([], duration=MINUTE) == leases.release([]) == 0


@pytest.mark.django_db
def test_only_rows_of_the_claim_are_held_and_in_the_order_in_which_they_were_given() -> None:
    for _ in range(3):
        factories.generation_request()
    one, two, three = rows = leases.claim(queued(), n=3, duration=MINUTE)
    assert leases.hold_all(rows[::-1]) == [three, two, one]
    assert leases.renew([one], duration=10 * MINUTE) == 1
    two.refresh_from_db()
    assert two.lease_expires_at < timezone.now() + 2 * MINUTE
    two.lease_token = uuid.uuid4()
    with pytest.raises(LeaseLost, match=f"the lease on GenerationRequest {two.pk} was lost"):
        leases.hold(two)


def _fail_at(rows: list[GenerationRequest], beats: list[threading.Thread]) -> None:
    """Work that fails, after a look at the heart."""
    (beat,) = beats
    assert beat.daemon, "it keeps no process alive"
    raise LookupError(rows)


def _beats() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "lease heartbeat"]


@pytest.mark.django_db
def test_a_heart_beats_while_the_work_runs_and_only_for_what_is_leased() -> None:
    row = factories.generation_request()
    for nothing in ([], [row]):
        with leases.heartbeat(nothing, duration=MINUTE):
            assert not _beats()
    rows = leases.claim(queued(), n=1, duration=MINUTE)
    with pytest.raises(LookupError), leases.heartbeat(rows, duration=MINUTE):
        _fail_at(rows, _beats())
    assert not _beats()
    rows[0].refresh_from_db()
    assert rows[0].n_attempts == 1, "the failure was the row's"
    assert rows[0].lease_expires_at > timezone.now()


@pytest.mark.django_db
def test_a_beat_that_fails_is_told_and_the_next_one_comes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    def renew(rows: Any, *, duration: dt.timedelta) -> int:
        asked.append((rows, duration))
        raise OperationalError("the server is away")

    monkeypatch.setattr(leases, "renew", renew)
    factories.generation_request()
    rows, short = leases.claim(queued(), n=1, duration=MINUTE), dt.timedelta(seconds=0.3)
    with caplog.at_level(logging.WARNING), leases.heartbeat(rows, duration=short):
        time.sleep(1)
    assert len(asked) >= 2
    assert asked[0] == (rows, short)
    assert caplog.messages[0] == "a lease could not be renewed (OperationalError)"


@pytest.mark.django_db
def test_work_that_takes_longer_than_it_may_is_renewed_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(leases, "renew", lambda rows, *, duration: asked.append(rows))
    factories.generation_request()
    rows = leases.claim(queued(), n=1, duration=MINUTE)
    with leases.heartbeat(rows, duration=dt.timedelta(seconds=0.3), longest=dt.timedelta(milliseconds=1)):
        time.sleep(0.5)
        assert not _beats()
    assert not asked


@pytest.mark.django_db(transaction=True)
def test_rows_may_come_to_point_at_a_leased_one_meanwhile() -> None:
    factories.generation_request()
    rows = leases.claim(queued(), n=1, duration=MINUTE)

    def renew_and_hold() -> tuple[int, bool]:
        try:
            with transaction.atomic():
                return leases.renew(rows, duration=MINUTE), leases.hold_all(rows) == rows
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic(), connection.cursor() as cursor:
        factories.candidate(request=rows[0])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # which locks the row that is pointed at
        assert pool.submit(renew_and_hold).result(timeout=10) == (1, True)


def test_the_last_try_of_a_row_is_made_alone(settings: Any) -> None:
    """Where few tries are left the batch would still be large then, and one bad row would stop all of it."""
    settings.LEASES = replace(settings.LEASES, max_attempts=4)
    assert [leases.max_batch_size_for(n_tries, 1_000) for n_tries in range(6)] == [1_000, 1_000, 125, 1, 1, 1]
