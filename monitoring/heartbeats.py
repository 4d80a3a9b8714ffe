"""A canary for each queue: beat sends a message every ten seconds and notes it; a worker notes that it came."""

from __future__ import annotations

import datetime as dt
from typing import Any

from celery.signals import after_task_publish, beat_embedded_init, beat_init
from django.db import close_old_connections
from django.utils import timezone

from monitoring.models import Heartbeat

QUEUES = ("default", "external", "webhooks", "gpu")
BEAT = "beat"
CANARY = "monitoring.record_heartbeat"
INTERVAL_S = 10
STALE_AFTER = dt.timedelta(seconds=4 * INTERVAL_S)


def record(queue: str) -> None:
    """Note that a message came through `queue` just now (or, for `BEAT`, that one was sent)."""
    Heartbeat.objects.update_or_create(queue=queue, defaults={"at": timezone.now()})


def ages() -> dict[str, dt.timedelta | None]:
    """Return the age of the last heartbeat of beat and of each queue; None where there never was one."""
    now = timezone.now()
    seen = dict(Heartbeat.objects.values_list("queue", "at"))
    return {name: now - seen[name] if name in seen else None for name in (BEAT, *QUEUES)}


def is_stale(age: dt.timedelta | None) -> bool:
    """Whether a heartbeat of that age means that something is missing."""
    return age is None or age > STALE_AFTER


@beat_init.connect
@beat_embedded_init.connect
def note_what_beat_sends(**kwargs: Any) -> None:
    """In the process that is beat, note each canary that the broker took: so its silence is told from a worker's."""
    after_task_publish.connect(_sent, sender=CANARY, dispatch_uid="monitoring.beat")


def _sent(**kwargs: Any) -> None:
    close_old_connections()  # beat has no turns of work that would do it
    record(BEAT)
