"""Addresses in Label Studio for people to follow."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from core.exceptions import TransientError
from labeling.models import LabelingTask


def task_url(task: LabelingTask) -> str:
    """Return the deep link to `task`; who is not logged in comes to it after the login page.

    Raises `TransientError` while the task is not in Label Studio yet.
    """
    if task.ls_task_id is None or task.project.ls_project_id is None:
        raise TransientError("This task is still on its way to Label Studio.", hint="Try again in a few seconds.")
    return f"{settings.LABELING['URL']}/projects/{task.project.ls_project_id}/data?task={task.ls_task_id}"


def frame_origin() -> str:
    """Return scheme and host of where people see tasks: what a page of ours may show in a frame."""
    parts = urlsplit(settings.LABELING["URL"])
    return f"{parts.scheme}://{parts.netloc}"
