"""Long work says how far it is, is done by one worker at a time, and ends whatever happens to that one."""

from __future__ import annotations

import datetime as dt
from unittest.mock import ANY

import pytest
from django.db import OperationalError
from django.utils import timezone

from core import jobs, leases
from core.exceptions import LeaseLost
from labeling.models import LabelCheck

pytestmark = pytest.mark.django_db


def claimed() -> LabelCheck:
    """A search that this worker holds."""
    LabelCheck.objects.create(question="sentiment", reason="for a test")
    (job,) = leases.claim(LabelCheck.objects.order_by("pk"), n=1, duration=jobs.patience())
    return job


def test_it_says_how_far_it_is_and_how_long_it_will_take() -> None:
    job = claimed()
    assert (job.percent, job.time_left) == (0, None)
    jobs.report_progress(job, "Reading texts", 0, 200)
    began = job.stage_began_at
    jobs.report_progress(job, "Reading texts", 50, 200)
    held = LabelCheck.objects.get()
    assert (held.stage, held.n_done, held.n_total, held.percent) == ("Reading texts", 50, 200, 25)
    assert held.stage_began_at == began, "a stage begins once"
    held.stage_began_at = timezone.now() - dt.timedelta(minutes=10)
    assert held.time_left is not None
    assert held.time_left.total_seconds() == pytest.approx(30 * 60, abs=5)
    jobs.report_progress(job, "Comparing labels", 0, 1)
    assert job.stage_began_at > began
    assert job.time_left is None, "nobody can tell yet"


def test_each_word_renews_the_lease_and_none_is_heard_of_who_lost_it() -> None:
    job = claimed()
    LabelCheck.objects.update(lease_expires_at=timezone.now() + dt.timedelta(seconds=1))
    jobs.report_progress(job, "Reading texts", 1, 2)
    assert LabelCheck.objects.get().lease_expires_at > timezone.now() + jobs.patience() - dt.timedelta(seconds=30)
    LabelCheck.objects.update(lease_token="11111111-1111-1111-1111-111111111111")
    with pytest.raises(LeaseLost, match="label check"):
        jobs.report_progress(job, "Reading texts", 2, 2)
    assert LabelCheck.objects.get().n_done == 1


def test_one_that_fails_rests_unless_its_kind_does_something_else() -> None:
    def fail(job: LabelCheck) -> None:
        raise ValueError("no such column")

    job, heard = claimed(), list[str]()
    jobs.work_on(job, fail, on_failure=lambda job, error: heard.append(error))
    assert heard == ["ValueError: no such column"]
    jobs.work_on(job, fail)
    job.refresh_from_db()
    assert (job.last_error, job.lease_token, job.quarantined_at) == ("ValueError: no such column", None, None)
    assert job.lease_expires_at > timezone.now(), "it rests"


def test_one_that_was_taken_over_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    def lose(job: LabelCheck) -> None:
        LabelCheck.objects.update(lease_token="11111111-1111-1111-1111-111111111111")
        jobs.update_held(job, stage="Comparing labels")

    job = claimed()
    jobs.work_on(job, lose, on_failure=lambda job, error: pytest.fail(error))
    job.refresh_from_db()
    assert (job.stage, job.last_error, job.lease_expires_at) == ("", "", ANY)
    assert "was taken over by another worker" in caplog.text


def test_without_the_database_it_is_no_fault_of_the_job() -> None:
    def away(job: LabelCheck) -> None:
        raise OperationalError("the server closed the connection")

    job = claimed()
    with pytest.raises(OperationalError):
        jobs.work_on(job, away, on_failure=lambda job, error: pytest.fail(error))
    job.refresh_from_db()
    assert (job.n_attempts, leases.is_lost(job)) == (0, False)
