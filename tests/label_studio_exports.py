"""Exports as Label Studio writes them, in small."""

from __future__ import annotations

from typing import Any


def picked(label: Any, name: str = "sentiment") -> dict[str, Any]:
    """The answer to a control of choices."""
    return {"id": "a1", "from_name": name, "to_name": "text", "type": "choices", "value": {"choices": [label]}}


def span(start: int) -> dict[str, Any]:
    """A labelled span of the text."""
    value = {"start": start, "end": start + 3, "text": "xxx", "labels": ["ASPECT"]}
    return {"id": f"s{start}", "from_name": "label", "to_name": "text", "type": "labels", "value": value}


def task(text: str | dict[str, Any], *result: Any, **annotation: Any) -> dict[str, Any]:
    """A task with one annotation, of account 1."""
    return tasks_of(text, [{"result": list(result), **annotation}])


def tasks_of(text: str | dict[str, Any], annotations: list[dict[str, Any]]) -> dict[str, Any]:
    """A task with `annotations`, each with what Label Studio says of one."""
    usual = {
        "id": 1,
        "completed_by": 1,
        "was_cancelled": False,
        "ground_truth": False,
        "lead_time": 4.2,
        "created_at": "2026-01-02T10:00:00.000000Z",
        "updated_at": "2026-01-02T10:00:00.000000Z",
    }
    data = {"text": text} if isinstance(text, str) else text
    return {"id": 1, "data": data, "annotations": [{**usual, **one} for one in annotations], "predictions": []}
