"""A lease hands out each row once, for a time, and fences the write that ends the work."""

from __future__ import annotations

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from core import leases
from core.exceptions import LeaseLost
from core.lifecycle import compare_and_set
from moderation.models.candidates import GenerationRequest
from tests import factories

MINUTE = dt.timedelta(minutes=1)


def queued():
    return GenerationRequest.objects.filter(status="queued").order_by("pk")


@pytest.mark.django_db
def test_a_claim_takes_rows_in_order_with_one_token_and_counts_the_attempt() -> None:
    for _ in range(3):
        factories.generation_request()
    claimed = leases.claim(queued(), n=2, duration=MINUTE, status="generating")
    assert [row.pk for row in claimed] == sorted(row.pk for row in claimed)
    assert len({row.lease_token for row in claimed}) == 1
    assert [row.n_attempts for row in GenerationRequest.objects.filter(status="generating")] == [1, 1]
    assert leases.claim(queued().none(), n=2, duration=MINUTE) == []


@pytest.mark.django_db
def test_an_expired_or_taken_over_lease_cannot_write() -> None:
    factories.generation_request()
    (row,) = leases.claim(queued(), n=1, duration=MINUTE, status="generating")
    with transaction.atomic():
        leases.hold(row)
    GenerationRequest.objects.update(lease_expires_at=timezone.now() - MINUTE)
    with pytest.raises(LeaseLost), transaction.atomic():
        leases.hold(row)
    assert list(leases.expired(GenerationRequest.objects.all())) == [row]
    GenerationRequest.objects.update(lease_token=None, lease_expires_at=timezone.now() + MINUTE)
    with pytest.raises(LeaseLost), transaction.atomic():
        leases.hold(row)


@pytest.mark.django_db
def test_renewing_pushes_the_expiry_out_for_every_row_of_the_token() -> None:
    for _ in range(2):
        factories.generation_request()
    rows = leases.claim(queued(), n=2, duration=MINUTE)
    assert leases.renew(rows, duration=10 * MINUTE) == 2
    rows[0].refresh_from_db()
    assert rows[0].lease_expires_at > timezone.now() + 9 * MINUTE


@pytest.mark.django_db
def test_a_lease_that_ran_out_is_not_renewed() -> None:
    factories.generation_request()
    (row,) = leases.claim(queued(), n=1, duration=MINUTE)
    GenerationRequest.objects.update(lease_expires_at=timezone.now() - MINUTE)
    assert leases.renew([row], duration=MINUTE) == 0


@pytest.mark.django_db
def test_what_is_released_can_be_claimed_after_its_rest_and_only_by_who_holds_it() -> None:
    for _ in range(2):
        factories.generation_request()
    rows = leases.claim(queued(), n=2, duration=MINUTE)
    assert leases.claim(leases.claimable(queued()), n=2, duration=MINUTE) == []
    assert leases.release(rows[:1], error="busy", pause=MINUTE, counts=False) == 1
    rows[0].refresh_from_db()
    assert (rows[0].n_attempts, rows[0].last_error, rows[0].lease_token) == (0, "busy", None)
    assert not leases.claimable(queued()).exists(), "one rests, one is held"
    assert leases.release(rows[1:]) == 1
    assert list(leases.claimable(queued())) == [rows[1]]
    assert leases.release(rows[1:]) == 0, "it is nobody's now"


@pytest.mark.django_db
def test_after_too_many_failures_a_row_is_in_quarantine_until_it_is_readmitted(settings: Any) -> None:
    settings.LEASES = replace(settings.LEASES, max_attempts=2)
    factories.generation_request()
    for is_last in (False, True):
        (row,) = leases.claim(queued(), n=1, duration=MINUTE)
        assert leases.fail(row, error="it does not work") is is_last
    row.refresh_from_db()
    assert row.quarantined_at
    assert row.last_error == "it does not work"
    assert not leases.claimable(queued()).exists()
    assert leases.readmit(row)
    assert not leases.readmit(row), "it was let out already"
    assert leases.claim(leases.claimable(queued()), n=1, duration=MINUTE)[0].n_attempts == 1


