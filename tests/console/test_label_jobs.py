"""Imports and exports of labels that the console is asked for: done by a worker, shown, cancelled, handed out."""

from __future__ import annotations

import csv
import datetime as dt
import io
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import LedgerEntry
from catalog.import_runs import one_at_a_time
from catalog.models import ImportRun
from core import stopping
from core.exceptions import PermanentError, TransientError
from core.locks import _key_of
from core.refs import ref
from labeling.models import Label
from moderation.label_exchange import importing, jobs, working
from moderation.label_exchange.records import Rules
from moderation.models.label_jobs import LabelJob
from tests import people

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def var(settings: Any, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path


@pytest.fixture
def engineer() -> Any:
    return people.ml_engineer()


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def table(n: int = 6, *, label: str = "positive") -> bytes:
    return "\n".join(["body,stars", *(f"Review {i},{label if i % 2 else 'negative'}" for i in range(n))]).encode()


RULES = Rules({"text": "body", "label": "stars"})


def planned(user: Any, content: bytes = b"", *, rules: Rules = RULES, name: str = "labels.csv") -> LabelJob:
    return jobs.plan_import([content or table()], file_name=name, rules=rules, actor=user)[0]


def now(job: LabelJob) -> LabelJob:
    return LabelJob.objects.get(pk=job.pk)


def test_a_file_goes_in_and_the_labels_come_out_by_the_console_alone(engineer: Any, var: Path) -> None:
    client = signed_in(engineer)
    form = {
        "file": SimpleUploadedFile("my labels.csv", table()),
        "question": "sentiment",
        "columns": "text=body\nlabel = stars\n",
        "labels": "",
    }
    page = client.post(reverse("console:import_labels"), form, follow=True).content.decode()
    assert "Waits for a worker" in page
    job = LabelJob.objects.get()
    assert working.run_next()
    assert (now(job).status, Label.objects.count(), now(job).n_done) == ("completed", 6, 6)
    page = client.get(reverse("console:label_job_now", args=[job.pk])).content.decode()
    assert "6 rows read: 6 new" in page
    assert "data-done" in page
    assert not list((var / "label-jobs").iterdir()), "what came in is deleted once it is in"

    page = client.post(reverse("console:export_labels"), {"question": "sentiment", "format": "csv"}, follow=True)
    out = LabelJob.objects.get(kind="export")
    assert client.post(reverse("console:download_labels", args=[out.pk])).status_code == 302, "not there yet"
    assert working.run_next()
    assert not working.run_next()
    assert "6 labels went out" in client.get(reverse("console:label_job", args=[out.pk])).content.decode()
    answer = client.post(reverse("console:download_labels", args=[out.pk]))
    assert "attachment" in answer["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    assert sorted(row["label"] for row in rows) == ["negative"] * 3 + ["positive"] * 3
    taken = LedgerEntry.objects.get(action="moderation.labels.downloaded")
    assert (taken.actor, taken.subject) == (f"user:{engineer.pk}", ref(out))
    listed = client.get(reverse("console:label_jobs")).content.decode()
    assert "my_labels.csv" in listed


def test_who_may_not_is_refused_at_each_step_and_a_forged_id_leads_nowhere(engineer: Any) -> None:
    job = planned(engineer)
    out = jobs.plan_export(question="sentiment", file_format="csv", with_votes=False, actor=engineer)[0]
    while working.run_next():
        pass
    reviewer, file = people.reviewer(), SimpleUploadedFile("x.csv", table())
    stranger = signed_in(reviewer)
    assert stranger.get(reverse("console:label_jobs")).status_code == 403
    assert stranger.post(reverse("console:import_labels"), {"file": file}).status_code == 403
    assert stranger.post(reverse("console:export_labels"), {"question": "sentiment"}).status_code == 403
    for name in ("label_job", "label_job_now"):
        assert stranger.get(reverse(f"console:{name}", args=[job.pk])).status_code == 403
    for name in ("cancel_label_job", "download_labels"):
        assert stranger.post(reverse(f"console:{name}", args=[out.pk])).status_code == 403
        assert signed_in(engineer).post(reverse(f"console:{name}", args=[uuid.uuid4()])).status_code == 404
    with pytest.raises(PermissionDenied):
        jobs.plan_import([table()], file_name="x.csv", rules=RULES, actor=reviewer)
    assert LabelJob.objects.count() == 2
    # An import has nothing to download, whoever asks.
    page = signed_in(engineer).post(reverse("console:download_labels", args=[job.pk]), follow=True)
    assert "no finished export" in page.content.decode()
    # Who could when they asked cannot download any more.
    engineer.groups.remove(Group.objects.get(name="ML engineer"))
    assert signed_in(engineer).post(reverse("console:download_labels", args=[out.pk])).status_code == 403


def test_who_lost_the_permission_before_a_worker_began_brings_nothing_in(engineer: Any) -> None:
    job = planned(engineer)
    engineer.groups.clear()
    assert working.run_next()
    assert now(job).status == "failed"
    assert "may not do this any more" in now(job).last_error
    assert not Label.objects.exists()


def test_what_cannot_be_read_fails_at_once_and_says_the_way_out(engineer: Any) -> None:
    job = planned(engineer, rules=Rules({"label": "no_such"}))
    assert working.run_next()
    assert not working.run_next()
    page = signed_in(engineer).get(reverse("console:label_job", args=[job.pk])).content.decode()
    assert "the file has no column no_such" in page
    assert "Say which is which" in page
    for name, question in (("labels.doc", "sentiment"), ("labels.csv", "no_such"), ("labels.csv", "copy_verdict")):
        with pytest.raises(PermanentError):
            planned(engineer, rules=Rules(question=question), name=name)


def test_one_file_with_other_columns_is_told_so_and_with_the_same_is_one_job(engineer: Any, var: Path) -> None:
    job = planned(engineer)
    assert planned(engineer) == job
    with pytest.raises(PermanentError, match="imported already, for another question, with other columns"):
        planned(people.administrator(), rules=Rules({"text": "body", "label": "stars"}, {"negative": "neutral"}))
    assert LabelJob.objects.count() == len(list((var / "label-jobs").iterdir())) == 1
    working.run_next()
    assert planned(engineer) != job


@pytest.mark.django_db(transaction=True)
def test_a_command_that_meets_another_reading_of_its_file_is_told_so() -> None:
    run = ImportRun.objects.create(kind="labels", file_hash="f" * 64, feed_format="csv:one", status="running")
    # Another process: the lock is its connection's.
    other = connections["default"].copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_key_of(f"catalog.import {'f' * 64}")])
    try:
        with (
            pytest.raises(TransientError, match=f"reads it in another way .import {run.pk}."),
            one_at_a_time("f" * 64, read_as="csv:two"),
        ):
            pass
        with (
            pytest.raises(TransientError, match=r"by another process\. Wait"),
            one_at_a_time("f" * 64, read_as="csv:one"),
        ):
            pass
    finally:
        other.close()


