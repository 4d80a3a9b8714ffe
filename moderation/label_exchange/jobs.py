"""Imports and exports of labels as jobs: asked for, cancelled, the finished file handed out, and what is old deleted.

A job is a row, which a worker does (`moderation.label_exchange.working`).
"""

from __future__ import annotations

import datetime as dt
import shutil
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.text import get_valid_filename

from audit import ledger
from core.actors import require_permission
from core.exceptions import PermanentError
from core.hashing import hash_path
from core.hints import hint_on_commit
from core.refs import ref
from labeling.exchange.formats import format_of
from labeling.question import queue_names
from moderation.label_exchange.records import Rules, answered_by_files
from moderation.models.label_jobs import LabelJob

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Kind, Status = LabelJob.Kind, LabelJob.Status
OPEN = (Status.PLANNED, Status.RUNNING)
# What goes out as one file, and the end of its name; a dataset of Hugging Face's is a folder, for the command line.
EXPORTED_AS = {"csv": ".csv", "jsonl": ".jsonl", "ls-json": ".json"}
# In characters: a file system takes 255 bytes.
LONGEST_NAME = 60
# A folder of files that no job knows: its request ended between file and row.
ABANDONED_AFTER = dt.timedelta(days=1)


def plan_import(
    chunks: Iterable[bytes], *, file_name: str, rules: Rules, gold: bool = False, actor: User
) -> tuple[LabelJob, bool]:
    """Keep the file that comes in `chunks` until it is imported, and return its job and whether that is new.

    Needs labeling.import_labels, with `gold` moderation.set_gold. The same file, read in the same way, is one job.
    Raises `PermanentError` for a name that does not say a format of one file, for a question that no files answer, and
    while the same file is imported in another way.
    """
    require_permission(actor, "labeling.import_labels")
    if gold:
        require_permission(actor, "moderation.set_gold")
    answered_by_files(rules.question)
    name = get_valid_filename(Path(file_name).name or "labels")[-LONGEST_NAME:]
    format_of(Path(name))
    asked = {"columns": dict(rules.columns), "labels": dict(rules.labels), "pool": rules.pool, "gold": gold}
    key = uuid.uuid4()
    path = _folder(key) / name
    path.parent.mkdir(parents=True, mode=0o700)
    try:
        with path.open("wb") as stream:
            stream.writelines(chunks)
        job, is_new = _plan(
            Kind.IMPORT,
            actor=actor,
            open_one={"file_hash": hash_path(path)},
            fields={"id": key, "file_name": name, "question": rules.question, "asked": asked},
        )
    except BaseException:
        shutil.rmtree(path.parent)
        raise
    if not is_new:
        shutil.rmtree(path.parent)
        if (job.question, job.asked) != (rules.question, asked):
            raise PermanentError(
                "this file is being imported already, for another question, with other columns or with other labels.",
                hint="Cancel that import, or wait for it to end, see whether what it brought is right, and ask again.",
            )
    return job, is_new


def plan_export(*, question: str, file_format: str, with_votes: bool, actor: User) -> tuple[LabelJob, bool]:
    """Ask for an export of the labels of the queue `question`; an open one of the same person and kind is returned.

    Needs labeling.export_labels. Raises `PermanentError` for an unknown queue or format.
    """
    require_permission(actor, "labeling.export_labels")
    if question not in (names := queue_names()):
        raise PermanentError(f"There is no queue {question!r}.", hint=f"Queues: {', '.join(names)}.")
    if file_format not in EXPORTED_AS:
        raise PermanentError(f"{file_format!r} is no format here.", hint=f"Formats: {', '.join(EXPORTED_AS)}.")
    name = f"{question}-{timezone.now():%Y%m%d-%H%M}{EXPORTED_AS[file_format]}"
    same = {"requested_by": actor, "question": question, "asked": {"format": file_format, "votes": with_votes}}
    return _plan(Kind.EXPORT, actor=actor, open_one=same, fields={"file_name": name})


