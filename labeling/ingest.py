"""What Label Studio has becomes what we have: annotations by task, and the inbox of webhooks that point at tasks.

A webhook is a hint and proves nothing: its task is asked for again, and only that answer is believed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from audit import ledger
from core import leases
from core.actors import SystemActor
from core.exceptions import TransientError
from core.hints import hint_on_commit
from labeling import accounts, client
from labeling.client import Gone, Unauthorized
from labeling.consensus import settle
from labeling.lifecycle import Status, move
from labeling.models import Annotation, LabelingTask, WebhookEvent
from labeling.remote import RemoteAnnotation, RemoteTask

log = logging.getLogger(__name__)
ACTOR = SystemActor("labeling.ingest")
EVENTS_AT_ONCE = 200
# The action of a hint that came from the page on which somebody answers.
SAID = "ANNOTATION_SAID"
EVENT_LEASE = dt.timedelta(minutes=1)


def process_events(*, limit: int = EVENTS_AT_ONCE) -> int:
    """Follow the hints in the inbox, oldest first, and return how many were followed.

    However many events point at a task, it is asked for once. Raises `TransientError` when Label Studio cannot be
    asked: the events stay and their turn comes again. An event that cannot be followed for what it is rests and is
    tried again, and goes into quarantine in the end.
    """
    waiting = WebhookEvent.objects.filter(status=WebhookEvent.Status.RECEIVED).order_by("received_at", "pk")
    events = leases.claim(leases.claimable(waiting), n=limit, duration=EVENT_LEASE)
    with leases.heartbeat(events, duration=EVENT_LEASE):
        try:
            pulled = pull_tasks({ls_task_id for event in events for ls_task_id in event.ls_task_ids})
        except (TransientError, Unauthorized, OperationalError) as exc:
            leases.release(events, error=str(exc), counts=False)
            raise
        except Exception as exc:
            # Whose fault it is shows when each is tried alone (core.leases).
            log.exception("%s events cannot be followed", len(events))
            for event in events:
                leases.fail(event, error=f"{type(exc).__name__}: {exc}")
            return 0
    return sum(_close(event, pulled) for event in events)


def note_answer(task: LabelingTask) -> None:
    """Ask Label Studio for `task` soon: somebody says that they answered it. A hint like any other, which proves nothing.

    It stands in for a webhook that was lost; where one waits already, it adds nothing.
    """
    waiting = WebhookEvent.objects.filter(status=WebhookEvent.Status.RECEIVED, ls_task_ids__contains=[task.ls_task_id])
    if task.ls_task_id is None or waiting.exists():
        return
    WebhookEvent.objects.create(
        action=SAID, ls_project_id=task.project.ls_project_id, ls_task_ids=[task.ls_task_id],
        body_hash=hashlib.sha256(b"").hexdigest(),
    )  # fmt: skip
    hint_on_commit("labeling.process_webhooks")


def _close(event: WebhookEvent, pulled: Mapping[int, str]) -> int:
    """Close an event whose tasks were pulled; returns 0 if one of them failed, or if the lease was lost."""
    outcomes = [pulled[ls_task_id] for ls_task_id in event.ls_task_ids if ls_task_id in pulled]
    if error := next(filter(None, outcomes), ""):
        leases.fail(event, error=error)
        return 0
    status = WebhookEvent.Status.PROCESSED if outcomes else WebhookEvent.Status.IGNORED
    return leases.release([event], status=status, processed_at=timezone.now())


def pull_tasks(ls_task_ids: Iterable[int]) -> dict[int, str]:
    """Bring our copies of tasks up to date.

    Returns those of `ls_task_ids` that are ours, each with why it could not be taken over ("" when it was). One that
    is not in Label Studio any more counts as deleted.
    """
    held = LabelingTask.objects.filter(ls_task_id__in=set(ls_task_ids), project__ls_project_id__isnull=False)
    pulled: dict[int, str] = {}
    by_project: dict[int, dict[int, dt.datetime | None]] = defaultdict(dict)
    for project_id, ls_task_id, seen in held.values_list("project__ls_project_id", "ls_task_id", "ls_updated_at"):
        by_project[project_id or 0][ls_task_id or 0] = seen
    for project_id, before in by_project.items():
        try:
            there = client.get_tasks(project_id, before)
        except Gone:
            there = {}
        applied = apply(there.values(), before=before)
        reopen_deleted(before.keys() - there.keys())
        pulled |= {ls_task_id: applied.errors.get(ls_task_id, "") for ls_task_id in before}
    return pulled


@dataclass
class Applied:
    """What became of states that Label Studio gave."""

    # How many of our tasks changed.
    changed: int = 0
    # Label Studio's task id → why its state could not be taken over.
    errors: dict[int, str] = field(default_factory=dict)
    # Tasks that others put into our project.
    strangers: list[RemoteTask] = field(default_factory=list)


def apply(remote_tasks: Iterable[RemoteTask], *, before: Mapping[int, dt.datetime | None] | None = None) -> Applied:
    """Take over the state of tasks as Label Studio gave it, and settle them.

    States older than what we have are passed over: answers overtake each other. But one that was asked for after we
    had read `before` (task id → `updated_at` of our copy) and finds our copy still so is the later word, whatever its
    clock says: Label Studio was restored from a backup, or its clock was put right. A task that cannot be taken over
    holds up no other.
    """
    by_id, done = {task.id: task for task in remote_tasks}, Applied()
    held = dict(LabelingTask.objects.filter(ls_task_id__in=by_id).values_list("ls_task_id", "pk"))
    ours = [(held[task.id], task) for task in by_id.values() if task.id in held and str(held[task.id]) == task.ext_id]
    done.strangers = [by_id[ls_task_id] for ls_task_id in by_id.keys() - {task.id for _, task in ours}]
    # An id that Label Studio gave away a second time, after it was emptied or restored: ours is not there any more.
    done.changed += reopen_deleted([task.id for task in done.strangers if task.id in held])
    _meet({annotation.user_id for _, task in ours for annotation in task.annotations if annotation.user_id})
    for pk, task in ours:
        try:
            done.changed += _apply(pk, task, before or {})
        except (OperationalError, InterfaceError):
            raise
        except Exception as exc:
            log.exception("the state of task %s cannot be taken over", task.id)
            done.errors[task.id] = f"{type(exc).__name__}: {exc}"
            LabelingTask.objects.filter(pk=pk).update(last_error=done.errors[task.id][: leases.LONGEST_ERROR])
    return done


def _apply(pk: uuid.UUID, remote: RemoteTask, before: Mapping[int, dt.datetime | None]) -> bool:
    with transaction.atomic():
        task = LabelingTask.objects.select_for_update().get(pk=pk)
        is_back = bool(task.ls_updated_at and remote.updated_at < task.ls_updated_at)
        if task.ls_task_id != remote.id or (is_back and before.get(remote.id) != task.ls_updated_at):
            return False
        gone = task.annotations.exclude(ls_annotation_id__in=[annotation.id for annotation in remote.annotations])
        n_gone, _ = gone.delete()
        changed = sum(_store(task, annotation, is_back=is_back) for annotation in remote.annotations) + n_gone
        if task.ls_updated_at != remote.updated_at:
            LabelingTask.objects.filter(pk=pk).update(ls_updated_at=remote.updated_at)
        if changed:
            settle(task)
    return bool(changed)


def _store(task: LabelingTask, remote: RemoteAnnotation, *, is_back: bool) -> bool:
    """Insert or update our copy of one annotation; whether anything changed."""
    held = Annotation.objects.filter(ls_annotation_id=remote.id).first()
    if held is not None and held.task_id != task.pk:
        # The id was given away a second time: what it was before is the record of another task.
        held.delete()
    elif held is not None and (
        held.ls_updated_at == remote.updated_at or (held.ls_updated_at > remote.updated_at and not is_back)
    ):
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
