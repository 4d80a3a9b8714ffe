"""Addresses in Label Studio for people to follow."""

from __future__ import annotations

from django.urls import reverse

from core.exceptions import TransientError
from labeling.models import LabelingTask


def task_url(task: LabelingTask) -> str:
    """Return the address at which who holds `task` comes to it in Label Studio, through the door.

    It is one of the console, which lets them in anew each time they follow it. Raises `TransientError` while the task
    is not in Label Studio yet.
    """
    if task.ls_task_id is None or task.project.ls_project_id is None:
        raise TransientError("This task is still on its way to Label Studio.", hint="Try again in a few seconds.")
    return reverse("console:door", args=[task.pk])
