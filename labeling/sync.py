"""Work goes to Label Studio and answers come back. Our tables are the truth about what there is to do.

Label Studio has no idempotent create: a task carries our id (`ext_id`), and one that may have been sent before is
looked up first. What is there under our id without having been given to us, nobody was ever handed: it goes, and the
task is sent anew (`labeling.identity`). One sender at a time, or two could both look before either creates.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import ledger
from core import leases
from core.actors import SystemActor
from core.exceptions import PermanentError, TransientError
from core.locks import try_advisory_lock
from labeling import accounts, client, identity, ingest
from labeling.client import Gone
from labeling.label_config import check_task
from labeling.lifecycle import Status, move
from labeling.models import Annotation, Annotator, LabelingProject, LabelingTask, WebhookEvent
from labeling.presentation import as_sent
from labeling.projects import ensure_project, forget_project, project_row
from labeling.question import known, question

log = logging.getLogger(__name__)
ACTOR = SystemActor("labeling.sync")
# A change may become visible some time after the time it says; what was seen already is passed over.
OVERLAP = dt.timedelta(minutes=2)
KEEP_EVENTS, IMPORT_CHUNK = dt.timedelta(days=30), 500  # tasks in one call


def open_task(
    question: str,
    *,
    reference: str,
    payload: Mapping[str, Any],
    predictions: Sequence[Mapping[str, Any]] = (),
    shows_predictions: bool = True,
) -> LabelingTask:
    """Ask for one person's work on `payload`; pushed soon after the caller's transaction commits.

    Without `shows_predictions` they are kept with the task, and not shown to who answers it. Idempotent: a second call
    with the same `reference` returns the first task. Raises `PermanentError` for a question that is not there.
    """
    task, _ = LabelingTask.objects.get_or_create(
        reference=reference,
        defaults={
            "project": project_row(question),
            "payload": dict(payload),
            "predictions": [dict(p) for p in predictions],
            "shows_predictions": shows_predictions,
        },
    )
    return task


def withdraw_task(task: LabelingTask) -> bool:
    """Take back what nobody needs answered any more; returns whether it still could be. Label Studio's goes later."""
    with transaction.atomic():
        task.refresh_from_db(fields=["status"])
        if task.status not in (Status.OPEN, Status.PUSHED):
            return False
        line = move(task, to=Status.WITHDRAWN)
        ledger.append_many([line] if line else [], actor=ACTOR)
    return line is not None


# --- To Label Studio ---------------------------------------------------------------------------------------------


def push_tasks(*, limit: int = 500) -> int:
    """Send up to `limit` open tasks to Label Studio, remove withdrawn ones there, and return how many were sent.

    Returns 0 at once when another process is sending. Raises `TransientError` when Label Studio cannot be reached (the
    tasks stay open), `PermanentError` when it refuses us. A task that it refuses is noted on the task and tried again
    later and later; the others of its chunk go through.
    """
    with try_advisory_lock("labeling.push_tasks") as is_alone:
        if not is_alone:
            return 0
        _remove_withdrawn()
        sent = 0
        for name in _questions_waiting():
            while sent < limit and (n := _push_chunk(name, n=min(limit - sent, IMPORT_CHUNK))):
                sent += n
        return sent


def _waiting() -> Any:
    return leases.claimable(LabelingTask.objects.filter(status=Status.OPEN))


def _questions_waiting() -> list[str]:
    """The queues that have tasks to send; those of a question that is gone wait for it, and hold up no others."""
    return known(_waiting().order_by().values_list("project__question", flat=True))


def _push_chunk(question: str, *, n: int) -> int:
    """Send one chunk of `question`; returns how many tasks it held (0: none waits)."""
    project = ensure_project(question)
    waiting = _waiting().filter(project=project).order_by("created_at", "pk")
    tasks = leases.claim(waiting, n=n, duration=settings.LEASES.work)
    if not tasks:
        return 0
    try:
        with leases.heartbeat(tasks, duration=settings.LEASES.work):
            _send(project, tasks)
    except Gone:
        forget_project(project)
        leases.release(tasks, counts=False)
    except (TransientError, PermanentError) as exc:
        # It concerns all of them: a task that was refused for what it is has been singled out.
        leases.release(tasks, error=str(exc), counts=False)
        raise
    return len(tasks)


