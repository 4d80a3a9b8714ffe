"""A task as Label Studio gets it, and as people see it through the door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labeling.label_config import LabelingInterface, load_interface
from labeling.models import LabelingTask


def as_sent(
    task: LabelingTask, interface: LabelingInterface | None = None, *, fills: bool | None = None
) -> dict[str, Any]:
    """Return a task as Label Studio gets it, {data, predictions}: what is suggested fills the answer, or is said beside.

    `interface` is that of its kind and `fills` what it says of that, for who has asked already.
    """
    interface = interface or load_interface(task.project.kind)
    fills = interface.fills_suggestions() if fills is None else fills
    shown = task.predictions if task.shows_predictions else []
    data = dict(task.payload) if fills else interface.beside(task.payload, shown)
    return {"data": {**data, "ext_id": str(task.pk)}, "predictions": shown if fills else []}


def is_as_sent(task: LabelingTask, data: Mapping[str, Any]) -> bool:
    """Whether `data` is what Label Studio got of `task`, whichever way of suggesting was the queue's rule then."""
    interface = load_interface(task.project.kind)
    return any(data == as_sent(task, interface, fills=fills)["data"] for fills in (True, False))
