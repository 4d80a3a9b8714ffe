"""Time-limited claims on rows: the one way work is handed out, to drainers and to people.

A lease is three columns. Claiming uses `FOR UPDATE SKIP LOCKED`, so claimants never wait for each other and never get
the same row; the token fences the write that ends the work, so that a worker paused past its lease cannot commit.
As in procrastinate's `fetch_job` and Coop's `dequeueNextJobWithLock`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, TypeVar

from django.db import models, transaction
from django.utils import timezone

from core.exceptions import LeaseLost


class Leased(models.Model):
    """Columns of a row that can be leased."""

    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    n_attempts = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        abstract = True


M = TypeVar("M", bound=models.Model)

NO_LEASE: dict[str, Any] = {"lease_token": None, "lease_expires_at": None}


def claim(queryset: models.QuerySet[M], *, n: int, duration: dt.timedelta, **updates: Any) -> list[M]:
    """Lease up to `n` rows of the ordered `queryset` for `duration`, set `updates` on them, and return them in order.

    Rows that another claimant is looking at are skipped. Every returned row carries the same new `lease_token`; its
    `n_attempts` went up by one.
    """
    token = uuid.uuid4()
    expires_at = timezone.now() + duration
    with transaction.atomic():
        rows = list(queryset.select_for_update(skip_locked=True, of=("self",))[:n])
        if not rows:
            return []
        changes = {**updates, "lease_token": token, "lease_expires_at": expires_at}
        queryset.model._default_manager.filter(pk__in=[row.pk for row in rows]).update(
            n_attempts=models.F("n_attempts") + 1, **changes
        )
    for row in rows:
        for name, value in {**changes, "n_attempts": row.n_attempts + 1}.items():  # type: ignore[attr-defined]
            setattr(row, name, value)
    return rows


def renew(model: type[models.Model], *, token: uuid.UUID, duration: dt.timedelta) -> int:
    """Push the expiry of every row held under `token` out to now + `duration`. Returns how many rows are still held."""
    return model._default_manager.filter(lease_token=token).update(lease_expires_at=timezone.now() + duration)


def hold(row: Leased) -> None:
    """Lock `row` and make sure its lease is still ours; call inside the transaction that writes the result.

    Raises `LeaseLost` when the token changed or the lease expired: what was computed belongs to nobody then.
    """
    still_ours = (
        type(row)
        ._default_manager.select_for_update()
        .filter(pk=row.pk, lease_token=row.lease_token, lease_expires_at__gt=timezone.now())
        .exists()
    )
    if not still_ours:
        raise LeaseLost(f"the lease on {type(row).__name__} {row.pk} was lost")


def expired(queryset: models.QuerySet[M]) -> models.QuerySet[M]:
    """Rows of `queryset` whose lease has run out."""
    return queryset.filter(lease_expires_at__lt=timezone.now())
