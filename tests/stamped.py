"""Answers as they come through the door in front of Label Studio: stamped, with the real key."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from ecomsite.stack.label_studio import Person
from labeling.door import stamps
from labeling.models import LabelingTask, TaskLease
from tests import people
from tests.label_studio_server import REVIEWER, Desk, as_person


def lease_of(task: LabelingTask, user: User) -> TaskLease:
    """The lease under which `user` answers `task` now; one is given where nobody handed it out."""
    now = timezone.now()
    held = TaskLease.objects.filter(Q(until=None) | Q(until__gt=now), task=task, person=user).order_by("since").last()
    return held or TaskLease.objects.create(
        task=task, person=user, token=uuid.uuid4(), since=now, until=now + dt.timedelta(minutes=15)
    )


def stamp_for(task: LabelingTask, user: User, result: Sequence[dict[str, Any]], **fields: Any) -> stamps.Stamp:
    """What the door would stamp on this answer now; `fields` say what it would say otherwise."""
    lease, there = lease_of(task, user), LabelingTask.objects.values_list("ls_task_id", flat=True).get(pk=task.pk)
    values = {
        "task": str(task.pk),
        "ls_task": there,
        "person": user.pk,
        "lease": str(lease.token or ""),
        "at": time.time(),
        "was_cancelled": False,
        "result_hash": stamps.hash_of(result),
    }
    return stamps.Stamp(**values | fields)


def stamped(task: LabelingTask, user: User, result: Sequence[dict[str, Any]], **fields: Any) -> list[dict[str, Any]]:
    """The answer `result` of `user` to `task` as the door lets it through."""
    sealed = stamps.seal(stamp_for(task, user, result, **fields), key=settings.LABELING.door_key)
    return stamps.with_stamp(result, sealed)


def give(
    desk: Desk, task: LabelingTask, result: Sequence[dict[str, Any]], *, by: Person = REVIEWER, **fields: Any
) -> Any:
    """Have `by` answer `task` in Label Studio, stamped; returns the annotation there."""
    cancelled = bool(fields.get("was_cancelled"))
    said = stamped(task, user_of(by), result, was_cancelled=cancelled)
    return as_person(desk.url, by.token).annotations.create(task.ls_task_id, result=said, **fields)


def change(
    desk: Desk, annotation: int, task: LabelingTask, result: Sequence[dict[str, Any]], *, by: Person = REVIEWER
) -> Any:
    """Have `by` change that answer to `task`, stamped anew; returns the annotation there."""
    return as_person(desk.url, by.token).annotations.update(annotation, result=stamped(task, user_of(by), result))


def user_of(person: Person) -> User:
    """Our user with the address of an account of the tests' Label Studio; a reviewer, where there is none yet."""
    return User.objects.filter(email=person.email).first() or people.people("Reviewer", email=person.email)