def _send(project: LabelingProject, tasks: Sequence[LabelingTask]) -> None:
    fit = [task for task in tasks if _is_fit(task, project.question)]
    # What was handed to Label Studio before may be there, whatever was heard of it.
    tried = [str(task.pk) for task in fit if task.sent_at]
    found = _come_back(project, tried) if tried else {}
    _keep_ids({task: found[str(task.pk)] for task in fit if str(task.pk) in found})
    LabelingTask.objects.filter(pk__in=[task.pk for task in fit], sent_at=None).update(sent_at=timezone.now())
    _import(project, [task for task in fit if str(task.pk) not in found])


def _come_back(project: LabelingProject, ext_ids: Sequence[str]) -> dict[str, int]:
    """Return our id → id of those tasks there that were ours before; copies that nobody answered are removed.

    A copy is what an import left whose answer we never heard, or what somebody made. One with answers is kept for
    people to look at: they are marked, and count nowhere.
    """
    there = client.find_tasks(project.ls_project_id or 0, ext_ids)
    copies = identity.unknown(there)
    client.delete_tasks(project.ls_project_id or 0, [copy.id for copy in copies if not copy.annotations])
    return {claim.ext_id: claim.id for claim in reversed(there) if claim not in copies}


def _is_fit(task: LabelingTask, name: str) -> bool:
    try:
        check_task(question(name), task.payload, task.predictions)
    except PermanentError as exc:
        _refuse(task, error=str(exc))
        return False
    return True


def _import(project: LabelingProject, tasks: list[LabelingTask]) -> None:
    """Import `tasks` in one call; when that is refused, halve until the culprit stands alone."""
    if not tasks:
        return
    interface = question(project.question)
    fills = interface.fills_suggestions()
    sent = [as_sent(task, interface, fills=fills) for task in tasks]
    try:
        ids = client.import_tasks(project.ls_project_id or 0, sent)
    except Gone:
        raise
    except PermanentError as exc:
        if len(tasks) == 1:
            # Alone it may be refused for what it is, or because we are: that one concerns all.
            client.count_tasks(project.ls_project_id or 0)
            _refuse(tasks[0], error=str(exc))
            return
        middle = len(tasks) // 2
        _import(project, tasks[:middle])
        _import(project, tasks[middle:])
        return
    _keep_ids(dict(zip(tasks, ids, strict=True)))


def _keep_ids(ids: Mapping[LabelingTask, int]) -> None:
    """Note where tasks now are; one that was withdrawn meanwhile keeps the id, to be removed there."""
    if not ids:
        return
    # An id that another task of ours holds is left from a Label Studio that was emptied.
    ingest.reopen_deleted(
        LabelingTask.objects.filter(ls_task_id__in=ids.values())
        .exclude(pk__in=[task.pk for task in ids])
        .values_list("ls_task_id", flat=True)
    )
    now, lines = timezone.now(), []
    with transaction.atomic():
        for task, ls_task_id in ids.items():
            line = move(
                task,
                to=Status.PUSHED,
                payload={"ls_task_id": ls_task_id},
                ls_task_id=ls_task_id,
                ls_updated_at=None,
                pushed_at=now,
                last_error="",
                **leases.NO_LEASE,
            )
            if line:
                lines.append(line)
            else:
                LabelingTask.objects.filter(pk=task.pk, ls_task_id=None).update(
                    ls_task_id=ls_task_id, **leases.NO_LEASE
                )
        ledger.append_many(lines, actor=ACTOR)


def _refuse(task: LabelingTask, *, error: str) -> None:
    """Note why Label Studio does not take a task; it is tried again after a rest, and quarantined in the end."""
    log.error("labelling task %s cannot be sent: %s", task.pk, error)
    leases.fail(task, error=error)


