"""What is under way when a fault hits. A fault that hit nothing in flight proves nothing, so each waits for something."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults import work
from tests.faults.desk import Desk

PATIENCE_S = 90  # a fault that finds nothing in flight for so long has failed


@dataclass(frozen=True)
class InFlight:
    """What was under way when a fault hit."""

    words: str
    requests: set[object]
    reviews: set[object]
    at: float = field(default_factory=time.monotonic)


def in_flight(desk: Desk, *, about: str = "") -> InFlight:
    """Return what is under way now: leases on rows, open transactions, messages in the broker."""
    requests, reviews = work.held()
    counts = f"{len(requests) + len(reviews)} leases, {len(desk.sessions())} tx, {desk.broker.messages()} msgs"
    return InFlight(f"{counts}{'; ' if about else ''}{about}", requests, reviews)


def wait_for_work(desk: Desk) -> InFlight:
    """Wait until a worker holds orders, and with them, acknowledged late, the message that woke it; say what."""
    desk.wait(lambda: work.held()[0], seconds=PATIENCE_S, every=0.02, what="something in flight")
    return in_flight(desk)


def catch(desk: Desk, pids: Callable[[], list[int]], is_busy: Callable[[int], bool], what: str) -> int:
    """Freeze one of `pids` that is in the middle of something, and return it: frozen, it cannot finish before the hit."""
    caught: list[int] = []

    def attempt() -> bool:
        for pid in pids():
            if is_busy(pid):
                os.kill(pid, signal.SIGSTOP)
                if is_busy(pid):
                    caught.append(pid)
                    return True
                os.kill(pid, signal.SIGCONT)
        return False

    desk.wait(attempt, seconds=PATIENCE_S, every=0.005, what=what)
    return caught[0]
