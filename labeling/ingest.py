"""What Label Studio has becomes what we have: annotations by task, and the inbox of webhooks that point at tasks.

A webhook is a hint and proves nothing: its task is asked for again, and only that answer is believed.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Iterable

from django.db import OperationalError, transaction
from django.utils import timezone

from audit import ledger
from core import leases
from core.actors import SystemActor
from core.exceptions import TransientError
from labeling import accounts, client
from labeling.client import Gone, Unauthorized
from labeling.consensus import settle
from labeling.lifecycle import Status, move
from labeling.models import Annotation, LabelingTask, WebhookEvent
from labeling.remote import RemoteAnnotation, RemoteTask

log = logging.getLogger(__name__)
ACTOR = SystemActor("labeling.ingest")
EVENTS_AT_ONCE = 200
EVENT_LEASE = dt.timedelta(minutes=1)


def process_events(*, limit: int = EVENTS_AT_ONCE) -> int:
    """Follow the hints in the inbox, oldest first, and return how many were followed.

    Raises `TransientError` when Label Studio cannot be asked: the events stay and their turn comes again. An event
    that cannot be followed for what it is rests and is tried again, and goes into quarantine in the end.
    """
    waiting = WebhookEvent.objects.filter(status=WebhookEvent.Status.RECEIVED).order_by("received_at", "pk")
    events = leases.claim(leases.claimable(waiting), n=limit, duration=EVENT_LEASE)
    pulled: dict[int, bool] = {}
    done = 0
    with leases.heartbeat(events, duration=EVENT_LEASE):
        for position, event in enumerate(events):
            try:
                done += _follow(event, pulled)
            except (TransientError, Unauthorized, OperationalError) as exc:
                leases.release(events[position:], error=str(exc), counts=False)
                raise
            except Exception as exc:
                log.exception("the event %s cannot be followed", event.pk)
                leases.fail(event, error=f"{type(exc).__name__}: {exc}")
    return done


def _follow(event: WebhookEvent, pulled: dict[int, bool]) -> int:
    """Pull the tasks that `event` points at and `pulled` lacks, and close the event; returns 0 if the lease was lost."""
    for ls_task_id in event.ls_task_ids:
        if ls_task_id not in pulled:
            pulled[ls_task_id] = pull_task(ls_task_id)
    known = any(pulled[ls_task_id] for ls_task_id in event.ls_task_ids)
    status = WebhookEvent.Status.PROCESSED if known else WebhookEvent.Status.IGNORED
    return leases.release([event], status=status, processed_at=timezone.now())


def pull_task(ls_task_id: int) -> bool:
    """Bring our copy of one task up to date. Returns whether the task is ours."""
    if not LabelingTask.objects.filter(ls_task_id=ls_task_id).exists():
        return False
    try:
        apply([client.get_task(ls_task_id)])
    except Gone:
        reopen_deleted([ls_task_id])
    return True


def apply(remote_tasks: Iterable[RemoteTask]) -> int:
    """Take over the state of tasks as Label Studio gave it, settle them, and return how many changed here.

    Tasks of others, and states older than what we have, are passed over.
    """
    by_id = {task.id: task for task in remote_tasks}
    held = LabelingTask.objects.filter(ls_task_id__in=by_id).values_list("pk", "ls_task_id")
    ours = [(pk, by_id[ls_task_id]) for pk, ls_task_id in held if ls_task_id is not None]
    _meet({annotation.user_id for _, task in ours for annotation in task.annotations if annotation.user_id})
    return sum(_apply(pk, task) for pk, task in ours)


def _apply(pk: uuid.UUID, remote: RemoteTask) -> bool:
    with transaction.atomic():
        task = LabelingTask.objects.select_for_update().get(pk=pk)
        if task.ls_task_id != remote.id or (task.ls_updated_at and remote.updated_at < task.ls_updated_at):
            return False
        gone = task.annotations.exclude(ls_annotation_id__in=[annotation.id for annotation in remote.annotations])
        n_gone, _ = gone.delete()
        changed = sum(_store(task, annotation) for annotation in remote.annotations) + n_gone
        if task.ls_updated_at != remote.updated_at:
            LabelingTask.objects.filter(pk=pk).update(ls_updated_at=remote.updated_at)
        if changed:
            settle(task)
    return bool(changed)


def _store(task: LabelingTask, remote: RemoteAnnotation) -> bool:
    """Insert or update our copy of one annotation; whether anything changed."""
    held = Annotation.objects.filter(ls_annotation_id=remote.id).first()
    if held is not None and held.ls_updated_at >= remote.updated_at:
        return False
    Annotation.objects.update_or_create(
        ls_annotation_id=remote.id,
        defaults={
            "task": task,
            "annotator_id": accounts.user_id_of(remote.user_id),
            "ls_user_id": remote.user_id,
            "result": remote.result,
            "was_cancelled": remote.was_cancelled,
            "lead_time": remote.lead_time,
            "ls_created_at": remote.created_at,
            "ls_updated_at": remote.updated_at,
        },
    )
    return True


def _meet(ls_user_ids: set[int]) -> None:
    """Look for accounts we have not seen; without them an answer would belong to nobody."""
    if accounts.unknown(ls_user_ids):
        try:
            accounts.sync_accounts()
        except TransientError as exc:
            log.warning("the accounts of Label Studio could not be read: %s", exc)


def reopen_deleted(ls_task_ids: Iterable[int | None]) -> int:
    """Note that tasks were deleted in Label Studio: what was not answered is sent again. Returns how many are open again."""
    lines = []
    with transaction.atomic():
        for task in LabelingTask.objects.select_for_update().filter(ls_task_id__in=list(ls_task_ids)).order_by("pk"):
            forget = {"ls_task_id": None, "ls_updated_at": None}
            if task.status == Status.PUSHED:
                payload = {"ls_task_id": task.ls_task_id}
                if line := move(task, to=Status.OPEN, event="reopened", payload=payload, n_attempts=0, **forget):
                    lines.append(line)
            else:
                # What people answered stays our record; only the address is void.
                LabelingTask.objects.filter(pk=task.pk).update(**forget)
        ledger.append_many(lines, actor=ACTOR)
    return len(lines)
