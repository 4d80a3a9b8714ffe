"""Answers the door's questions: may this person reach this task now? And hears whom it refused."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from labeling import passes
from labeling.door import tokens
from labeling.door.desk import SIGNATURE
from labeling.signals import refused_at_the_door

log = logging.getLogger(__name__)
LARGEST_BODY = 64 * 1024
MOST_COUNTS = 600
LARGEST_ID = 2**31 - 1
MOST_AT_ONCE = 1_000_000


@csrf_exempt
@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    """Answer one question of the door, signed as the question is.

    401 for one that is not the door's, 400 for nonsense.
    """
    key, signature = settings.LABELING.door_key, request.headers.get(SIGNATURE, "")
    try:
        body = request.body if int(request.headers.get("Content-Length") or 0) <= LARGEST_BODY else b""
    except (ValueError, UnreadablePostError):
        body = b""
    if not tokens.is_call(body, signature, key=key):
        return HttpResponse(status=401)
    try:
        question = json.loads(body)
        reply = json.dumps(_answer(question)).encode()
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return HttpResponse(status=400)
    except DatabaseError as exc:
        log.warning("the door was not answered (%s)", type(exc).__name__)
        return HttpResponse(status=503, headers={"Retry-After": "5"})
    answer = HttpResponse(reply, content_type="application/json", headers={"Cache-Control": "no-store"})
    answer.headers[SIGNATURE] = tokens.sign_reply(reply, to=signature, key=key)
    return answer


def _answer(question: Mapping[str, Any]) -> dict[str, Any]:
    what = question["ask"]
    if what == "refused":
        return _hear(question["counts"])
    try:
        if what == "enter":
            passes.redeem(str(question["token"]))
            return {"allowed": True}
        if what in ("reach", "show"):
            return _reach(str(question["pass"]), question["ls_task"], show=what == "show")
    except passes.NoLeave as exc:
        return {"allowed": False, "reason": exc.reason}
    raise ValueError(what)


def _reach(pass_id: str, ls_task: Any, *, show: bool) -> dict[str, Any]:
    if not isinstance(ls_task, int) or not 0 < ls_task <= LARGEST_ID:
        raise passes.NoLeave("no_lease")
    allowed = passes.reach(pass_id, ls_task)
    return {
        "allowed": True,
        "task": str(allowed.task.pk),
        "ls_task": ls_task,
        "person": allowed.user.pk,
        "account": allowed.ls_user_id,
        "lease": allowed.lease,
        **({"shown": passes.shown(allowed)} if show else {}),
    }


def _hear(counts: Any) -> dict[str, Any]:
    for row in list(counts)[:MOST_COUNTS]:
        reason, n = str(row["reason"]), int(row["n"])
        if reason.isidentifier() and 0 < n <= MOST_AT_ONCE:
            user_id = passes.user_id_of(str(row["pass"])) if row["pass"] else None
            refused_at_the_door.send_robust(sender=None, reason=reason[:40], user_id=user_id, n=n)
    return {}
