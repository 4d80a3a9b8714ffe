"""The one that talks to Label Studio about tasks; `labeling.administration` does about projects and accounts.

Plain values in and out; every failure is a `TransientError` (absent, busy, slow) or a `PermanentError` (wrong token,
refused input) with the way out, or `Gone` when the project or task is not there any more.

Writes are never repeated by themselves: the SDK would repeat a POST that failed late, and Label Studio would make
everything twice.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.conf import settings

from core.exceptions import PermanentError, TransientError
from labeling.remote import RemoteOutline, RemoteTask, read_outline, read_task

if TYPE_CHECKING:
    from label_studio_sdk import LabelStudio

# For an answer of the API; one to an import of many tasks takes longer.
TIMEOUT_S = 60
IMPORT_TIMEOUT_S = 600
PAGE_SIZE = 200
# Label Studio reads addresses up to 8 KB; lookups of this many of our ids (36 characters each), and of theirs, stay
# below.
LOOKUP_SIZE = 80
IDS_AT_ONCE = 500
# Applied to the annotations inside a task as well.
OUTLINE_FIELDS = "id,updated_at,data,annotations"
TASK_FIELDS = f"{OUTLINE_FIELDS},result,completed_by,updated_by,was_cancelled,lead_time,created_at"
WRITE: Any = {"max_retries": 0}
# Of the SDK, each imported when it is first asked for: 2 s and 120 MB together.
PARTS = ("actions", "organizations", "projects", "tasks", "users", "webhooks")


class Gone(PermanentError):
    """Label Studio does not have it (any more)."""


class Unauthorized(PermanentError):
    """Label Studio does not accept our token: nothing can be asked, whatever it is about."""


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn whatever the SDK raises into an error of the house."""
    import httpx
    from label_studio_sdk.core.api_error import ApiError

    url = settings.LABELING.url
    try:
        yield
    except ApiError as exc:
        status = exc.status_code or 0
        if status in (401, 403):
            raise Unauthorized(
                f"Label Studio at {url} does not accept our token ({status}).",
                hint="Set LABEL_STUDIO_TOKEN to the access token of an account there; legacy tokens must be enabled.",
            ) from exc
        if status == 404:
            raise Gone(f"Label Studio has no such thing: {what}.") from exc
        if status in (408, 409, 425, 429) or status >= 500:
            raise TransientError(f"Label Studio at {url} could not {what} ({status}).") from exc
        raise PermanentError(f"Label Studio refused to {what} ({status}): {_reason(exc.body)}") from exc
    except httpx.TimeoutException as exc:
        raise TransientError(f"Label Studio at {url} took too long to {what}.") from exc
    except httpx.TransportError as exc:
        raise TransientError(
            f"Label Studio at {url} cannot be reached ({type(exc).__name__}).",
            hint="Is it running? `manage.py status` says so; LABEL_STUDIO_URL names another.",
        ) from exc
    except ValueError as exc:  # an answer that is no JSON, or not the JSON the SDK expects: a proxy's error page
        raise TransientError(f"Label Studio at {url} gave an unreadable answer to: {what}.") from exc


def _reason(body: Any) -> str:
    if isinstance(body, Mapping):
        body = body.get("validation_errors") or body.get("detail") or body
    return str(body)[:500]


def connection() -> LabelStudio:
    """Return the SDK's client for the Label Studio of the settings; made once per process and address."""
    if not settings.LABELING.token:
        raise Unauthorized(
            "LABEL_STUDIO_TOKEN is not set.",
            hint="`manage.py up` sets it; for your own server take it from /user/account.",
        )
    return _connection(settings.LABELING.url, settings.LABELING.token, TIMEOUT_S)


def load() -> None:
    """Import all of the SDK that is used here: a worker does so before it forks, and not at its first task."""
    from label_studio_sdk import LabelStudio

    unused = LabelStudio(base_url="http://127.0.0.1", api_key="none")
    for name in PARTS:
        getattr(unused, name)


@lru_cache(maxsize=4)
def _connection(url: str, token: str, timeout: int) -> LabelStudio:
    from label_studio_sdk import LabelStudio

    return LabelStudio(base_url=url, api_key=token, timeout=timeout, max_retries=1)


def count_tasks(project_id: int) -> int:
    """Return how many tasks a project holds. Raises `Gone`."""
    with explained(f"show project {project_id}"):
        return int(connection().projects.get(project_id).task_number or 0)


def import_tasks(project_id: int, tasks: Sequence[Mapping[str, Any]]) -> list[int]:
    """Create tasks ({data, predictions}) in one call and return their ids in order. Does not look for duplicates."""
    with explained(f"import {len(tasks)} tasks"):
        done = connection().projects.import_tasks(
            project_id,
            request=list(tasks),
            return_task_ids=True,
            request_options={**WRITE, "timeout_in_seconds": IMPORT_TIMEOUT_S},
        )
    ids = [int(pk) for pk in done.task_ids or []]
    if len(ids) != len(tasks):
        raise TransientError(
            f"Label Studio took {len(ids)} of {len(tasks)} tasks; what is there is looked up next time."
        )
    return ids


def find_tasks(project_id: int, ext_ids: Sequence[str]) -> list[RemoteOutline]:
    """Return every task of the project that says it is one of `ext_ids`, the oldest first: ours, or a copy."""
    found: list[RemoteOutline] = []
    for start in range(0, len(ext_ids), LOOKUP_SIZE):
        pattern = f"^({'|'.join(ext_ids[start : start + LOOKUP_SIZE])})$"
        query = _query(_filter("data.ext_id", "regex", "String", pattern), ordering="tasks:id")
        with explained("look up tasks"):
            found += map(
                read_outline,
                connection().tasks.list(
                    project=project_id, query=query, fields="all", include=OUTLINE_FIELDS, page_size=PAGE_SIZE
                ),
            )
    return found


