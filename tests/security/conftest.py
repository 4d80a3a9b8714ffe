"""A labelling task that somebody holds, and a Label Studio that writes down what reaches it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.contrib.auth.models import User

from labeling.models import Annotator, LabelingTask
from moderation.decisions import settling
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out
from tests import factories, people
from tests.moderation.conftest import GOOD

SERVICE = "0" * 40


@dataclass
class Recorder:
    """Stands where Label Studio stands, for tests of what reaches it; the real one is asked in test_door_in_label_studio."""

    seen: list[dict[str, Any]] = field(default_factory=list)
    status: str = "201 Created"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read() if environ["REQUEST_METHOD"] == "POST" else b""
        self.seen.append({**environ, "body": body})
        is_answer = environ["REQUEST_METHOD"] == "POST"
        start_response(
            self.status if is_answer else "200 OK",
            [("Content-Type", "application/json"), ("Set-Cookie", "sessionid=stolen"), ("X-Internal", "1")],
        )
        return [b"{}"]

    @property
    def annotations(self) -> list[dict[str, Any]]:
        """What it was asked to keep."""
        return [json.loads(seen["body"]) for seen in self.seen if seen["REQUEST_METHOD"] == "POST"]


@dataclass
class Held:
    """A task with the person who holds it."""

    user: User
    item: ReviewItem
    task: LabelingTask

    @property
    def ls_task(self) -> int:
        return self.task.ls_task_id or 0


@pytest.fixture
def recorder(settings: Any) -> Recorder:
    """A Label Studio that keeps nothing, and settings that point at it."""
    settings.LABELING = replace(settings.LABELING, door_url="http://door.test", token=SERVICE)
    return Recorder()


@pytest.fixture
def hold(db: None) -> Callable[..., Held]:
    """Return a function that hands a task to a new person, as Next does."""
    numbers = iter(range(700, 800))

    def make(user: User | None = None, *, text: str = GOOD) -> Held:
        user = user or people.reviewer()
        number = next(numbers)
        Annotator.objects.get_or_create(user=user, defaults={"ls_user_id": number})
        factories.candidate(text, status="in_review", rank=1)
        assert settling.open_reviews() == 1
        task = LabelingTask.objects.filter(ls_task_id=None).get()
        LabelingTask.objects.filter(pk=task.pk).update(status="pushed", ls_task_id=number)
        type(task.project).objects.filter(pk=task.project_id).update(ls_project_id=1)
        item = handing_out.next_item(user)
        assert item is not None
        return Held(user, item, LabelingTask.objects.get(pk=task.pk))

    return make
