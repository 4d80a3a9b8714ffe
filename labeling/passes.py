"""The way through the door in front of Label Studio: who gets a pass, what one is good for, and when it ends.

Who may reach a task is for whoever hands tasks out to say: settings.LABELING.may_reach, a dotted path to a function
of (user, task) that returns the lease ("" where nothing is reserved), or None.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.module_loading import import_string

from core.exceptions import PermanentError, StaleState, TransientError
from labeling.door import stamps, tokens
from labeling.models import Annotation, Annotator, DoorPass, LabelingTask
from labeling.presentation import as_seen
from labeling.question import question

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# Long after the session of the console that it belongs to.
KEEP_PASSES = dt.timedelta(days=2)


class NoLeave(Exception):
    """Not let through; `reason` is one word, to be counted."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Reach:
    """That this person may see and answer this task at this moment."""

    user: User
    task: LabelingTask
    ls_user_id: int
    lease: str


def way_in(task: LabelingTask, *, user: User, session_key: str) -> str:
    """Return the address, for `user` alone, once and within half a minute, at which the door opens on `task`.

    Raises `TransientError` while the task is not in Label Studio, `StaleState` when it is not theirs to answer,
    `PermanentError` without a key.
    """
    if not settings.LABELING.door_key:
        raise PermanentError("LABEL_STUDIO_DOOR_KEY is not set.", hint="`manage.py up` makes one.")
    if task.ls_task_id is None:
        raise TransientError("This task is still on its way to Label Studio.", hint="Try again in a few seconds.")
    if _lease(user, task) is None:
        raise StaleState("This task is not yours.", hint="Press Next: it hands you one.")
    DoorPass.objects.filter(issued_at__lt=timezone.now() - KEEP_PASSES).delete()
    issued = DoorPass.objects.create(user=user, session_key=session_key, task=task)
    token = tokens.Token(
        pass_id=str(issued.pk),
        person=user.pk,
        session=tokens.hash_of_session(session_key),
        ls_task=task.ls_task_id,
        expires=time.time() + tokens.TOKEN_LIFE_S,
    )
    sealed = tokens.seal_token(token, key=settings.LABELING.door_key)
    return f"{settings.LABELING.door_url}/door/enter?token={sealed}"


def redeem(text: str) -> DoorPass:
    """Use a token: of two who show the same one, one gets in. Raises `NoLeave`."""
    try:
        token = tokens.open_token(text, key=settings.LABELING.door_key)
    except tokens.Refused:
        raise NoLeave("token") from None
    held = _held(token.pass_id)
    if (held.user_id, tokens.hash_of_session(held.session_key)) != (token.person, token.session):
        raise NoLeave("token")
    if not DoorPass.objects.filter(pk=held.pk, used_at=None).update(used_at=timezone.now()):
        raise NoLeave("used")
    _require_session(held)
    return held


def reach(pass_id: str, ls_task_id: int) -> Reach:
    """Return what who holds a pass that was used may do with a task now. Raises `NoLeave`."""
    held = _held(pass_id)
    if held.used_at is None:
        raise NoLeave("no_pass")
    _require_session(held)
    task = LabelingTask.objects.select_related("project").filter(ls_task_id=ls_task_id).first()
    lease = _lease(held.user, task) if task else None
    if task is None or lease is None:
        raise NoLeave("no_lease")
    ls_user_id = Annotator.objects.filter(user=held.user).values_list("ls_user_id", flat=True).first()
    if ls_user_id is None:
        raise NoLeave("no_account")
    return Reach(held.user, task, ls_user_id, lease)


def shown(allowed: Reach) -> dict[str, Any]:
    """Return what the person sees: the interface and the task as we have them, and what they answered before, if
    anything.

    Not as Label Studio has them: whoever changed them there changes nothing that is seen.
    """
    task, interface = allowed.task, question(allowed.task.project.question)
    counts = task.annotations.filter(annotator=allowed.user, was_cancelled=False, standing=Annotation.Standing.COUNTS)
    given = counts.order_by("ls_updated_at").last()
    return {
        "title": interface.title,
        "config": interface.config(),
        # What is suggested stands beside what is asked, or fills the answer.
        **as_seen(task, interface),
        "earlier": stamps.without_stamp(given.result) if given else [],
        # Passing one on is the review page's, with a reason (moderation.queues.turns).
        "may_skip": False,
        "next": f"{settings.SITE_URL}{reverse('console:next')}?question={task.project.question}",
    }


def user_id_of(pass_id: str) -> int | None:
    """Return whose pass that is, if it is one."""
    try:
        return _held(pass_id).user_id
    except NoLeave:
        return None


def _held(pass_id: str) -> DoorPass:
    try:
        found = DoorPass.objects.select_related("user").filter(pk=uuid.UUID(pass_id)).first()
    except ValueError:
        found = None
    if found is None:
        raise NoLeave("no_pass")
    return found


def _lease(user: User, task: LabelingTask) -> str | None:
    may_reach: Callable[[User, LabelingTask], str | None] = import_string(settings.LABELING.may_reach)
    return may_reach(user, task)


def _require_session(held: DoorPass) -> None:
    """A pass ends with the session of the console it was given in, and with what ends that: sign-out,
    a new password.
    """
    store: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(held.session_key)
    is_theirs = str(store.get(SESSION_KEY, "")) == str(held.user_id)
    same_password = constant_time_compare(store.get(HASH_SESSION_KEY, ""), held.user.get_session_auth_hash())
    if not (held.user.is_active and is_theirs and same_password):
        raise NoLeave("signed_out")
