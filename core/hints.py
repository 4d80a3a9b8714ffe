"""Wake a drainer through Celery. A message is a hint: what there is to do stands in Postgres.

Who hints never waits for the broker: a thread of the process sends, and equal hints that wait for it are sent once. A
broker that is down or frozen would otherwise hold up every webhook and every reviewer for its time-out.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time

from celery import current_app
from django.db import transaction

log = logging.getLogger(__name__)
# A broker that did not take a hint is not asked again at once.
PAUSE_S = 1.0
# What a process that ends, a command say, gives its last hints.
LAST_CALL_S = 2.0
# Half a beat interval: for a hint that waited longer the next tick does the same work. Hints beget hints; without an
# end to each they would fill a queue that is worked off slowly, and the ticks in it would expire behind them.
STALE_AFTER_S = 5


class _Sender:
    """The hints that wait in this process, and the thread that sends them while there are any."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting: dict[str, None] = {}
        self.thread: threading.Thread | None = None

    def add(self, task: str) -> None:
        with self.lock:
            self.waiting[task] = None
            if self.thread is None:
                thread = threading.Thread(target=self._run, daemon=True, name="hints")
                thread.start()
                self.thread = thread

    def _run(self) -> None:
        while task := self._next():
            if not _send(task):
                time.sleep(PAUSE_S)

    def _next(self) -> str | None:
        with self.lock:
            if not self.waiting:
                self.thread = None
                return None
            task = next(iter(self.waiting))
            del self.waiting[task]
            return task

    def finish(self) -> None:
        """Give the thread a moment to send what waits."""
        if thread := self.thread:
            thread.join(LAST_CALL_S)


_sender = _Sender()


def _begin_anew() -> None:
    global _sender
    _sender = _Sender()  # threads do not survive a fork, and a lock may have been held


os.register_at_fork(after_in_child=_begin_anew)
atexit.register(lambda: _sender.finish())


def hint(task: str) -> None:
    """Ask for a turn of the Celery task `task` (routed by settings.CELERY_TASK_ROUTES), now; returns at once.

    A broker that is down is logged and forgotten: beat asks again within seconds, and nothing is lost.
    """
    try:
        _sender.add(task)
    except RuntimeError as exc:  # no new threads while the process ends
        log.warning("the hint %s was not sent (%s); beat will ask", task, exc)


def _send(task: str) -> bool:
    try:
        current_app.send_task(task, expires=STALE_AFTER_S, retry=False)
    except Exception as exc:  # kombu raises whatever its transport raises
        log.warning("the broker did not take the hint %s (%s); beat will ask again", task, type(exc).__name__)
        return False
    return True


def hint_on_commit(task: str) -> None:
    """Ask for a turn of `task` once the current transaction has committed:
    a job must never start before its rows exist.
    """
    transaction.on_commit(lambda: hint(task))
