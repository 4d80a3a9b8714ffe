"""Work done ahead of those who ask for it: what an iterator yields is made in a thread, a little in advance."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
_END = object()
_PATIENCE_S = 0.1
_FAREWELL_S = 2.0


@contextmanager
def made_ahead(items: Iterator[T], *, most: int) -> Iterator[Iterator[T]]:
    """Yield the items of `items`, of which up to `most` are made before they are asked for.

    While the one who asks waits for a database, the next item is made. What `items` raises is raised in its place. When
    the block is left, the thread is done with the item in hand, or soon will be. `items` must not use the connection of
    the caller.
    """
    ready: queue.Queue[Any] = queue.Queue(maxsize=most)
    is_over = threading.Event()

    def put(item: Any) -> None:
        while not is_over.is_set():
            try:
                ready.put(item, timeout=_PATIENCE_S)
                return
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in items:
                put((item, None))
                if is_over.is_set():
                    return
        except BaseException as exc:
            put((_END, exc))
        else:
            put((_END, None))

    def taken() -> Iterator[T]:
        while True:
            item, exc = ready.get()
            if exc is not None:
                raise exc
            if item is _END:
                return
            yield item

    thread = threading.Thread(target=work, name="made ahead", daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        is_over.set()
        thread.join(timeout=_FAREWELL_S)
