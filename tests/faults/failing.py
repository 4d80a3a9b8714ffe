"""A task for a worker whose memory is watched: every second one fails."""

from __future__ import annotations

import datetime as dt

from celery import shared_task

from core import leases
from moderation.drafting import generation


@shared_task(name="tests.look_and_fail", ignore_result=True)
def look_and_fail(number: int) -> None:
    """Fail if `number` is odd. Each fifth looks for work as a drainer does.

    Not each: Celery closes the connection to the database after a task, and a new one takes 10 ms.
    """
    if number % 5 == 0:
        leases.claim(generation.QUEUED, n=1, duration=dt.timedelta(minutes=1))
    if number % 2:
        raise RuntimeError(f"the task {number} fails")
