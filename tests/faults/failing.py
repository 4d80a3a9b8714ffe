"""A task for a worker whose memory is watched: every second one fails, with something heavy in its frames."""

from __future__ import annotations

import datetime as dt

from celery import shared_task

from core import leases
from moderation import generation


@shared_task(name="tests.look_and_fail", ignore_result=True)
def look_and_fail(number: int) -> None:
    """Look for work as a drainer does; fail if `number` is odd. A traceback that is kept would keep 100 kB."""
    heavy = bytes(100_000)
    leases.claim(generation.QUEUED, n=1, duration=dt.timedelta(minutes=1))
    if number % 2:
        raise RuntimeError(f"the task {number} fails with {len(heavy)} bytes in its frame")
