"""Celery tasks of labelling (queue `external`). Beat wakes them; what there is to do stands in Postgres."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from celery import shared_task
from celery.signals import celeryd_after_setup

from core.exceptions import EcomsiteError
from core.hints import hint
from labeling import client, completeness, drift, ingest, sync

log = logging.getLogger(__name__)
QUEUE = "external"


@celeryd_after_setup.connect
def have_the_sdk_ready(sender: Any, instance: Any, **kwargs: Any) -> None:
    """Import Label Studio's SDK before the worker forks: the first answer of the day waited seconds for it,
    in each child.
    """
    if QUEUE in instance.app.amqp.queues.consume_from:
        client.load()


@shared_task(name="labeling.push_tasks", soft_time_limit=1800, ignore_result=True)
def push_tasks() -> None:
    """Send open tasks to Label Studio."""
    if _turn(sync.push_tasks):
        hint("labeling.push_tasks")


@shared_task(name="labeling.process_webhooks", soft_time_limit=1800, ignore_result=True)
def process_webhooks() -> None:
    """Follow the hints in the inbox."""
    if _turn(ingest.process_events):
        hint("labeling.process_webhooks")


@shared_task(name="labeling.reconcile", soft_time_limit=1800, ignore_result=True)
def reconcile() -> None:
    """Find what webhooks lost."""
    _turn(sync.reconcile)


@shared_task(name="labeling.look_for_drift", soft_time_limit=300, ignore_result=True)
def look_for_drift() -> None:
    """Compare interfaces, webhooks and accounts in Label Studio with what we set."""
    _turn(drift.look)


@shared_task(name="labeling.prove_completeness", soft_time_limit=3600, ignore_result=True)
def prove_completeness() -> None:
    """Compare everything with Label Studio, once a day."""
    _turn(completeness.prove_if_due)


def _turn(work: Callable[[], int]) -> int:
    """Do one bounded piece of work. A Label Studio that is away is no alarm: beat comes back within seconds."""
    try:
        return work()
    except EcomsiteError as exc:
        log.warning("%s", exc)
        return 0
