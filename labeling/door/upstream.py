"""Label Studio behind the door: asked by requests of the door's own making, with the token of the service.

Nothing of what a browser sent goes along, neither headers nor paths nor bodies: so nothing can be smuggled. It is a
WSGI application either way: Label Studio's own, in its process, or `Forward` to a server elsewhere.
"""

from __future__ import annotations

import http.client
import io
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .policy import Refused

Headers = list[tuple[str, str]]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

TIMEOUT_S = 30.0
BLOCK = 64 * 1024
# What goes back to the browser with a file; no cookies of Label Studio's, and nothing that tells what it is.
FILE_HEADERS = {"content-type", "content-length", "content-encoding", "last-modified", "etag"}
CONDITIONS = ("IF_NONE_MATCH", "IF_MODIFIED_SINCE")
# A personal access token is changed for one that lives five minutes.
ACCESS_LIFE_S = 240.0
FLAGS_LIFE_S = 300.0


@dataclass
class Reply:
    """What Label Studio answered. `body` has to be closed, which `read` does."""

    status: int
    headers: Headers
    body: Iterable[bytes]

    def read(self, most: int = 8 * 1024 * 1024) -> bytes:
        """Return the whole body, or its first `most` bytes."""
        read = bytearray()
        try:
            for block in self.body:
                read += block
                if len(read) >= most:
                    break
        finally:
            self.close()
        return bytes(read[:most])

    def close(self) -> None:
        """End the request on the other side."""
        close = getattr(self.body, "close", None)
        if close is not None:
            close()


class Upstream:
    """Label Studio, asked as the service. `host` is its name, as its own settings have it."""

    def __init__(self, application: Application, *, token: str, host: str) -> None:
        self.application = application
        self._token, self._host = token, host
        self._lock = threading.Lock()
        self._access: tuple[float, str] = (0.0, "")
        self._flags: tuple[float, dict[str, Any]] = (0.0, {})

    def annotate(self, ls_task: int, annotation: Mapping[str, Any]) -> int:
        """Give a task an annotation; returns the status: 201, or 409 when this very one is there already."""
        reply = self._call("POST", f"/api/tasks/{ls_task}/annotations/", body=annotation)
        reply.read()
        return reply.status

    def file(self, method: str, path: str, query: str, conditions: Mapping[str, str]) -> Reply:
        """Return a file of the editor; asked for without any token, for it is nobody's."""
        asked = {f"HTTP_{name}": conditions[name] for name in CONDITIONS if name in conditions}
        reply = self._call(method, path, query=query, extra=asked, as_service=False)
        return Reply(reply.status, [pair for pair in reply.headers if pair[0].lower() in FILE_HEADERS], reply.body)

    def is_up(self) -> bool:
        """Whether Label Studio says that it is."""
        reply = self._call("GET", "/health", as_service=False)
        reply.read()
        return reply.status == 200

    def flags(self) -> dict[str, Any]:
        """Return the switches that Label Studio's own pages give to the editor; asked for every few minutes."""
        at, flags = self._flags
        if time.monotonic() - at > FLAGS_LIFE_S or not flags:
            reply = self._call("GET", "/feature-flags/")
            found = _json(reply)
            if reply.status == 200 and isinstance(found, dict):
                flags = {name: value for name, value in found.items() if isinstance(value, bool)}
                self._flags = time.monotonic(), flags
        return flags

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        body: Mapping[str, Any] | None = None,
        extra: Mapping[str, str] | None = None,
        as_service: bool = True,
    ) -> Reply:
        content = b"" if body is None else json.dumps(body).encode()
        environ = {**_environ(method, path, query, content, host=self._host), **(extra or {})}
        if as_service:
            environ["HTTP_AUTHORIZATION"] = self._authorization()
        return call(self.application, environ)

    def _authorization(self) -> str:
        if self._token.count(".") != 2:
            return f"Token {self._token}"
        with self._lock:
            at, access = self._access
            if time.monotonic() - at > ACCESS_LIFE_S or not access:
                reply = self._call("POST", "/api/token/refresh/", body={"refresh": self._token}, as_service=False)
                found = _json(reply)
                if reply.status != 200 or not isinstance(found, dict) or not isinstance(found.get("access"), str):
                    raise Refused("label_studio_away", 503)
                access = found["access"]
                self._access = time.monotonic(), access
        return f"Bearer {access}"


def call(application: Application, environ: dict[str, Any]) -> Reply:
    """Ask a WSGI application and return its reply. Raises `Refused` when it cannot be asked."""
    started: list[Any] = []

    def start_response(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], None]:
        started[:] = [int(status.split(" ", 1)[0]), headers]
        return lambda _: None

    try:
        body = iter(_Closing(application(environ, start_response)))
        first = [next(body, b"")]  # a generator starts the response with its first block
    except (OSError, http.client.HTTPException):
        raise Refused("label_studio_away", 503) from None
    return Reply(started[0], started[1], _Rest(first, body))


class _Closing:
    """The body of a response, closed when it was read or dropped."""

    def __init__(self, body: Iterable[bytes]) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._body
        finally:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()


class _Rest:
    def __init__(self, first: list[bytes], rest: Any) -> None:
        self._first, self._rest = first, rest

    def __iter__(self) -> Iterator[bytes]:
        yield from self._first
        yield from self._rest

    def close(self) -> None:
        self._rest.close()


def _environ(method: str, path: str, query: str, body: bytes, *, host: str) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": host.partition(":")[0],
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": host,
        "HTTP_ACCEPT": "*/*",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if method == "POST":
        environ |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
    return environ


def _json(reply: Reply) -> Any:
    try:
        return json.loads(reply.read())
    except ValueError:
        return None


class Forward:
    """A WSGI application that asks the server at `url`; what it answers is passed on as it comes."""

    def __init__(self, url: str, *, timeout: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not the address of a server: {url!r}")
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._prefix, self._timeout = parts.path.rstrip("/"), timeout
        self.host = parts.netloc.rpartition("@")[2]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        """Ask, and pass on the answer block by block."""
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=self._timeout)
        try:
            query = f"?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else ""
            headers = {
                name[5:].replace("_", "-").title(): value for name, value in environ.items() if name.startswith("HTTP_")
            }
            body = None
            if environ["REQUEST_METHOD"] == "POST":
                body, headers["Content-Type"] = environ["wsgi.input"].read(), environ["CONTENT_TYPE"]
            connection.request(environ["REQUEST_METHOD"], f"{self._prefix}{environ['PATH_INFO']}{query}", body, headers)
            answer = connection.getresponse()
            start_response(f"{answer.status} {answer.reason}", list(answer.getheaders()))
            while block := answer.read(BLOCK):
                yield block
        finally:
            connection.close()
