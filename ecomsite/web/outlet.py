"""Between a thread that makes a long answer and the event loop that sends it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final

from ecomsite.web.bodies import Message, Receive

Send = Callable[[Message], Awaitable[None]]

# So far a thread runs ahead of who reads; then it waits.
MOST_AHEAD: Final = 2**20


class ReaderGone(Exception):
    """Nobody is there any more to read the rest."""


class Outlet:
    """Takes parts from a thread and sends them, several at a time if the reader is slow, each at once if not."""

    def __init__(self, loop: asyncio.AbstractEventLoop, receive: Receive, send: Send) -> None:
        self._loop = loop
        self._receive = receive
        self._send = send
        # The loop's alone.
        self._parts: list[bytes | None] = []
        self._wake = asyncio.Event()
        self._pumping: asyncio.Task[None] | None = None
        # Shared, under the condition.
        self._room = threading.Condition()
        self._ahead = 0
        self._gone = False

    # --- called in the thread

    def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Begin the answer."""
        self._loop.call_soon_threadsafe(self._begin, status, headers)

    def write(self, part: bytes) -> None:
        """Send `part`, or wait until its turn is near. Raises `ReaderGone`."""
        with self._room:
            self._room.wait_for(lambda: self._gone or self._ahead < MOST_AHEAD)
            if self._gone:
                raise ReaderGone
            self._ahead += len(part)
        self._loop.call_soon_threadsafe(self._put, part)

    def end(self) -> None:
        """End the answer."""
        self._loop.call_soon_threadsafe(self._put, None)

    # --- called in the event loop

    async def sent(self) -> None:
        """Return when everything is sent, or nobody reads it any more."""
        if self._pumping is not None:
            await self._pumping

    def give_up(self) -> None:
        """Send no more: what was begun will not be whole."""
        if self._pumping is not None:
            self._pumping.cancel()

    def _begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self._pumping = self._loop.create_task(self._pump(status, headers))

    def _put(self, part: bytes | None) -> None:
        self._parts.append(part)
        self._wake.set()

    async def _pump(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        watching = self._loop.create_task(self._watch())
        try:
            await self._send({"type": "http.response.start", "status": status, "headers": headers})
            is_last = False
            while not is_last:
                await self._wake.wait()
                self._wake.clear()
                parts, self._parts = self._parts, []
                is_last = parts[-1] is None
                data = b"".join(part for part in parts if part is not None)
                await self._send({"type": "http.response.body", "body": data, "more_body": not is_last})
                with self._room:
                    self._ahead -= len(data)
                    self._room.notify_all()
        finally:
            watching.cancel()
            self._is_gone()

    async def _watch(self) -> None:
        message: dict[str, Any] | Message = {"type": ""}
        while message["type"] != "http.disconnect":
            message = await self._receive()
        self._is_gone()

    def _is_gone(self) -> None:
        with self._room:
            self._gone = True
            self._room.notify_all()
