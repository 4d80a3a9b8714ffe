"""The HTTP protocol of the web's processes: uvicorn's, for clients that may take their time but not for ever."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# From the connection, or the first byte of a further request, to the end of its headers.
HEADERS_WITHIN_S: Final = 15.0
LARGEST_HEADERS: Final = 64 * 2**10
# What waits for a client has to be taken within that.
TAKEN_WITHIN_S: Final = 60.0
# Of one process. A connection costs about 20 KB.
MOST_CONNECTIONS: Final = 4_096
# Of those, who do not take what waits for them: up to a megabyte each.
MOST_BEHIND: Final = 256


class PatientProtocol(HttpToolsProtocol):
    """Closes connections that do not come to the point, read nothing, or are too many."""

    _headers_due: asyncio.TimerHandle | None = None
    _taken_due: asyncio.TimerHandle | None = None
    _n_header_bytes = 0
    # Of the process: there is one server in it.
    n_behind = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, unless there are too many: then the newest goes."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        """Hand the data on, unless it is a header without an end."""
        if self._headers_due is not None:
            self._n_header_bytes += len(data)
        super().data_received(data)
        # Still not complete: a body that came with the end of its headers does not count.
        if self._headers_due is not None and self._n_header_bytes > LARGEST_HEADERS:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._expect_headers()

    def on_headers_complete(self) -> None:
        """Its headers are here."""
        self._headers_due = _cancelled(self._headers_due)
        super().on_headers_complete()

    def pause_writing(self) -> None:
        """The client does not take what waits for it."""
        super().pause_writing()
        if self._taken_due is None:
            self._taken_due = self.loop.call_later(TAKEN_WITHIN_S, self.transport.abort)
            PatientProtocol.n_behind += 1
        if PatientProtocol.n_behind > MOST_BEHIND:
            self.transport.abort()

    def resume_writing(self) -> None:
        """It has taken it."""
        self._caught_up()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was expected of it."""
        self._headers_due = _cancelled(self._headers_due)
        self._caught_up()
        super().connection_lost(exc)

    def _caught_up(self) -> None:
        if self._taken_due is not None:
            self._taken_due = _cancelled(self._taken_due)
            PatientProtocol.n_behind -= 1

    def _expect_headers(self) -> None:
        if self._headers_due is None:
            self._n_header_bytes = 0
            self._headers_due = self.loop.call_later(HEADERS_WITHIN_S, self.transport.abort)


def _cancelled(timer: asyncio.TimerHandle | None) -> Any:
    if timer is not None:
        timer.cancel()
    return None
