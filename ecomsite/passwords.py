"""Passwords are checked one at a time in each process, and while something else wants the processor, after that.

Django's hash takes a third of a second of one core, by design. Eight of them at once, which any stranger can ask for,
were all there was of the machine; now they wait for each other, and the shop for none of them.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from django.contrib.auth.hashers import PBKDF2PasswordHasher

# On a machine that is busy all the time the thread that gives way would never end: after that it is done as other work
# is.
PATIENCE_S: Final = 2.0

_lock = threading.Lock()
_threads: tuple[ThreadPoolExecutor, ThreadPoolExecutor] | None = None


class OneAtATime(PBKDF2PasswordHasher):
    """Django's own hash, with the same results; only when it is computed is different."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Return the hash of `password`, once all that were asked for before are done."""
        in_turn, giving_way = threads()
        work = partial(super().encode, password, salt, iterations)
        return in_turn.submit(_compute, work, giving_way).result()


def _compute(work: Callable[[], str], giving_way: ThreadPoolExecutor) -> str:
    begun = giving_way.submit(work)
    try:
        return begun.result(timeout=PATIENCE_S)
    except TimeoutError:
        begun.cancel()
        return work()


def threads() -> tuple[ThreadPoolExecutor, ThreadPoolExecutor]:
    """Return the thread that takes one after the other, and the one that gives way to all others while it computes."""
    global _threads
    with _lock:
        if _threads is None:
            _threads = (ThreadPoolExecutor(1), ThreadPoolExecutor(1, initializer=_give_way))
        return _threads


def _give_way() -> None:
    # On Linux each thread has a policy of its own. The hash is computed without Python's lock, so that nobody who holds
    # the lock is the one who gives way.
    if sys.platform == "linux":
        os.sched_setscheduler(threading.get_native_id(), os.SCHED_IDLE, os.sched_param(0))


def _forget() -> None:
    global _lock, _threads
    _lock, _threads = threading.Lock(), None


# A fork takes no threads along.
os.register_at_fork(after_in_child=_forget)
