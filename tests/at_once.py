"""People and processes at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from core.exceptions import EcomsiteError


def at_once(*acts: Callable[[], object], expected: type[Exception] = EcomsiteError) -> list[object]:
    """Run `acts` in threads of their own, begun together; an `expected` error is returned in place of a result."""
    together = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        try:
            together.wait(timeout=30)
            return act()
        except expected as exc:
            return exc
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))
