"""Celery entry point of questions."""

from __future__ import annotations

from celery import shared_task

from core.hints import hint
from questions import asking_again


@shared_task(name="questions.ask_again", soft_time_limit=120, ignore_result=True)
def ask_again() -> None:
    """Put a batch of what a version split before people again, and ask for another turn while there was one."""
    if asking_again.ask_again() >= asking_again.BATCH:
        hint("questions.ask_again")
