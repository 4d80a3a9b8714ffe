"""The legal moves of a labelling task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.ledger import Line
from core.lifecycle import StateTable, compare_and_set
from core.refs import ref
from labeling.models import LabelingTask

Status = LabelingTask.Status

MOVES: StateTable = {
    Status.OPEN: (Status.PUSHED, Status.WITHDRAWN),
    # Back to open: somebody deleted it in Label Studio before it was answered.
    Status.PUSHED: (Status.SETTLED, Status.WITHDRAWN, Status.OPEN),
    Status.SETTLED: (),
    Status.WITHDRAWN: (),
}


def move(
    task: LabelingTask, *, to: str, event: str = "", payload: Mapping[str, Any] | None = None, **updates: object
) -> Line | None:
    """Move `task` on from the status it says, and return the ledger line for it; None when somebody moved it first."""
    if not compare_and_set(task, moves=MOVES, from_=task.status, to=to, **updates):
        return None
    return Line(f"labeling.task.{event or to}", ref(task), {"about": task.reference, **(payload or {})})