@pytest.mark.django_db
def test_a_row_that_kills_its_worker_is_claimed_alone_and_then_never_again(settings: Any) -> None:
    poison, *others = [factories.generation_request() for _ in range(3)]
    for attempt in range(1, settings.LEASES.max_losses + 2):
        claimed = leases.claim(leases.claimable(queued().order_by("created_at")), n=3, duration=MINUTE)
        assert claimed[0] == poison
        assert len(claimed) == (3 if attempt <= leases.SUSPECT_AFTER else 1)
        assert (claimed[0].n_attempts, claimed[0].n_losses) == (1, attempt - 1), "it costs no attempt"
        GenerationRequest.objects.update(lease_expires_at=timezone.now() - MINUTE)  # the worker died
    left = leases.claimable(queued().order_by("created_at"))
    assert [leases.claim(left, n=3, duration=MINUTE) for _ in others] == [[other] for other in others]
    poison.refresh_from_db()
    assert poison.last_error == "its worker died or stalled 10 times"
    assert poison.quarantined_at
    assert leases.readmit(poison)
    poison.refresh_from_db()
    assert (poison.n_attempts, poison.n_losses) == (0, 0)


@pytest.mark.django_db
def test_workers_that_are_killed_again_and_again_cost_no_attempt_and_a_word_of_one_begins_anew(settings: Any) -> None:
    settings.LEASES = replace(settings.LEASES, max_attempts=2, max_losses=4)
    factories.generation_request()
    free = leases.claimable(queued())
    for _ in range(3):
        for losses in range(4):
            (row,) = leases.claim(free, n=1, duration=MINUTE)
            assert (row.n_attempts, row.n_losses) == (1, losses)
            GenerationRequest.objects.update(lease_expires_at=timezone.now() - MINUTE)
        (row,) = leases.claim(free, n=1, duration=MINUTE)
        assert leases.release([row], counts=False) == 1
    row.refresh_from_db()
    assert (row.n_attempts, row.n_losses, row.quarantined_at) == (0, 0, None)


@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_keeps_the_lease_while_one_works_and_not_for_ever(settings: Any) -> None:
    second = dt.timedelta(seconds=2)
    factories.generation_request()
    rows = leases.claim(queued(), n=1, duration=second)
    with leases.heartbeat(rows, duration=second):
        time.sleep(2.6)
        assert _is_held(rows[0])
    settings.LEASES = replace(settings.LEASES, longest_work=dt.timedelta(0))
    with leases.heartbeat(rows, duration=second):
        time.sleep(2.6)
        assert not _is_held(rows[0])


@pytest.mark.django_db
def test_a_large_batch_that_kept_being_unlucky_comes_back_in_smaller_ones_and_not_row_by_row() -> None:
    for _ in range(80):
        factories.generation_request()
    sizes = []
    for attempts in range(5):
        GenerationRequest.objects.update(n_attempts=attempts, lease_token=None, lease_expires_at=None)
        sizes.append(len(leases.claim(leases.claimable(queued()), n=64, duration=MINUTE)))
    assert sizes == [64, 64, 8, 1, 1]


@pytest.mark.django_db(transaction=True)
def test_an_attempt_that_was_forgotten_meanwhile_is_not_taken_back_twice() -> None:
    factories.generation_request()
    rows = leases.claim(queued(), n=1, duration=MINUTE, status="generating")
    GenerationRequest.objects.update(n_attempts=0)
    with pytest.raises(OperationalError), leases.heartbeat(rows, duration=MINUTE), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    (row,) = leases.expired(GenerationRequest.objects.all())
    assert (row.n_attempts, leases.is_lost(row)) == (0, False)
    (again,) = leases.claim(GenerationRequest.objects.all(), n=1, duration=MINUTE)
    assert (again.n_attempts, again.n_losses) == (1, 0), "nobody was lost with it"


@pytest.mark.django_db(transaction=True)
def test_work_that_loses_the_database_keeps_its_attempt_and_is_due_at_once() -> None:
    factories.generation_request()
    rows = leases.claim(queued(), n=1, duration=MINUTE, status="generating")
    with pytest.raises(OperationalError), leases.heartbeat(rows, duration=MINUTE), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    (row,) = leases.expired(GenerationRequest.objects.all())
    assert row.n_attempts == 0
    assert not _is_held(rows[0])


