"""Takes the words out of labelling tasks, there and here, where what they were about has to be erased."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from labeling import client
from labeling.client import Gone
from labeling.models import LabelingTask


def blanked(task: LabelingTask) -> dict[str, Any]:
    """Return the data of `task` with nothing in it: what Label Studio shows has to be there, if only empty."""
    return {name: [] if isinstance(value, list) else "" for name, value in task.payload.items()}


def blank_there(tasks: Iterable[LabelingTask]) -> None:
    """Have Label Studio show nothing of `tasks` any more. Raises `TransientError` when it cannot be reached.

    Asks the network: call outside a transaction, and before `blank_here`.
    """
    for task in tasks:
        if task.ls_task_id is not None:
            try:
                client.set_task_data(task.ls_task_id, {**blanked(task), "ext_id": str(task.pk)})
            except Gone:
                continue


def blank_here(tasks: Iterable[LabelingTask]) -> int:
    """Keep nothing of what `tasks` showed. Returns how many they are. Call inside a transaction."""
    n = 0
    for task in tasks:
        n += LabelingTask.objects.filter(pk=task.pk).update(payload=blanked(task))
    return n