def get_tasks(project_id: int, ids: Iterable[int]) -> dict[int, RemoteTask]:
    """Return those of the tasks `ids` that the project has, with their annotations. Raises `Gone` for the project."""
    with explained("show tasks"):
        return {task.id: read_task(task) for task in _there(project_id, ids, include=TASK_FIELDS)}


def missing_tasks(project_id: int, ids: Iterable[int]) -> set[int]:
    """Return those of `ids` that the project does not have (any more).

    Cheap when it has them all: counts are asked for.
    """
    missing: set[int] = set()
    with explained("look for tasks"):
        for some in _in_parts(ids, IDS_AT_ONCE):
            if _list(project_id, _only(some), include="id", size=1)[1] != len(some):
                missing |= set(some) - {int(task.id) for task in _there(project_id, some, include="id")}
    return missing


def _there(project_id: int, ids: Iterable[int], *, include: str) -> Iterator[Any]:
    for some in _in_parts(ids, PAGE_SIZE):
        while some:
            found, total = _list(project_id, _only(some), include=include, size=PAGE_SIZE)
            yield from found
            # A server may be set to smaller pages (TASK_API_PAGE_SIZE_MAX): what it held back is not missing.
            some = list(set(some) - {task.id for task in found}) if total > len(found) else []


def tasks_updated_after(project_id: int, after: dt.datetime | None) -> Iterator[list[RemoteTask]]:
    """Yield pages of the tasks updated after `after` (None: all), oldest change first; some may come twice.

    Rows move to the end as they change, so page numbers would skip some: each page starts from the last change seen,
    and those of one moment, as bulk actions make them, are told apart by id.
    """
    while True:
        filters = [] if after is None else [_filter("updated_at", "greater", "Datetime", _stamp(after))]
        page, total = _tasks(project_id, *filters, ordering="tasks:updated_at")
        if page:
            yield page
        if total <= len(page):
            return
        last = page[-1].updated_at
        if page[0].updated_at < last:
            after = last - dt.timedelta(microseconds=1)  # more of that moment may be on the next page
        else:
            yield from _tasks_of_moment(project_id, last)
            after = last


def _tasks_of_moment(project_id: int, at: dt.datetime) -> Iterator[list[RemoteTask]]:
    same, last = _filter("updated_at", "equal", "Datetime", _stamp(at)), 0
    while page := _tasks(project_id, same, _filter("id", "greater", "Number", last))[0]:
        yield page
        last = page[-1].id


def _tasks(project_id: int, *filters: Any, ordering: str = "tasks:id") -> tuple[list[RemoteTask], int]:
    with explained("list the tasks that changed"):
        found, total = _list(project_id, _query(*filters, ordering=ordering), include=TASK_FIELDS, size=PAGE_SIZE)
        return [read_task(task) for task in found], total


def outlines(project_id: int) -> Iterator[list[RemoteOutline]]:
    """Yield every task of the project in outline, page by page, by id."""
    last = 0
    while True:
        with explained("list the tasks"):
            query = _query(_filter("id", "greater", "Number", last), ordering="tasks:id")
            page = [read_outline(task) for task in _list(project_id, query, include=OUTLINE_FIELDS, size=PAGE_SIZE)[0]]
        if not page:
            return
        yield page
        last = page[-1].id


def delete_task(task_id: int) -> None:
    """Delete a task; one that is gone already is fine."""
    with suppress(Gone), explained(f"delete task {task_id}"):
        connection().tasks.delete(str(task_id), request_options=WRITE)


def delete_tasks(project_id: int, task_ids: Sequence[int]) -> None:
    """Delete tasks of a project in one call; those that are gone already are fine."""
    if task_ids:
        with explained(f"delete {len(task_ids)} tasks"):
            connection().actions.create(
                id="delete_tasks",
                project=project_id,
                selected_items={"all": False, "included": list(task_ids)},
                request_options=WRITE,
            )


def set_task_data(task_id: int, data: Mapping[str, Any]) -> None:
    """Have a task show this. Raises `Gone`."""
    with explained(f"change task {task_id}"):
        connection().tasks.update(str(task_id), data=dict(data), request_options=WRITE)


def _list(project_id: int, query: str, *, include: str, size: int) -> tuple[list[Any], int]:
    """Return the first tasks that fit `query`, and how many fit.

    A page past the last would be a 404: none is asked for.

    Their data as it was sent: addresses in it are not made those of Label Studio's own storages.
    """
    answer = (
        connection()
        .tasks.list(project=project_id, query=query, fields="all", include=include, page_size=size, resolve_uri=False)
        .response
    )
    return list(answer.tasks), int(answer.total)


def _filter(column: str, operator: str, kind: str, value: str | int) -> dict[str, Any]:
    return {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}


def _query(*filters: Mapping[str, Any], ordering: str) -> str:
    given = {"filters": {"conjunction": "and", "items": filters}} if filters else {}
    return json.dumps({**given, "ordering": [ordering]})


def _only(ids: Sequence[int]) -> str:
    return json.dumps({"selectedItems": {"all": False, "included": ids}})


def _in_parts(ids: Iterable[int], size: int) -> Iterator[list[int]]:
    rest = iter(ids)
    while part := list(islice(rest, size)):
        yield part


def _stamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
