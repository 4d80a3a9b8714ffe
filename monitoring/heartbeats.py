"""A canary for each queue: beat sends a message every ten seconds, a worker notes that it came."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from monitoring.models import Heartbeat

QUEUES = ("default", "external", "gpu")
INTERVAL_S = 10
STALE_AFTER = dt.timedelta(seconds=4 * INTERVAL_S)


def record(queue: str) -> None:
    """Note that a message came through `queue` just now."""
    Heartbeat.objects.update_or_create(queue=queue, defaults={"at": timezone.now()})


def ages() -> dict[str, dt.timedelta | None]:
    """Return the age of the last heartbeat of each queue; None where there never was one."""
    now = timezone.now()
    seen = dict(Heartbeat.objects.values_list("queue", "at"))
    return {queue: now - seen[queue] if queue in seen else None for queue in QUEUES}
