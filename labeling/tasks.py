"""Celery tasks of labelling (queue `external`). Beat wakes them; what there is to do stands in Postgres."""

from __future__ import annotations

import logging
from collections.abc import Callable

from celery import shared_task

from core.exceptions import EcomsiteError
from labeling import ingest, sync

log = logging.getLogger(__name__)


@shared_task(name="labeling.push_tasks", soft_time_limit=1800, ignore_result=True)
def push_tasks() -> None:
    """Send open tasks to Label Studio."""
    _turn(sync.push_tasks)


@shared_task(name="labeling.process_webhooks", soft_time_limit=1800, ignore_result=True)
def process_webhooks() -> None:
    """Follow the hints in the inbox."""
    _turn(ingest.process_events)


@shared_task(name="labeling.reconcile", soft_time_limit=1800, ignore_result=True)
def reconcile() -> None:
    """Find what webhooks lost."""
    _turn(sync.reconcile)


def _turn(work: Callable[[], int]) -> None:
    """Work until nothing is left. A Label Studio that is away is no alarm: beat comes back within seconds."""
    try:
        while work() and work is not sync.reconcile:
            continue
    except EcomsiteError as exc:
        log.warning("%s", exc)