def test_an_import_that_is_cancelled_keeps_what_came_in_and_goes_on_when_asked_again(
    engineer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    job, report = planned(engineer), working._report

    def cancelled_meanwhile(held: LabelJob, stage: str, n_rows: int, share: float) -> None:
        report(held, stage, n_rows, share)
        jobs.cancel(now(job), actor=engineer)

    with monkeypatch.context() as patch:
        patch.setattr(working, "_report", cancelled_meanwhile)
        assert working.run_next()
    held = now(job)
    assert held.run is not None
    assert 0 < Label.objects.count() < 6
    assert (held.status, held.run.status, held.last_error) == ("cancelled", "interrupted", "")
    page = signed_in(engineer).get(reverse("console:label_job", args=[job.pk])).content.decode()
    assert "What came in stays" in page
    with pytest.raises(PermanentError, match="ended already"):
        jobs.cancel(held, actor=engineer)
    again = planned(engineer)
    assert working.run_next()
    assert (now(again).run, Label.objects.count()) == (held.run, 6)


def test_what_nobody_works_on_is_cancelled_at_once(engineer: Any, var: Path) -> None:
    job = planned(engineer)
    signed_in(engineer).post(reverse("console:cancel_label_job", args=[job.pk]))
    assert now(job).status == "cancelled"
    assert not working.run_next()
    assert not list((var / "label-jobs").iterdir())
    assert LedgerEntry.objects.filter(subject=ref(job)).count() == 2


def test_a_worker_that_is_asked_to_end_gives_the_job_back(engineer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    job = planned(engineer)
    with monkeypatch.context() as patch:
        patch.setattr(stopping, "is_asked", lambda: True)
        working.run_next()
    held = now(job)
    assert (held.status, held.n_attempts, held.lease_token) == ("running", 0, None)
    assert 0 < Label.objects.count() < 6
    working.run_next()
    assert (now(job).status, Label.objects.count()) == ("completed", 6)


def test_a_job_whose_workers_died_too_often_fails_and_bars_its_file_no_longer(engineer: Any) -> None:
    job = planned(engineer)
    LabelJob.objects.filter(pk=job.pk).update(n_losses=10)
    assert not working.run_next()
    assert now(job).status == "failed"
    assert "died" in now(job).last_error
    assert planned(engineer) != job


def test_files_are_deleted_when_their_time_is_over(engineer: Any, var: Path) -> None:
    out = jobs.plan_export(question="sentiment", file_format="jsonl", with_votes=True, actor=engineer)[0]
    working.run_next()
    assert jobs.forget_files() == 0
    assert jobs.file_of(out).is_file()
    LabelJob.objects.update(finished_at=timezone.now() - dt.timedelta(days=8))
    stray = var / "label-jobs" / str(uuid.uuid4())
    stray.mkdir()
    assert jobs.forget_files() == 1
    assert not jobs.file_of(out).exists()
    assert stray.exists()
    page = signed_in(engineer).post(reverse("console:download_labels", args=[out.pk]), follow=True)
    assert "The file was deleted. Ask for the export again." in page.content.decode()
