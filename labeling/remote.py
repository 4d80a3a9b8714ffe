"""Tasks, annotations and accounts as Label Studio has them, in plain types of ours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.dateparse import parse_datetime

LONGEST_LEAD_TIME_S = 366 * 24 * 3600


@dataclass(frozen=True)
class RemoteAnnotation:
    """An annotation as Label Studio has it now. Its author is `user_id`; `editor_id` last changed it (None: imported).

    Who changes another's answer does not become its author; and both are what Label Studio was told, no more.
    """

    id: int
    user_id: int | None
    editor_id: int | None
    result: list[dict[str, Any]]
    was_cancelled: bool
    lead_time: dt.timedelta | None
    created_at: dt.datetime
    updated_at: dt.datetime


@dataclass(frozen=True)
class RemoteTask:
    """A task as Label Studio has it now. `updated_at` moves whenever an annotation of it comes, changes or goes."""

    id: int
    # What it says of itself to be, our id as we sent it: anybody can copy a task. Empty on tasks of others.
    ext_id: str
    updated_at: dt.datetime
    # What people are shown.
    data: dict[str, Any]
    annotations: list[RemoteAnnotation]


@dataclass(frozen=True)
class RemoteOutline:
    """As much of a task as is needed to tell whether ours is the same: `annotations` are (id, updated_at)."""

    id: int
    ext_id: str
    updated_at: dt.datetime
    annotations: frozenset[tuple[int, dt.datetime]]


@dataclass(frozen=True)
class RemoteUser:
    """An account of Label Studio."""

    id: int
    email: str


def read_task(task: Any) -> RemoteTask:
    """Read a task of the SDK. Raises `ValueError` when Label Studio sent something else."""
    annotations = [_annotation(dict(annotation)) for annotation in task.annotations or []]
    return RemoteTask(int(task.id), _ext_id(task), _time(task.updated_at), dict(task.data or {}), annotations)


def read_outline(task: Any) -> RemoteOutline:
    """Read a task of the SDK in outline. Raises `ValueError` when Label Studio sent something else."""
    annotations = frozenset((int(raw["id"]), _time(raw["updated_at"])) for raw in task.annotations or [])
    return RemoteOutline(int(task.id), _ext_id(task), _time(task.updated_at), annotations)


def _ext_id(task: Any) -> str:
    return str((task.data or {}).get("ext_id") or "")


def _annotation(raw: Mapping[str, Any]) -> RemoteAnnotation:
    result = raw.get("result") or []
    return RemoteAnnotation(
        id=int(raw["id"]),
        user_id=_user(raw.get("completed_by")),
        editor_id=_user(raw.get("updated_by")),
        result=result if isinstance(result, list) else [result],
        was_cancelled=bool(raw.get("was_cancelled")),
        lead_time=_lead_time(raw.get("lead_time")),
        created_at=_time(raw["created_at"]),
        updated_at=_time(raw["updated_at"]),
    )


def _user(value: Any) -> int | None:
    """Return the id of an account, which comes alone or with more about it."""
    return int(value["id"]) if isinstance(value, Mapping) else value


def _lead_time(seconds: Any) -> dt.timedelta | None:
    # Whoever annotates through Label Studio's API says what they like, and must not stop the sweep by it.
    if isinstance(seconds, (int, float)) and 0 <= seconds <= LONGEST_LEAD_TIME_S:
        return dt.timedelta(seconds=float(seconds))
    return None


def _time(value: Any) -> dt.datetime:
    at = value if isinstance(value, dt.datetime) else parse_datetime(str(value))
    if at is None:
        raise ValueError(f"not a time: {value!r}")
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
