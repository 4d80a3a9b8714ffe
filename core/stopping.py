"""Whether this process was asked to end: long work looks between pieces, keeps what is done, gives back the rest."""

from __future__ import annotations

import threading

_asked = threading.Event()


def ask() -> None:
    """Ask whatever this process does to come to an end soon. Safe in a signal handler."""
    _asked.set()


def is_asked() -> bool:
    """Whether this process was asked to end."""
    return _asked.is_set()
