"""Tasks where several answers to a text may hold: how a snapshot notes it, and what a label counts as."""

from __future__ import annotations

from typing import Any

from core import label_sets
from labeling.question import question
from training.models.datasets import IS_SEVERAL, Task


def is_multiple(task: str) -> bool:
    """Return whether of a text of `task` several labels may hold, or none."""
    return task not in Task.values and question(task).is_multiple


def noted(task: str) -> dict[str, Any]:
    """Return what a manifest says of it: nothing where one label holds, so that those of before stay as they are."""
    return {IS_SEVERAL: True} if is_multiple(task) else {}


def counted(task: str, label: str) -> list[str]:
    """Return what `label` counts as: each answer in it, `none` where there is none; itself where one label holds."""
    return (label_sets.split(label) or [label_sets.NONE]) if is_multiple(task) else [label]
