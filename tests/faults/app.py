"""The product's Celery application for the fault tests: connections carry the pid of who holds them, beat may be quick."""

from __future__ import annotations

import os
from typing import Any

from django.db.backends.signals import connection_created

from ecomsite.celery import app

# Beat asks this many times as often as in production.
PACE = int(os.environ.get("FAULTS_BEAT_PACE", "1"))

for _entry in app.conf.beat_schedule.values():
    _entry["schedule"] /= PACE


def _sign(connection: Any, **kwargs: Any) -> None:
    # So a fault can ask PostgreSQL whether this very process is in the middle of a transaction.
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, false)", [f"pid-{os.getpid()}"])


connection_created.connect(_sign, weak=False)
