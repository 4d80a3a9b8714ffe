"""Wake a drainer through Celery. A message is a hint: what there is to do stands in Postgres."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction

log = logging.getLogger(__name__)
# As long as a beat interval: a hint that waited longer is stale, the next tick does the same work. Hints beget hints;
# without an end to each they would fill a queue that is worked off slowly, and all else in it would wait behind them.
STALE_AFTER_S = 10


def hint(task: str) -> None:
    """Ask for a turn of the Celery task `task` (routed by settings.CELERY_TASK_ROUTES), now.

    A broker that is down is logged and forgotten: beat asks again within seconds, and nothing is lost.
    """
    try:
        current_app.send_task(task, expires=STALE_AFTER_S, retry=False)
    except Exception as exc:  # kombu raises whatever its transport raises
        log.warning("the broker did not take the hint %s (%s); beat will ask again", task, type(exc).__name__)


def hint_on_commit(task: str) -> None:
    """Ask for a turn of `task` once the current transaction has committed: a job must never start before its rows exist."""
    transaction.on_commit(lambda: hint(task))
