"""The webhook receiver of Label Studio: authenticate, store, answer within milliseconds."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import HttpRequest, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.hints import hint_on_commit
from labeling.models import Annotation, WebhookEvent
from labeling.projects import SECRET_HEADER

log = logging.getLogger(__name__)
ACTION = re.compile(r"[A-Z_]+")
RETRY_AFTER_S = 5
LARGEST_BODY = 1_000_000
MAX_IDS = 1000
LARGEST_ID = 2**31 - 1


@csrf_exempt
@require_POST
def label_studio(request: HttpRequest) -> JsonResponse:
    """Store one event. 201 stored, 401 wrong secret, 413 too big, 400 not an event, 503 the database is away.

    Only a 201 means that it is stored, and it is durable then.
    """
    if not is_authentic(request.headers.get(SECRET_HEADER, "")):
        return JsonResponse({"error": "wrong secret"}, status=401)
    try:
        body = request.body if int(request.headers.get("Content-Length") or 0) <= LARGEST_BODY else None
    except (RequestDataTooBig, ValueError):
        body = None
    except UnreadablePostError:
        return JsonResponse({"error": "broken off"}, status=400)
    if body is None or len(body) > LARGEST_BODY:
        return JsonResponse({"error": f"more than {LARGEST_BODY} bytes"}, status=413)
    try:
        event = store_event(body)
    except ValueError as exc:
        return JsonResponse({"error": str(exc)}, status=400)
    except DatabaseError as exc:
        log.warning("a webhook could not be stored (%s); the reconcile will find what it was about", type(exc).__name__)
        return JsonResponse({"error": "not stored"}, status=503, headers={"Retry-After": str(RETRY_AFTER_S)})
    return JsonResponse({"event": event.pk}, status=201)


def is_authentic(secret: str) -> bool:
    """Whether `secret` is ours. Without a secret in the settings nothing is."""
    expected = settings.LABELING.webhook_secret
    return bool(expected) and hmac.compare_digest(secret.encode(), expected.encode())


def store_event(body: bytes) -> WebhookEvent:
    """Store the hint in `body` and wake who follows it. Only ids are kept. Raises `ValueError` when it is no event."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    action = event.get("action") if isinstance(event, Mapping) else None
    if not isinstance(action, str) or not ACTION.fullmatch(action):
        raise ValueError("no action")
    project = event.get("project")
    # One statement that commits by itself: what it cost is what the sender waits for.
    stored = WebhookEvent.objects.create(
        action=action[:60],
        ls_project_id=_id(project.get("id")) if isinstance(project, Mapping) else None,
        ls_task_ids=_task_ids(event),
        body_hash=hashlib.sha256(body).hexdigest(),
    )
    hint_on_commit("labeling.process_webhooks")
    return stored


def _task_ids(event: Mapping[str, Any]) -> list[int]:
    """Return the tasks an event is about. A deletion names annotations alone: their tasks are ours to know."""
    ids = {_id(part.get("id")) for part in _parts(event, "task", "tasks")}
    annotations = _parts(event, "annotation", "annotations")
    ids |= {_id(part.get("task")) for part in annotations}
    if event["action"] == "ANNOTATIONS_DELETED":
        deleted = [_id(part.get("id")) for part in annotations]
        held = Annotation.objects.filter(ls_annotation_id__in=[pk for pk in deleted if pk is not None])
        ids |= set(held.values_list("task__ls_task_id", flat=True))
    return sorted(pk for pk in ids if pk is not None)[:MAX_IDS]


def _parts(event: Mapping[str, Any], *names: str) -> list[Mapping[str, Any]]:
    parts: list[Any] = []
    for name in names:
        value = event.get(name)
        parts += value if isinstance(value, list) else [value]
    return [part for part in parts if isinstance(part, Mapping)]


def _id(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_ID else None
