"""Celery entry points of the watchers."""

from __future__ import annotations

from celery import shared_task

from monitoring import alerts, heartbeats, mark_checks


@shared_task(name="monitoring.record_heartbeat", soft_time_limit=20, ignore_result=True)
def record_heartbeat(queue: str = "default") -> None:
    """Note that a message from beat came through `queue`."""
    heartbeats.record(queue)


@shared_task(name="monitoring.watch", soft_time_limit=30, ignore_result=True)
def watch() -> None:
    """Raise and end alerts."""
    alerts.watch()


@shared_task(name="monitoring.check_marks", soft_time_limit=900, ignore_result=True)
def check_marks() -> None:
    """Read some of the shop's pages for the AI mark."""
    for _ in mark_checks.check_some():
        pass