def _remove_withdrawn() -> None:
    for task in LabelingTask.objects.filter(status=Status.WITHDRAWN).exclude(ls_task_id=None):
        client.delete_task(task.ls_task_id or 0)
        LabelingTask.objects.filter(pk=task.pk).update(ls_task_id=None, ls_updated_at=None)


# --- Back from Label Studio --------------------------------------------------------------------------------------


def reconcile() -> int:
    """Find what webhooks lost: pull every change since last time, and notice what was deleted.

    Returns tasks changed here.

    Returns 0 at once when another process is at it: a large sweep takes longer than the time to the next tick. Raises
    `TransientError` or `PermanentError` when Label Studio cannot be asked, or refuses the interface of a
    project: the answers of all projects are pulled first.
    """
    with try_advisory_lock("labeling.reconcile") as is_alone:
        return _reconcile_all() if is_alone else 0


def _reconcile_all() -> int:
    WebhookEvent.objects.filter(processed_at__lt=timezone.now() - KEEP_EVENTS).delete()
    accounts.sync_accounts()
    changed, there = _pull_of_new_people(), []
    for row in LabelingProject.objects.exclude(ls_project_id=None):
        try:
            changed += _reconcile(row)
            there.append(row.question)
        except Gone:
            log.warning("the project %s is gone in Label Studio: it is made anew", row)
            changed += forget_project(row)
    for name in known(there):
        ensure_project(name)
    return changed


def _pull_of_new_people() -> int:
    """Look again at answers of accounts that were nobody's then and are somebody's now."""
    unbound = Annotation.objects.filter(
        standing=Annotation.Standing.UNBOUND, ls_user_id__in=Annotator.objects.values("ls_user_id")
    )
    waiting = {ls_task_id for ls_task_id in unbound.values_list("task__ls_task_id", flat=True) if ls_task_id}
    return len(ingest.pull_tasks(waiting)) if waiting else 0


def _reconcile(row: LabelingProject) -> int:
    # Their times, but never past our own clock: one task with a time to come would hide every change until then.
    now, changed = timezone.now(), 0
    until = seen = row.reconciled_until and min(row.reconciled_until, now)
    this = LabelingProject.objects.filter(pk=row.pk, ls_project_id=row.ls_project_id)
    for page in client.tasks_updated_after(row.ls_project_id or 0, until - OVERLAP if until else None):
        applied = ingest.apply(page)
        changed += applied.changed
        newest = min(max(task.updated_at for task in page), now)
        until = newest if until is None else max(until, newest)
        new = any(seen is None or task.updated_at > seen for task in applied.strangers)
        # Page by page: an interrupted sweep goes on from here.
        this.update(reconciled_until=until, **({"n_foreign": None} if new else {}))
    changed += _notice_deleted(row)
    this.update(reconciled_at=timezone.now())
    return changed


def _notice_deleted(row: LabelingProject) -> int:
    """Look for all of our tasks there, if their number says that it may be needed; returns how many are open again.

    Numbers alone prove little once others add tasks too, so the sweep asks for a look (`n_foreign` empty) when it saw
    one that is new.
    """
    project_id, row_now = row.ls_project_id or 0, LabelingProject.objects.filter(pk=row.pk)
    held = LabelingTask.objects.filter(project=row).exclude(ls_task_id=None)
    ours, foreign = held.count(), row_now.values_list("n_foreign", flat=True).get()
    there = client.count_tasks(project_id)
    if foreign is not None and there - ours == foreign:
        return 0
    asked = list(held.values_list("ls_task_id", flat=True))
    missing = client.missing_tasks(project_id, [ls_task_id for ls_task_id in asked if ls_task_id])
    reopened = ingest.reopen_deleted(missing)
    row_now.filter(ls_project_id=project_id).update(n_foreign=there - (len(asked) - len(missing)))
    return reopened
