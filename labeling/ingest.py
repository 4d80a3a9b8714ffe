"""What Label Studio has becomes what we have: annotations by task, and the inbox of webhooks that point at tasks.

A webhook is a hint and proves nothing: its task is asked for again. What comes back is kept, and counts if it proves
itself (`labeling.provenance`).
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
from core.refs import ref
from labeling import accounts, administration, client, drift, identity, provenance
from labeling.client import Gone, Unauthorized
from labeling.consensus import settle
from labeling.lifecycle import Status, move
from labeling.models import Annotation, LabelingTask, WebhookEvent
from labeling.presentation import is_as_sent
from labeling.provenance import Standing
from labeling.question import is_known
from labeling.remote import RemoteAnnotation, RemoteTask

log = logging.getLogger(__name__)
ACTOR = SystemActor("labeling.ingest")
NEW = ""  # what the record says of an answer before it counted or did not
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
    """Ask Label Studio for `task` soon: somebody says that they answered it.

    A hint like any other, which proves nothing.

    It stands in for a webhook that was lost; where one waits already, it adds nothing.
    """
    waiting = WebhookEvent.objects.filter(status=WebhookEvent.Status.RECEIVED, ls_task_ids__contains=[task.ls_task_id])
    if task.ls_task_id is None or waiting.exists():
        return
    WebhookEvent.objects.create(
        action=SAID,
        ls_project_id=task.project.ls_project_id,
        ls_task_ids=[task.ls_task_id],
        body_hash=hashlib.sha256(b"").hexdigest(),
    )
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
    service_id = _meet(annotation for _, task in ours for annotation in task.annotations)
    for pk, task in ours:
        try:
            done.changed += _apply(pk, task, before or {}, service_id)
        except (OperationalError, InterfaceError):
            raise
        except Exception as exc:
            log.exception("the state of task %s cannot be taken over", task.id)
            done.errors[task.id] = f"{type(exc).__name__}: {exc}"
            LabelingTask.objects.filter(pk=pk).update(last_error=done.errors[task.id][: leases.LONGEST_ERROR])
    _keep_clones(done.strangers)
    return done


def _apply(pk: uuid.UUID, remote: RemoteTask, before: Mapping[int, dt.datetime | None], service_id: int | None) -> bool:
    with transaction.atomic():
        task = LabelingTask.objects.select_for_update(no_key=True).get(pk=pk)
        is_back = bool(task.ls_updated_at and remote.updated_at < task.ls_updated_at)
        if task.ls_task_id != remote.id or (is_back and before.get(remote.id) != task.ls_updated_at):
            return False
        lines = _note_changed_data(task, remote)
        gone = task.annotations.exclude(ls_annotation_id__in=[annotation.id for annotation in remote.annotations])
        n_gone, _ = gone.exclude(standing=Standing.CLONE).delete()
        changed = n_gone
        # As they came: of two that bear the same stamp the first is the answer.
        for annotation in sorted(remote.annotations, key=lambda annotation: (annotation.updated_at, annotation.id)):
            stored, line = _store(task, remote, annotation, service_id, is_back=is_back)
            changed += stored
            lines += [line] if line else []
        if task.ls_updated_at != remote.updated_at:
            LabelingTask.objects.filter(pk=pk).update(ls_updated_at=remote.updated_at)
        if changed:
            settle(task)
        ledger.append_many(lines, actor=ACTOR)
    return bool(changed)


def _note_changed_data(task: LabelingTask, remote: RemoteTask) -> list[ledger.Line]:
    """Note a task that shows something else there than we sent; `labeling.drift` puts it right."""
    if not is_known(task.project.question) or is_as_sent(task, remote.data):
        return []
    words = f"Task {remote.id} does not show what we sent."
    line = drift.note(drift.What.TASK, words, project=task.project, subject=str(remote.id), since=task.ls_updated_at)
    return [line] if line else []


def _store(
    task: LabelingTask, there: RemoteTask, remote: RemoteAnnotation, service_id: int | None, *, is_back: bool
) -> tuple[bool, ledger.Line | None]:
    """Insert or update our copy of one annotation; whether it changed, and the line about one that does not count."""
    held = Annotation.objects.filter(ls_annotation_id=remote.id).first()
    person_id = accounts.user_id_of(remote.user_id)
    if held is not None and held.task_id != task.pk:
        # The id was given away a second time: what it was before is the record of another task.
        held.delete()
        held = None
    is_somebodys_now = held is not None and held.standing == Standing.UNBOUND and person_id is not None
    if held is not None and not is_somebodys_now and not _is_news(held, remote, is_back=is_back):
        return False, None
    judged = provenance.judge(task, there, remote, person_id=person_id, service_id=service_id)
    ours = {"task": task, "annotator_id": person_id, "standing": judged.standing, "stamped_at": judged.stamped_at}
    Annotation.objects.update_or_create(ls_annotation_id=remote.id, defaults={**ours, **_as_it_is(remote)})
    if judged.standing == Standing.COUNTS:
        task.stamped_at = max(filter(None, (task.stamped_at, judged.stamped_at)))
        LabelingTask.objects.filter(pk=task.pk).update(stamped_at=task.stamped_at)
        return True, None
    return True, _refused(task, remote.id, judged.standing, before=held.standing if held else NEW)


def _is_news(held: Annotation, remote: RemoteAnnotation, *, is_back: bool) -> bool:
    return held.ls_updated_at < remote.updated_at or (is_back and held.ls_updated_at != remote.updated_at)


def _as_it_is(remote: RemoteAnnotation) -> dict[str, object]:
    return {
        "ls_user_id": remote.user_id,
        "ls_editor_id": remote.editor_id,
        "result": remote.result,
        "was_cancelled": remote.was_cancelled,
        "lead_time": remote.lead_time,
        "ls_created_at": remote.created_at,
        "ls_updated_at": remote.updated_at,
    }


def _refused(task: LabelingTask, ls_annotation_id: int, standing: str, *, before: str) -> ledger.Line | None:
    """Return the line that an answer does not count, once for each task and reason: who knocks must not fill it."""
    if standing == before:
        return None
    same = Annotation.objects.filter(task=task, standing=standing).exclude(ls_annotation_id=ls_annotation_id)
    if same.exists():
        return None
    log.warning("annotation %s of task %s does not count: %s", ls_annotation_id, task.pk, standing)
    payload = {"about": task.reference, "annotation": ls_annotation_id, "standing": str(standing)}
    return ledger.Line("labeling.answer.refused", ref(task), payload)


def _keep_clones(strangers: Iterable[RemoteTask]) -> None:
    """Keep what was answered on copies of our tasks, beside the answers to ours: marked, and without effect."""
    copies = [task for task in strangers if task.annotations and identity.is_uuid(task.ext_id)]
    ours = {str(task.pk): task for task in LabelingTask.objects.filter(pk__in=[copy.ext_id for copy in copies])}
    for copy in identity.unknown(copies):
        if task := ours.get(copy.ext_id):
            with transaction.atomic():
                ledger.append_many(_keep_clone(task, copy), actor=ACTOR)


def _keep_clone(task: LabelingTask, copy: RemoteTask) -> list[ledger.Line]:
    lines = []
    for remote in copy.annotations:
        _, is_new = Annotation.objects.get_or_create(
            ls_annotation_id=remote.id,
            defaults={"task": task, "annotator_id": None, "standing": Standing.CLONE, **_as_it_is(remote)},
        )
        line = _refused(task, remote.id, Standing.CLONE, before=NEW) if is_new else None
        lines += [line] if line else []
    words = f"Task {copy.id} is a copy of our task {task.ls_task_id}; what was answered there does not count."
    line = drift.note(drift.What.CLONE, words, project=task.project, subject=str(copy.id))
    return [*lines, line] if line else lines


def _meet(annotations: Iterable[RemoteAnnotation]) -> int | None:
    """Look for accounts we have not seen, and return our own one there if somebody else than the author wrote anything.

    Raises `TransientError` when that cannot be asked: an answer is not refused for what we do not know.
    """
    seen = list(annotations)
    if accounts.unknown({annotation.user_id for annotation in seen if annotation.user_id}):
        try:
            accounts.sync_accounts()
        except TransientError as exc:
            log.warning("the accounts of Label Studio could not be read: %s", exc)
    if any(annotation.editor_id not in (None, annotation.user_id) for annotation in seen):
        return administration.own_id()
    return None


def reopen_deleted(ls_task_ids: Iterable[int | None]) -> int:
    """Note that tasks were deleted in Label Studio: what was not answered is sent again.

    Returns how many are open again.
    """
    lines = []
    with transaction.atomic():
        tasks = LabelingTask.objects.filter(ls_task_id__in=list(ls_task_ids)).order_by("pk")
        for task in tasks.select_for_update(no_key=True):
            forget, payload = {"ls_task_id": None, "ls_updated_at": None}, {"ls_task_id": task.ls_task_id}
            if task.status == Status.PUSHED:
                if line := move(task, to=Status.OPEN, event="reopened", payload=payload, n_attempts=0, **forget):
                    lines.append(line)
            else:
                # What people answered stays our record; only the address is void.
                LabelingTask.objects.filter(pk=task.pk).update(**forget)
        ledger.append_many(lines, actor=ACTOR)
    return len(lines)
