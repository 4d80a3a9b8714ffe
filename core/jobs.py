"""Long work in the background: a row that one worker at a time holds for minutes or hours, and that says how far it is.

Leases (`core.leases`) hand it out and fence what it writes. Here is what long work needs besides: a stage with its
steps, which people see, each word of which renews the lease; and one way of ending, whatever happens to the worker.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from core import leases
from core.exceptions import LeaseLost
from core.leases import Leased

log = logging.getLogger(__name__)
# A job that says nothing for so many leases' time is taken for dead: to load a model, or to write, takes less.
PATIENT = 5
L = TypeVar("L", bound=Leased)
J = TypeVar("J", bound="LongJob")


class LongJob(Leased):
    """Columns of a row of long work: what its worker is at, and how far."""

    stage = models.CharField(max_length=80, blank=True, editable=False)
    n_total = models.PositiveIntegerField(default=0, editable=False, help_text="steps of the stage")
    n_done = models.PositiveIntegerField(default=0, editable=False)
    stage_began_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def percent(self) -> int:
        """How much of the present stage is done, 0 to 100."""
        return round(100 * self.n_done / self.n_total) if self.n_total else 0

    @property
    def time_left(self) -> dt.timedelta | None:
        """How long the present stage will go on at the pace it had so far; None where nobody can tell yet."""
        if not self.stage or self.stage_began_at is None or not 0 < self.n_done < self.n_total:
            return None
        return (timezone.now() - self.stage_began_at) * ((self.n_total - self.n_done) / self.n_done)


def patience() -> dt.timedelta:
    """Return for how long a job may say nothing."""
    return PATIENT * settings.LEASES.work


def _rest(job: Leased, error: str) -> None:
    leases.fail(job, error=error)


def work_on(
    job: L,
    work: Callable[[L], None],
    *,
    duration: dt.timedelta | None = None,
    longest: dt.timedelta | None = None,
    on_failure: Callable[[L, str], None] = _rest,
) -> None:
    """Do `work` on a claimed `job`, whose lease is renewed by `duration` (`patience`) meanwhile, for `longest` at most.

    `work` releases the job when it is done. What it raises ends it: a job that another worker took over is left alone;
    one that failed goes to `on_failure` with the error in words, by default it rests and is tried again. Raises what
    says that the database is away: the job is due again then, and keeps its attempt.
    """
    try:
        # What says nothing for long, a large evaluation, keeps its lease too.
        with leases.heartbeat([job], duration=duration or patience(), longest=longest):
            work(job)
    except leases.DATABASE_AWAY:
        raise
    except LeaseLost:
        log.warning("the %s %s was taken over by another worker", job._meta.verbose_name, job.pk)
    except Exception as exc:
        log.exception("the %s %s failed", job._meta.verbose_name, job.pk)
        on_failure(job, f"{type(exc).__name__}: {exc}")


def update_held(job: Leased, **fields: Any) -> None:
    """Write `fields` of a job that is ours, which renews its lease by `patience`.

    Raises `LeaseLost` when another worker took over: two do not work on it at once.
    """
    ours = type(job)._default_manager.filter(pk=job.pk, lease_token=job.lease_token)
    if not ours.update(lease_expires_at=Now() + patience(), **fields):
        raise LeaseLost(f"the lease on the {job._meta.verbose_name} {job.pk} was lost")
    for name, value in fields.items():
        setattr(job, name, value)


def report_progress(job: LongJob, stage: str, done: int, of: int) -> None:
    """Note that `done` of `of` steps of `stage` are done. Raises as `update_held`."""
    began = {} if stage == job.stage else {"stage_began_at": timezone.now()}
    update_held(job, stage=stage, n_done=done, n_total=of, **began)
