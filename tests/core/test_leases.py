"""A lease hands out each row once, for a time, and fences the write that ends the work."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.utils import timezone

from core import leases
from core.exceptions import LeaseLost
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
    assert leases.renew(GenerationRequest, token=rows[0].lease_token, duration=10 * MINUTE) == 2
    rows[0].refresh_from_db()
    assert rows[0].lease_expires_at > timezone.now() + 9 * MINUTE


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
