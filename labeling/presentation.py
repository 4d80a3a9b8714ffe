"""A task as Label Studio gets it, and as people see it through the door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labeling.models import LabelingTask
from labeling.question import Question, question


def as_sent(task: LabelingTask, interface: Question | None = None, *, fills: bool | None = None) -> dict[str, Any]:
    """Return a task as Label Studio gets it, {data, predictions}: what is suggested fills the answer, or is said
    beside.

    `interface` is that of its question and `fills` what it says of that, for who has asked already.
    """
    interface = interface or question(task.project.question)
    fills = interface.fills_suggestions() if fills is None else fills
    shown = task.predictions if task.shows_predictions else []
    data = dict(task.payload) if fills else interface.beside(task.payload, shown)
    return {"data": {**data, "ext_id": str(task.pk)}, "predictions": shown if fills else []}


def as_seen(task: LabelingTask, interface: Question) -> dict[str, Any]:
    """Return a task as people see it through the door: as it was sent, and with why the model suggests what it does.

    That is found after the task went out, and nobody who is shown no suggestion sees it.
    """
    sent = as_sent(task, interface)
    if task.shows_predictions and task.predictions:
        sent["data"] = interface.explained(sent["data"], reference=task.reference)
    return sent


def is_as_sent(task: LabelingTask, data: Mapping[str, Any]) -> bool:
    """Whether `data` is what Label Studio got of `task`, whichever way of suggesting was the queue's rule then."""
    interface = question(task.project.question)
    return any(data == as_sent(task, interface, fills=fills)["data"] for fills in (True, False))