def _plan(
    kind: LabelJob.Kind, *, actor: User, open_one: Mapping[str, Any], fields: Mapping[str, Any]
) -> tuple[LabelJob, bool]:
    with transaction.atomic():
        job, is_new = LabelJob.objects.get_or_create(
            kind=kind, status__in=OPEN, **open_one, defaults={"requested_by": actor, "status": Status.PLANNED, **fields}
        )
        if is_new:
            payload = {"kind": str(kind), "question": job.question, "file_hash": job.file_hash}
            ledger.append("moderation.label_job.planned", subject=ref(job), actor=actor, payload=payload)
            hint_on_commit("moderation.run_label_jobs")
    return job, is_new


def require_part(job: LabelJob, actor: User) -> None:
    """Raise `PermissionDenied` unless `actor` may do what `job` does: who may see it, cancel it, and have its file."""
    require_permission(actor, "labeling.import_labels" if job.kind == Kind.IMPORT else "labeling.export_labels")


def cancel(job: LabelJob, *, actor: User) -> None:
    """Ask for `job` to end: at once where nobody works on it, else after the batch at hand. What came in stays.

    Needs the permission of its kind. Raises `PermanentError` when it has ended.
    """
    require_part(job, actor)
    with transaction.atomic():
        held = LabelJob.objects.select_for_update(no_key=True).get(pk=job.pk)
        if held.status not in OPEN:
            raise PermanentError("It has ended already.")
        if held.cancel_requested_at is not None:
            return
        now = timezone.now()
        held.cancel_requested_at = now
        # Who claims work passes over a row that is locked: what nobody holds now nobody gets.
        if is_idle := held.lease_token is None:
            held.status, held.finished_at = Status.CANCELLED, now
        held.save(update_fields=["cancel_requested_at", "status", "finished_at"])
        payload = {"kind": held.kind, "question": held.question, "ended": is_idle}
        ledger.append("moderation.label_job.cancelled", subject=ref(held), actor=actor, payload=payload)
    if is_idle:
        forget(held)


def open_export(job: LabelJob, *, actor: User) -> Path:
    """Return the finished file of an export, which `actor` takes with them: the ledger says so.

    Needs labeling.export_labels. Raises `PermanentError` when there is no such file, or none any more.
    """
    require_permission(actor, "labeling.export_labels")
    path = file_of(job)
    if job.kind != Kind.EXPORT or job.status != Status.COMPLETED:
        raise PermanentError("There is no finished export to download.")
    if job.files_deleted_at is not None or not path.is_file():
        raise PermanentError("The file was deleted.", hint="Ask for the export again.")
    with transaction.atomic():
        payload = {"question": job.question, "file_hash": job.file_hash}
        ledger.append("moderation.labels.downloaded", subject=ref(job), actor=actor, payload=payload)
    return path


def forget_files() -> int:
    """Delete files of jobs that ended, exports after `keep_exports`, and those of no job. Returns of how many jobs."""
    old = timezone.now() - settings.LABEL_FILES.keep_exports
    ended = LabelJob.objects.exclude(status__in=OPEN).filter(files_deleted_at=None)
    kept = ended.filter(kind=Kind.EXPORT, status=Status.COMPLETED, finished_at__gte=old)
    forgotten = list(ended.exclude(pk__in=kept))
    for job in forgotten:
        forget(job)
    known = {str(pk) for pk in LabelJob.objects.filter(files_deleted_at=None).values_list("pk", flat=True)}
    since = (timezone.now() - ABANDONED_AFTER).timestamp()
    for folder in _root().iterdir() if _root().is_dir() else ():
        if folder.name not in known and folder.stat().st_mtime < since:
            shutil.rmtree(folder)
    return len(forgotten)


def forget(job: LabelJob) -> None:
    """Delete the files of `job`."""
    shutil.rmtree(_folder(job.pk), ignore_errors=True)
    LabelJob.objects.filter(pk=job.pk).update(files_deleted_at=timezone.now())


def file_of(job: LabelJob) -> Path:
    """Return where the file of `job` lies while it is kept."""
    return _folder(job.pk) / job.file_name


def _folder(key: uuid.UUID) -> Path:
    return _root() / str(key)


def _root() -> Path:
    return Path(settings.VAR_DIR) / "label-jobs"
