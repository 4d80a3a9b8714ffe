"""Reading what a client sends: all of it, within a time and a size, before anybody works on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from tempfile import SpooledTemporaryFile
from typing import Any, Final

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

# The largest that anybody may send: a proof of a fact, and a form around it.
LARGEST: Final = 32 * 2**20
# What is larger lies in a temporary file meanwhile.
IN_MEMORY: Final = 64 * 2**10
# A body has half a minute, and a second more for each 10 KB of it that has come.
PATIENCE_S: Final = 30.0
SLOWEST_BYTES_PER_S: Final = 10_000
# Of all bodies of a process together, while they come in.
MOST_AT_ONCE: Final = 256 * 2**20


class NotRead(Exception):
    """A body that is not taken: the status and the words that answer it."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class Gone(Exception):
    """The client went away before it had sent everything."""


class BodyReader:
    """Reads bodies for one process, and knows how much of them it holds."""

    def __init__(self, *, patience_s: float = PATIENCE_S, largest: int = LARGEST, most: int = MOST_AT_ONCE) -> None:
        self.patience_s = patience_s
        self.largest = largest
        self.most = most
        self.held = 0

    async def read(self, receive: Receive) -> tuple[SpooledTemporaryFile[bytes], int]:
        """Return a file with the whole body, at its beginning, and its length in bytes.

        Raises `NotRead` when it is too large (413), too slow (408) or one too many (503), and `Gone`.
        """
        # The caller closes it.
        body: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
        length = 0
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self.patience_s) as deadline:
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Gone
                    chunk = message.get("body", b"")
                    length += len(chunk)
                    self.held += len(chunk)
                    if length > self.largest:
                        raise NotRead(413, f"The body is larger than {self.largest:,} bytes.")
                    if self.held > self.most:
                        raise NotRead(503, "Too much is being sent at once.")
                    body.write(chunk)
                    if not message.get("more_body", False):
                        break
                    deadline.reschedule(began + self.patience_s + length / SLOWEST_BYTES_PER_S)
        except TimeoutError:
            body.close()
            raise NotRead(408, "The body did not come in time.") from None
        except BaseException:
            body.close()
            raise
        finally:
            self.held -= length
        body.seek(0)
        return body, length
