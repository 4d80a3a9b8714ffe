"""Tasks, annotations and accounts as Label Studio has them, in plain types of ours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.dateparse import parse_datetime


@dataclass(frozen=True)
class RemoteAnnotation:
    """An annotation as Label Studio has it now. `user_id` is who last changed it: theirs is the answer."""

    id: int
    user_id: int | None
    result: list[dict[str, Any]]
    was_cancelled: bool
    lead_time: dt.timedelta | None
    created_at: dt.datetime
    updated_at: dt.datetime


@dataclass(frozen=True)
class RemoteTask:
    """A task as Label Studio has it now. `updated_at` moves whenever an annotation of it comes, changes or goes."""

    id: int
    updated_at: dt.datetime
    annotations: list[RemoteAnnotation]


@dataclass(frozen=True)
class RemoteUser:
    """An account of Label Studio."""

    id: int
    email: str


def read_task(task: Any) -> RemoteTask:
    """Read a task of the SDK. Raises `ValueError` or `KeyError` when Label Studio sent something else."""
    annotations = [_annotation(dict(annotation)) for annotation in task.annotations or []]
    return RemoteTask(int(task.id), _time(task.updated_at), annotations)


def _annotation(raw: Mapping[str, Any]) -> RemoteAnnotation:
    user = raw.get("updated_by") or raw.get("completed_by")
    seconds = raw.get("lead_time")
    return RemoteAnnotation(
        id=int(raw["id"]),
        user_id=int(user["id"]) if isinstance(user, Mapping) else user,
        result=list(raw.get("result") or []),
        was_cancelled=bool(raw.get("was_cancelled")),
        lead_time=None if seconds is None else dt.timedelta(seconds=float(seconds)),
        created_at=_time(raw["created_at"]),
        updated_at=_time(raw["updated_at"]),
    )


def _time(value: Any) -> dt.datetime:
    at = value if isinstance(value, dt.datetime) else parse_datetime(str(value))
    if at is None:
        raise ValueError(f"not a time: {value!r}")
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
