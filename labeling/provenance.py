"""Whose an answer is: what the door stamped on it, held against what Label Studio gives back and who had the task.

An answer counts only if all of it fits. Label Studio's open edition has no roles: whoever has an account there may
import, copy, edit and delete as anybody, so what it says by itself proves nothing (docs/adr/0019).
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from labeling.door import stamps
from labeling.models import Annotation, LabelingTask, TaskLease
from labeling.presentation import is_as_sent
from labeling.remote import RemoteAnnotation, RemoteTask

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Standing = Annotation.Standing
# The door stamps by its own clock, a lease runs by the database's.
CLOCKS_DIFFER = dt.timedelta(seconds=30)


@dataclass(frozen=True)
class Judged:
    """Whether an answer counts, and when it was given by its stamp; None where there is no stamp of ours."""

    standing: Annotation.Standing
    stamped_at: dt.datetime | None = None


def judge(
    task: LabelingTask,
    remote: RemoteTask,
    annotation: RemoteAnnotation,
    *,
    person_id: int | None,
    service_id: int | None,
) -> Judged:
    """Say whether `annotation` of `task`, which the caller has locked, counts as the answer of `person_id`.

    `person_id` is whose account its author is, `service_id` our own account there, as which the door may write.
    """
    if annotation.editor_id is None:
        return Judged(Standing.IMPORTED)
    if annotation.editor_id not in (annotation.user_id, service_id):
        return Judged(Standing.EDITED)
    if person_id is None:
        return Judged(Standing.UNBOUND)
    try:
        stamp = stamps.stamp_of(annotation.result, key=settings.LABELING.door_key)
        at = dt.datetime.fromtimestamp(stamp.at, dt.UTC) if stamp else None
    except (stamps.Forged, TypeError, ValueError, OverflowError, OSError):
        return Judged(Standing.FORGED)
    if stamp is None or at is None:
        return Judged(Standing.UNSTAMPED)
    return Judged(_held_against(stamp, at, task, remote, annotation, person_id), at)


def _held_against(
    stamp: stamps.Stamp,
    at: dt.datetime,
    task: LabelingTask,
    remote: RemoteTask,
    annotation: RemoteAnnotation,
    person_id: int,
) -> Annotation.Standing:
    if (stamp.task, stamp.ls_task) != (str(task.pk), remote.id):
        return Standing.OTHER_TASK
    if stamp.person != person_id:
        return Standing.OTHER_PERSON
    if stamp.result_hash != stamps.hash_of(annotation.result) or stamp.was_cancelled is not annotation.was_cancelled:
        return Standing.ALTERED
    if not is_as_sent(task, remote.data):
        return Standing.TASK_CHANGED
    if not _held(task, person_id, token=stamp.lease, at=at):
        return Standing.NO_LEASE
    if _is_replay(task, annotation, at):
        return Standing.REPLAYED
    return Standing.COUNTS


def _held(task: LabelingTask, person_id: int, *, token: str, at: dt.datetime) -> bool:
    """Whether that person held `task` at that moment under the lease `token` (empty: was shown it, unreserved)."""
    try:
        lease = uuid.UUID(token) if token else None
    except ValueError:
        return False
    held = TaskLease.objects.filter(task=task, person=person_id, token=lease, since__lte=at + CLOCKS_DIFFER)
    return held.filter(Q(until=None) | Q(until__gte=at - CLOCKS_DIFFER)).exists()


def _is_replay(task: LabelingTask, annotation: RemoteAnnotation, at: dt.datetime) -> bool:
    """Whether the stamp was used before: by another annotation, or for what its author has changed since.

    Stamps of a task only get younger. The one that counts already stays good for the annotation that bears it.
    """
    if task.stamped_at is None or at > task.stamped_at:
        return False
    counted = Annotation.objects.filter(task=task, standing=Standing.COUNTS, stamped_at=at)
    return not counted.filter(ls_annotation_id=annotation.id).exists()


def note_shown(task: LabelingTask, *, to: User) -> None:
    """Note that `task`, which is reserved for nobody, is shown to a person: from now on their answer counts.

    Idempotent.
    """
    TaskLease.objects.get_or_create(task=task, person=to, token=None, defaults={"since": timezone.now()})
