"""Time-limited claims on rows: the one way work is handed out, to drainers and to people.

Claiming uses `SKIP LOCKED`, so claimants never wait for each other and never get the same row. The token
fences the write that ends the work: a worker paused past its lease cannot commit. Times are the database's, so clocks
of workers need not agree.

An attempt is counted when a row is claimed, and taken back when its holder was never heard of again: a worker that is
killed or stopped costs its rows nothing. That it was lost is counted by itself (`n_losses`, in a row), so that a row
which kills its workers is singled out. After too many of either a row goes into quarantine, with its error, until a
person readmits it.

As in procrastinate's `fetch_job`, Coop's `dequeueNextJobWithLock`, and the visibility time-out of SQS.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Cast, Concat, Greatest, Now
from django.db.utils import Error as DatabaseError
from django.db.utils import InterfaceError, OperationalError

from core import claims
from core.claims import GIVEN_UP
from core.exceptions import LeaseLost

log = logging.getLogger(__name__)
# The database is away, or cut our connection: no fault of the rows that are worked on (see `heartbeat`).
DATABASE_AWAY = (OperationalError, InterfaceError)
# A lease that its holder ended: whoever had the row before and was lost is forgotten.
NO_LEASE: dict[str, Any] = {"lease_token": None, "lease_expires_at": None, "n_losses": 0}
# An attempt taken back. Some work begins its count anew while it is at it: there is none to take back then.
ONE_LESS = Greatest(F("n_attempts") - 1, 0)
# From this many attempts and losses on a row is claimed in ever smaller company, an eighth each time, and alone for its
# last attempt: what makes a batch fail is singled out, and a batch that was only unlucky does not come back row by row.
SUSPECT_AFTER, SHRINK = 2, 8
LONGEST_PAUSE = dt.timedelta(hours=1)
LONGEST_ERROR = 2000


class Leased(models.Model):
    """Columns of a row that can be leased. Without a token but with an expiry it rests until then: a back-off."""

    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    n_attempts = models.PositiveIntegerField(default=0, editable=False)
    n_losses = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="times in a row that its worker was lost with it"
    )
    last_error = models.TextField(blank=True, editable=False)
    quarantined_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="failed too often; nobody gets it until a person readmits it"
    )

    class Meta:
        abstract = True


M = TypeVar("M", bound=models.Model)
L = TypeVar("L", bound=Leased)


def claimable(queryset: models.QuerySet[L]) -> models.QuerySet[L]:
    """Rows of `queryset` that nobody holds, that need no rest, and that are not in quarantine."""
    return queryset.filter(Q(lease_expires_at=None) | Q(lease_expires_at__lt=Now()), quarantined_at=None)


def claim(
    queryset: models.QuerySet[L], *, n: int, duration: dt.timedelta, unlimited: bool = False, **updates: Any
) -> list[L]:
    """Lease up to `n` rows of the ordered `queryset` for `duration`, set `updates` on them, and return them in order.

    Rows that another claimant is looking at are skipped. Every returned row carries the same new `lease_token`; its
    `n_attempts` went up by one, or its `n_losses` where its last holder was lost. Rows that were tried or lost
    `SUSPECT_AFTER` times come in smaller batches, in the end alone, and one whose attempts or losses are used up
    (`max_attempts`, `max_losses` of settings.LEASES) goes into quarantine instead. `unlimited` is for people, whose
    attempts cost nothing, and for rows that are never given up. Related rows are not fetched along.
    """
    if unlimited:
        return claims.claim(queryset, n=n, duration=duration, updates=updates)
    most = (settings.LEASES.max_attempts, settings.LEASES.max_losses)
    company = [max_batch_size_for(n_tries, n) for n_tries in range(sum(most))]
    rows = claims.claim(queryset, n=n, duration=duration, updates=updates, company=company, most=most)
    if len(rows) < n:  # while the queue is long, what is spent only stays out of the way
        _quarantine(queryset.filter(Q(n_attempts__gte=most[0]) | Q(n_losses__gte=most[1])))
    return rows


def max_batch_size_for(n_tries: int, n: int) -> int:
    """Return in how large a batch of at most `n` a row belongs that was tried or lost `n_tries` times."""
    if n_tries < SUSPECT_AFTER:
        return n
    is_last = n_tries >= settings.LEASES.max_attempts - 1
    return 1 if is_last else max(1, n // SHRINK ** (n_tries - SUSPECT_AFTER + 1))


def _quarantine(spent: models.QuerySet[L]) -> None:
    """Put rows aside that were used up without an error: whoever had them never came back to say one."""
    times = Cast(Greatest("n_attempts", "n_losses"), models.CharField())
    error = Concat(Value("its worker died or stalled "), times, Value(" times"))
    spent.order_by().update(quarantined_at=Now(), last_error=error, **NO_LEASE)


def renew(rows: Sequence[Leased], *, duration: dt.timedelta) -> int:
    """Push the expiry of those of `rows` (one claim) that are still held out to now + `duration`. Returns how many.

    A lease that has run out stays so: somebody else may be looking at the row. A row that is locked is passed over: who
    holds it is writing its result, and to wait for that, with other rows locked, could end in a deadlock.
    """
    if not rows:
        return 0
    with transaction.atomic():
        held = _ours(rows).filter(lease_expires_at__gt=Now()).select_for_update(skip_locked=True, no_key=True)
        free = held.values_list("pk", flat=True)
        return _ours(rows).filter(pk__in=list(free)).update(lease_expires_at=Now() + duration)


@contextmanager
def heartbeat(rows: Sequence[Leased], *, duration: dt.timedelta, longest: dt.timedelta | None = None) -> Iterator[None]:
    """Renew the lease on `rows` (one claim) while the block runs; what hangs for `longest`
    (`longest_work` of settings.LEASES) loses it.

    Renews from a thread with a connection of its own, every third of `duration`; a paused process renews nothing.
    When the block loses the database, the rows are due again as soon as that is back, and keep their attempt.
    """
    if not rows or rows[0].lease_token is None:
        yield
        return
    done = threading.Event()
    beat = threading.Thread(target=_beat, args=(rows, duration, longest, done), daemon=True, name="lease heartbeat")
    beat.start()
    is_database_away = False
    try:
        yield
    except DATABASE_AWAY:
        is_database_away = True
        raise
    finally:
        done.set()
        beat.join()
        if is_database_away:
            refund_attempt(rows, patience=duration)


def _beat(rows: Sequence[Leased], duration: dt.timedelta, longest: dt.timedelta | None, done: threading.Event) -> None:
    until = time.monotonic() + (longest or settings.LEASES.longest_work).total_seconds()
    try:
        while not done.wait(duration.total_seconds() / 3) and time.monotonic() < until:
            try:
                renew(rows, duration=duration)
            except DatabaseError as exc:  # the next beat asks again; without one the lease runs out
                log.warning("a lease could not be renewed (%s)", type(exc).__name__)
                connection.close()
    finally:
        connection.close()


def refund_attempt(rows: Sequence[Leased], *, patience: dt.timedelta) -> None:
    """Take the attempt at `rows` back and end their lease. Tries for as long as `patience`: by then it has run out."""
    until = time.monotonic() + patience.total_seconds()
    while time.monotonic() < until:
        try:
            # With a token still: who finds an expired lease with one knows that the work was begun.
            _ours(rows).update(n_attempts=ONE_LESS, lease_expires_at=Now(), lease_token=GIVEN_UP)
            return
        except DATABASE_AWAY:
            connection.close()
            time.sleep(0.5)


def hold(row: Leased) -> None:
    """Lock `row` and make sure its lease is still ours; call inside the transaction that writes the result.

    Raises `LeaseLost` when the token changed or the lease expired: what was computed belongs to nobody then.
    """
    if not hold_all([row]):
        raise LeaseLost(f"the lease on {type(row).__name__} {row.pk} was lost")


def hold_all(rows: Sequence[L]) -> list[L]:
    """Lock those of `rows` (one claim) whose lease is still ours, and return them; inside the writing transaction."""
    if not rows:
        return []
    # Not as if their keys changed: rows that point at these could not be committed meanwhile, with the ledger's lock in
    # their hands.
    held = _ours(rows).filter(lease_expires_at__gt=Now()).select_for_update(no_key=True).order_by("pk")
    kept = set(held.values_list("pk", flat=True))
    return [row for row in rows if row.pk in kept]


def _ours(rows: Sequence[L]) -> models.QuerySet[L]:
    """Those of `rows` (one claim) that nobody took over and that are not done."""
    manager = type(rows[0])._default_manager
    # Whoever finishes a row takes the token off the instance too: the first may have none any more.
    token = next((row.lease_token for row in rows if row.lease_token), None)
    if token is None:
        return manager.none()
    # By primary key: there is no index on tokens, which change with every claim.
    return manager.filter(pk__in=[row.pk for row in rows], lease_token=token)


def release(
    rows: Sequence[L], *, error: str = "", pause: dt.timedelta | None = None, counts: bool = True, **updates: Any
) -> int:
    """End the lease on `rows` (one claim) and set `updates`; rows that somebody else took over are left alone.

    With `pause` they rest that long. `counts=False` takes the attempt back: the failure was not theirs. Returns how
    many were still ours.
    """
    if not rows:
        return 0
    changes: dict[str, Any] = {**NO_LEASE, "lease_expires_at": Now() + pause if pause else None, **updates}
    changes.setdefault("last_error", error[:LONGEST_ERROR])
    if not counts:
        changes["n_attempts"] = ONE_LESS
    return _ours(rows).update(**changes)


def fail(row: Leased, *, error: str) -> bool:
    """End the lease on a row whose work failed: it rests longer each time, and goes into quarantine in the end.

    Returns whether it went there.
    """
    if is_spent(row):
        return bool(release([row], error=error, quarantined_at=Now()))
    release([row], error=error, pause=backoff(row.n_attempts))
    return False


def is_spent(row: Leased) -> bool:
    """Whether `row`, as claimed, is on its last attempt."""
    return row.n_attempts >= settings.LEASES.max_attempts


def is_lost(row: Leased) -> bool:
    """Whether the holder of `row`, whose lease ran out, was never heard of again: it is no fault of the row, so far."""
    return row.lease_token not in (None, GIVEN_UP)


def backoff(n_attempts: int) -> dt.timedelta:
    """Return how long a row rests after its `n_attempts`-th failure: 2, 4, 8 … s, at most `LONGEST_PAUSE`."""
    return min(dt.timedelta(seconds=2 ** min(n_attempts, 12)), LONGEST_PAUSE)


def readmit(row: Leased) -> bool:
    """Let `row` out of quarantine with fresh attempts. Returns whether it was in there."""
    quarantined = type(row)._default_manager.filter(pk=row.pk, quarantined_at__isnull=False)
    return bool(quarantined.update(quarantined_at=None, n_attempts=0, **NO_LEASE))


def expired(queryset: models.QuerySet[M]) -> models.QuerySet[M]:
    """Rows of `queryset` that somebody held and whose lease has run out."""
    return queryset.filter(lease_token__isnull=False, lease_expires_at__lt=Now())
