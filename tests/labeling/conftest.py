"""Labelling tasks as the desk opens them, and answers as people give them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from labeling import sync
from labeling.models import LabelingTask
from labeling.signals import consensus_reached
from questions.copy_verdict.question import reasons_suggested, task_data_of
from tests import people
from tests.label_studio_server import REVIEWER, SENIOR

DRAFT = "A sea green stoneware mug that keeps tea hot for 12 hours."
FINDINGS = [
    {
        "id": 41,
        "code": "unsupported_number",
        "severity": "warn",
        "message": "No fact says “12 hours”.",
        "start": 49,
        "end": 57,
    },
    {
        "id": 42,
        "code": "unfinished",
        "severity": "info",
        "message": "It seems to end early.",
        "start": None,
        "end": None,
    },
]


@pytest.fixture
def open_task() -> Callable[..., LabelingTask]:
    """Return a function that opens a copy review."""

    def make(text: str = DRAFT, **fields: Any) -> LabelingTask:
        payload = task_data_of(title="Harbour mug", channel="Description", locale="en", text=text, findings=FINDINGS)
        predictions = reasons_suggested(FINDINGS, model_version="copywriter v1")
        values = {"payload": payload, "predictions": predictions} | fields
        return sync.open_task("copy_verdict", reference=f"tests.thing:{uuid.uuid4()}", **values)

    return make


@pytest.fixture
def staff() -> dict[str, Any]:
    """Our users behind the accounts of Label Studio."""
    return {
        "reviewer": people.people("Reviewer", email=REVIEWER.email),
        "senior": people.people("Senior reviewer", email=SENIOR.email),
    }


@pytest.fixture
def announced() -> Any:
    """The consensuses announced during the test: (id, reference)."""
    heard: list[tuple[int, str]] = []

    def listen(sender: Any, consensus_id: int, reference: str, **kwargs: Any) -> None:
        heard.append((consensus_id, reference))

    consensus_reached.connect(listen, weak=False)
    yield heard
    consensus_reached.disconnect(listen)


def choice(name: str, *values: str) -> dict[str, Any]:
    """Part of an annotation of a copy review: choices."""
    return {"from_name": name, "to_name": "draft", "type": "choices", "value": {"choices": list(values)}}


def typed(name: str, text: str) -> dict[str, Any]:
    """Part of an annotation of a copy review: text."""
    return {"from_name": name, "to_name": "draft", "type": "textarea", "value": {"text": [text]}}
