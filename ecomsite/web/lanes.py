"""Bulkheads: each kind of request has its own threads and line, so that none keeps the others waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeVar

Result = TypeVar("Result")


@dataclass
class Lane:
    """Threads for one kind of request, and how many more of it may wait for one. Used from one event loop."""

    name: str
    threads: int
    line: int
    # Seconds that who is turned away, or told to come later, waits for that answer: who asks again at once would be
    # busier than we are.
    delay_s: float = 0
    present: int = 0
    _pool: ThreadPoolExecutor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Threads are started by what is given to them, so after the fork of a web server that loads its code before it.
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix=self.name)

    def is_full(self) -> bool:
        """Whether one more would have to be turned away."""
        return self.present >= self.threads + self.line

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run `work` in one of the threads as soon as one is free, and return what it returns."""
        self.present += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self.present -= 1


# For each of the web's processes. A thread keeps a connection to the database: all of them together make its
# connections.
SHOP: Final = Lane("shop", threads=4, line=512)
DESK: Final = Lane("desk", threads=8, line=64)
# Passwords are slow to check, by design: see `ecomsite.passwords`, which does one at a time.
SIGN_IN: Final = Lane("sign-in", threads=4, line=16, delay_s=1)
EVENTS: Final = Lane("events", threads=3, line=512)
# Long answers wait for whoever reads them.
FILES: Final = Lane("files", threads=3, line=32)

SHOP_PATHS: Final = ("/api/v1/copy/", "/healthz")
FILE_PATHS: Final = ("/api/v1/feed", "/media/")
EVENT_PATHS: Final = ("/webhooks/",)
# Where a password or another proof of who one is may be sent.
SIGN_IN_PATHS: Final = ("/console/login/", "/console/sign-in/")


def lane_of(method: str, path: str, headers: Iterable[tuple[bytes, bytes]]) -> Lane:
    """Return the lane of a request.

    Whoever asks chooses it by what they ask for, so none gives more than its threads.
    """
    if path.startswith(SHOP_PATHS):
        return SHOP
    if path.startswith(FILE_PATHS):
        return FILES
    if path.startswith(EVENT_PATHS):
        return EVENTS
    if method == "POST" and path.startswith(SIGN_IN_PATHS):
        return SIGN_IN
    if any(name == b"authorization" for name, _ in headers):
        return SIGN_IN
    return DESK
