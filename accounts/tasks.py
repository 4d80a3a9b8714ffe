"""Celery task of sign-in (queue `default`): what is over is forgotten."""

from __future__ import annotations

from celery import shared_task

from accounts import cleaning


@shared_task(name="accounts.forget", soft_time_limit=120, ignore_result=True)
def forget() -> None:
    """Delete sessions, counts and tickets that are over."""
    cleaning.forget()
