"""Celery tasks of the outbox (queue `webhooks`). A message is a hint: what there is to send stands in the tables."""

from __future__ import annotations

from celery import shared_task

from core.hints import hint
from outbox import delivery


@shared_task(name="outbox.deliver", soft_time_limit=120, ignore_result=True)
def deliver() -> None:
    """Serve one endpoint, and ask for another turn while there was something to send."""
    if delivery.deliver():
        hint("outbox.deliver")


@shared_task(name="outbox.forget_delivered", soft_time_limit=600, ignore_result=True)
def forget_delivered() -> None:
    """Delete some of what was delivered long ago, and ask for another turn while there was any."""
    if delivery.forget_delivered():
        hint("outbox.forget_delivered")
