"""An import of labels that is killed with SIGKILL in the middle, by a real process: finished by another one."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from audit.models import LedgerEntry
from catalog.models import CustomerReview
from core.refs import ref
from labeling.models import Label
from moderation.label_exchange import jobs
from moderation.label_exchange.records import Rules
from moderation.models.label_jobs import LabelJob
from tests import people
from tests.warm import WarmProcess
from tests.workers import environment, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
N, BATCH = 300, 10
CODE = f"""
import django, time; django.setup()
from moderation.label_exchange import importing, working
from moderation.models.label_jobs import LabelJob
importing.BATCH = {BATCH}
while LabelJob.objects.filter(status__in=("planned", "running")).exists():
    working.run_next() or time.sleep(0.2)
"""


def test_an_import_that_is_killed_goes_on_at_its_last_batch(tmp_path: Path) -> None:
    rows = "\n".join(["text,label", *(f"Review {i},positive" for i in range(N))]).encode()
    job, _ = jobs.plan_import([rows], file_name="labels.csv", rules=Rules(), actor=people.ml_engineer())

    def worker() -> WarmProcess:
        environ = {**environment(), "WORK_LEASE_S": "3"}
        return WarmProcess(["-c", CODE], env=environ, log=tmp_path / "worker.log")

    first = worker()
    try:
        wait_for(lambda: Label.objects.count() >= 2 * BATCH, what="the first batches")
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    job.refresh_from_db()
    assert (job.status, job.run is not None) == ("running", True)
    at_death = Label.objects.count()
    assert at_death < N, "it was killed too late to show anything"
    LabelJob.objects.update(lease_expires_at=job.created_at)  # the patience of a lease need not be waited for
    second = worker()
    try:
        wait_for(lambda: LabelJob.objects.get(pk=job.pk).status == "completed", what="the end")
    finally:
        second.kill()
        second.wait()
    job.refresh_from_db()
    assert job.run is not None
    assert (job.run.n_rows, job.run.n_created, Label.objects.count(), CustomerReview.objects.count()) == (N, N, N, N)
    resumed = LedgerEntry.objects.get(action="catalog.import.resumed")
    assert resumed.subject == ref(job.run)
    assert 2 * BATCH <= resumed.payload["n_rows"] < N
    assert not jobs.file_of(job).exists()
