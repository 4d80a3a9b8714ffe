"""Celery entry points of the ledger: look at what is new, and once a day at everything."""

from __future__ import annotations

import logging

from celery import shared_task

from audit import checks, timestamps
from core.exceptions import EcomsiteError

log = logging.getLogger(__name__)


@shared_task(name="audit.check_ledger", soft_time_limit=600, ignore_result=True)
def check_ledger() -> None:
    """Check the new lines, sign a head, bring it to the second place."""
    checks.turn()


@shared_task(name="audit.verify_whole_ledger", soft_time_limit=7200, ignore_result=True)
def verify_whole_ledger() -> None:
    """Verify the whole ledger, once a day."""
    checks.verify_if_due()


@shared_task(name="audit.stamp_head", soft_time_limit=120, ignore_result=True)
def stamp_head() -> None:
    """Have the newest head stamped by a time-stamping authority, where one is set."""
    try:
        timestamps.stamp_if_due()
    except EcomsiteError as exc:  # it delays the stamp and nothing else
        log.warning("%s", exc)
