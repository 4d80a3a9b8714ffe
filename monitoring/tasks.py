"""Celery entry points of the watchers."""

from __future__ import annotations

from celery import shared_task

from monitoring import heartbeats


@shared_task(name="monitoring.record_heartbeat", soft_time_limit=20, ignore_result=True)
def record_heartbeat(queue: str = "default") -> None:
    """Note that a message from beat came through `queue`."""
    heartbeats.record(queue)
