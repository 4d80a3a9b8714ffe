"""Does imports and exports of labels that were asked for, one at a time; what a killed worker committed stands.

An import goes on at its next batch then, an export at its next page.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from audit import ledger
from catalog.models import ImportRun
from core import jobs, leases, stopping
from core.actors import SystemActor
from core.exceptions import PermanentError, TransientError
from core.locks import try_advisory_lock
from core.refs import ref
from moderation.label_exchange.exporting import export_labels
from moderation.label_exchange.importing import File, import_labels
from moderation.label_exchange.jobs import OPEN, Kind, Status, file_of, forget
from moderation.label_exchange.records import Rules
from moderation.models.label_jobs import LabelJob

KEEPER = SystemActor("moderation.label_jobs")
# So long a job may work at a stretch, as its task may (moderation/tasks.py).
LONGEST = dt.timedelta(hours=6)
# While another process imports the same file a job rests, which costs no attempt.
REST = dt.timedelta(minutes=1)


class _Cancelled(Exception):
    """Somebody asked for the job to end."""


class _Stopped(Exception):
    """The worker was asked to end: another one goes on."""


def run_next() -> bool:
    """Claim one job that waits, or whose worker died, and do it. Returns whether there was one.

    One at a time, whoever asks: they write the same tables, and share the worker with other work.
    """
    with try_advisory_lock("moderation.run_label_jobs") as is_alone:
        if not is_alone:
            return False
        waiting = leases.claimable(LabelJob.objects.filter(status__in=OPEN)).order_by("created_at", "pk")
        claimed = leases.claim(waiting, n=1, duration=jobs.patience())
        if not claimed:
            _give_up_on_spent()
            return False
        job = LabelJob.objects.select_related("requested_by").get(pk=claimed[0].pk)
        jobs.work_on(job, _work, longest=LONGEST, on_failure=_rest_or_end)
        return True


def _work(job: LabelJob) -> None:
    try:
        _require_wanted(job)
        jobs.update_held(job, status=Status.RUNNING, started_at=job.started_at or timezone.now())
        report = _bring_in(job) if job.kind == Kind.IMPORT else _take_out(job)
    except _Cancelled:
        _end(job, Status.CANCELLED)
    except _Stopped:
        leases.release([job], counts=False)
    except TransientError as exc:
        leases.release([job], error=str(exc), pause=REST, counts=False)
    except PermissionDenied:
        who = job.requested_by.get_username()
        _end(job, Status.FAILED, error=f"{who} may not do this any more. Somebody who may has to ask for it.")
    except PermanentError as exc:
        _end(job, Status.FAILED, error=str(exc))
    else:
        _end(job, Status.COMPLETED, report=report)


def _bring_in(job: LabelJob) -> dict[str, Any]:
    path, asked = file_of(job), job.asked
    if not path.is_file():
        raise PermanentError("its file is not there any more.", hint="Ask for the import again, with the file.")

    def note(run: ImportRun, share: float) -> None:
        if job.run_id != run.pk:
            jobs.update_held(job, run=run)
        _report(job, "Importing", run.n_rows, share)

    file = File(path, Rules(asked["columns"], asked["labels"], asked["pool"], question=job.question))
    run = import_labels(file, gold=asked["gold"], actor=job.requested_by, on_progress=note)
    jobs.update_held(job, run=run)
    return {}


def _take_out(job: LabelJob) -> dict[str, Any]:
    path = file_of(job)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Whole, but its worker died before it could say so. The ledger has the line of the export already.
    if path.exists():
        path.unlink()
    came = export_labels(
        path,
        question=job.question,
        file_format=job.asked["format"],
        with_votes=job.asked["votes"],
        actor=job.requested_by,
        on_progress=lambda n_rows, share: _report(job, "Exporting", n_rows, share),
    )
    jobs.update_held(job, file_hash=came.file_hash)
    return {"n_rows": came.n_rows, "n_gone": came.n_gone}


def _report(job: LabelJob, stage: str, n_rows: int, share: float) -> None:
    """Note that `n_rows` are done, `share` of all: how many those are is an estimate until then."""
    _require_wanted(job)
    if stopping.is_asked():
        raise _Stopped
    jobs.report_progress(job, stage, n_rows, max(n_rows, round(n_rows / share)) if share > 0 else 0)


def _require_wanted(job: LabelJob) -> None:
    if LabelJob.objects.filter(pk=job.pk).exclude(cancel_requested_at=None).exists():
        raise _Cancelled


def _end(job: LabelJob, status: LabelJob.Status, *, error: str = "", report: Mapping[str, Any] | None = None) -> None:
    with transaction.atomic():
        if not leases.hold_all([job]):
            return  # another worker took over
        leases.release([job], error=error, status=status, finished_at=timezone.now(), report=report or {}, stage="")
        _record_end(job, status)
    if job.kind == Kind.IMPORT or status != Status.COMPLETED:
        forget(job)


def _record_end(job: LabelJob, status: LabelJob.Status) -> None:
    payload = {"kind": job.kind, "question": job.question, "status": str(status), "file_hash": job.file_hash}
    ledger.append("moderation.label_job.ended", subject=ref(job), actor=KEEPER, payload=payload)


def _rest_or_end(job: LabelJob, error: str) -> None:
    if leases.is_spent(job):
        _end(job, Status.FAILED, error=error)
    else:
        leases.fail(job, error=error)


def _give_up_on_spent() -> None:
    """End jobs whose workers died too often: one of them would bar its file for ever."""
    with transaction.atomic():
        spent = LabelJob.objects.select_for_update(no_key=True).filter(status__in=OPEN).exclude(quarantined_at=None)
        for job in spent:
            LabelJob.objects.filter(pk=job.pk).update(
                status=Status.FAILED, finished_at=timezone.now(), quarantined_at=None, stage=""
            )
            _record_end(job, Status.FAILED)
