"""An ASGI application that has a WSGI one work on requests that are there as a whole, each in the threads of its kind.

A client that sends slowly, or reads slowly, costs a socket and no thread. What is short is answered in one piece; what
is long goes out as it is made, and waits for its reader.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from functools import partial
from io import BytesIO
from typing import IO, Any, Final
from urllib.parse import unquote_to_bytes

from ecomsite.web.bodies import BodyReader, Gone, NotRead, Receive
from ecomsite.web.lanes import Lane
from ecomsite.web.outlet import Outlet, ReaderGone, Send

Header = tuple[bytes, bytes]
Environ = dict[str, Any]
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Answer = tuple[int, list[Header], bytes]

# Up to here an answer is made, and its thread free again, before anything of it is sent.
SHORT: Final = 2**20
BODILESS: Final = {204, 304}
TOO_MANY_REQUESTS: Final = 429
# How many of those who are turned away wait for it at the same time; the rest hear it at once.
MOST_DELAYED: Final = 1_000
FULL: Final = "Too many ask for this at once."


class Bridge:
    """`application` (WSGI) as an ASGI application.

    `lane_of` (method, path, headers) says whose threads work on a request, `refusal` (path, status, words) how it is
    told that nobody does.
    """

    def __init__(
        self,
        application: Wsgi,
        *,
        lane_of: Callable[[str, str, Iterable[Header]], Lane],
        refusal: Callable[[str, int, str], Answer],
        bodies: BodyReader | None = None,
    ) -> None:
        self.application = application
        self.lane_of = lane_of
        self.refusal = refusal
        self.bodies = bodies or BodyReader()
        self.delayed = 0

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise NotImplementedError(f"nothing here speaks {scope['type']}")
        lane = self.lane_of(scope["method"], scope["path"], scope["headers"])
        if lane.is_full():
            await self._turn_away(lane, scope["path"], send)
            return
        try:
            body, length = await self._body(scope, receive)
        except Gone:
            return
        except NotRead as exc:
            await _send(send, self.refusal(scope["path"], exc.status, exc.words))
            return
        with body:
            if lane.is_full():  # while it came in, others did
                await self._turn_away(lane, scope["path"], send)
                return
            outlet = Outlet(asyncio.get_running_loop(), receive, send)
            try:
                answer = await lane.run(partial(_work, self.application, environ_of(scope, body, length), outlet))
            except BaseException:
                outlet.give_up()
                raise
            if answer is None:
                await outlet.sent()
                return
            if answer[0] == TOO_MANY_REQUESTS:
                await self._delay(lane)
            await _send(send, answer)

    async def _body(self, scope: Any, receive: Receive) -> tuple[IO[bytes], int]:
        if not any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"]):
            return BytesIO(), 0
        return await self.bodies.read(receive)

    async def _turn_away(self, lane: Lane, path: str, send: Send) -> None:
        await self._delay(lane)
        await _send(send, self.refusal(path, 503, FULL))

    async def _delay(self, lane: Lane) -> None:
        if lane.delay_s and self.delayed < MOST_DELAYED:
            self.delayed += 1
            try:
                await asyncio.sleep(lane.delay_s)
            finally:
                self.delayed -= 1


async def _send(send: Send, answer: Answer) -> None:
    status, headers, body = answer
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _work(application: Wsgi, environ: Environ, outlet: Outlet) -> Answer | None:
    """Call `application`, in a thread. Returns a short answer; a long one goes to `outlet`, and nothing is returned."""
    head: list[tuple[int, list[Header]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        head[:] = [(int(status[:3]), encoded)]

    parts = application(environ, start_response)
    try:
        status, headers = head[0]
        if _is_short(status, headers):
            return status, headers, b"".join(parts)
        outlet.start(status, headers)
        try:
            for part in parts:
                outlet.write(part)
        except ReaderGone:
            pass
        outlet.end()
        return None
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()


def _is_short(status: int, headers: Iterable[Header]) -> bool:
    if status in BODILESS:
        return True
    return any(name == b"content-length" and int(value) <= SHORT for name, value in headers)


def environ_of(scope: Any, body: IO[bytes], length: int) -> Environ:
    """Return the WSGI environment (PEP 3333) of an HTTP scope whose whole body, `length` bytes of it, is in `body`."""
    server, client = scope.get("server") or ("", 0), scope.get("client") or ("", 0)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        # As bytes, whatever they are: Django decides what it makes of those that are no UTF-8.
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or ""),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if "_" in name or name in ("content-length", "transfer-encoding"):
            continue  # X_Forwarded_Proto would pass for X-Forwarded-Proto; how long the body is has been seen
        key = "CONTENT_TYPE" if name == "content-type" else f"HTTP_{name.upper().replace('-', '_')}"
        if key in environ:
            value = f"{environ[key]}{';' if name == 'cookie' else ','}{value}"
        environ[key] = value
    if length:
        environ |= {"CONTENT_LENGTH": str(length)}
    return environ