@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_goes_on_for_the_others_when_the_first_is_done() -> None:
    second = dt.timedelta(seconds=2)
    for _ in range(2):
        factories.generation_request()
    first, other = rows = leases.claim(queued(), n=2, duration=second, status="generating")
    with leases.heartbeat(rows, duration=second):
        complete(first)
        time.sleep(2.6)
        assert _is_held(other)


@pytest.mark.django_db
def test_releasing_a_claim_whose_first_row_is_done_releases_the_others_alone() -> None:
    for _ in range(2):
        factories.generation_request()
    first, other = rows = leases.claim(queued(), n=2, duration=MINUTE, status="generating")
    complete(first)
    assert leases.hold_all(rows) == [other]
    assert leases.release(rows, error="the server went away", counts=False) == 1
    first.refresh_from_db()
    assert (first.n_attempts, first.last_error) == (1, "")
    complete(other)
    assert leases.release(rows) == leases.renew(rows, duration=MINUTE) == 0


def complete(row: GenerationRequest) -> None:
    moves = {"generating": ("completed",)}
    assert compare_and_set(row, moves=moves, from_="generating", to="completed", **leases.NO_LEASE)


def _is_held(row: GenerationRequest) -> bool:
    with transaction.atomic():
        return leases.hold_all([row]) == [row]


@pytest.mark.django_db(transaction=True)
def test_sixteen_claimants_at_once_never_get_the_same_row() -> None:
    for _ in range(60):
        factories.generation_request()

    def work(_: int) -> list[object]:
        try:
            taken = []
            while rows := leases.claim(queued(), n=3, duration=MINUTE, status="generating"):
                taken += [row.pk for row in rows]
            return taken
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        taken = [pk for pks in pool.map(work, range(16)) for pk in pks]
    assert len(taken) == len(set(taken)) == 60


@pytest.mark.django_db
def test_a_claim_is_one_round_trip_and_brings_rows_as_the_table_has_them(django_assert_num_queries: Any) -> None:
    order = factories.generation_request(params={"temperature": 0.2})
    waiting = leases.claimable(queued())
    with django_assert_num_queries(1):
        (row,) = leases.claim(waiting, n=1, duration=MINUTE, status="generating")
    stored = GenerationRequest.objects.get(pk=order.pk)
    assert {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields} == {
        f.attname: getattr(stored, f.attname) for f in row._meta.concrete_fields
    }
    assert (row.params, row.status, row.n_attempts) == ({"temperature": 0.2}, "generating", 1)


@pytest.mark.django_db
def test_a_spent_row_keeps_nobody_from_the_rows_behind_it() -> None:
    spent, *others = [factories.generation_request() for _ in range(3)]
    GenerationRequest.objects.filter(pk=spent.pk).update(n_attempts=5)
    assert leases.claim(leases.claimable(queued().order_by("created_at")), n=3, duration=MINUTE) == others
    spent.refresh_from_db()
    assert spent.quarantined_at


@pytest.mark.django_db
def test_a_claim_that_is_rolled_back_never_was() -> None:
    factories.generation_request()
    with transaction.atomic():
        assert leases.claim(queued(), n=1, duration=MINUTE, status="generating")
        transaction.set_rollback(True)
    (row,) = leases.claim(leases.claimable(queued()), n=1, duration=MINUTE)
    assert row.n_attempts == 1


@pytest.mark.django_db(transaction=True)
def test_renewing_passes_over_a_row_that_is_being_written_and_renews_the_others() -> None:
    for _ in range(2):
        factories.generation_request()
    rows = leases.claim(queued(), n=2, duration=MINUTE)

    def renew() -> int:
        try:
            return leases.renew(rows, duration=10 * MINUTE)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        leases.hold(rows[0])
        assert pool.submit(renew).result(timeout=10) == 1
    assert leases.renew(rows, duration=MINUTE) == 2
