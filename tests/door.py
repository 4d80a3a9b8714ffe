"""The door in front of Label Studio, for tests: the real one, in the test's own process, between a person and the real server.

What a browser would send over HTTP it gets as a WSGI request, and it asks the desk by Django's test client: so both see what
the test's transaction holds. Label Studio itself is asked over HTTP.
"""

from __future__ import annotations

import io
import json
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from labeling.door.desk import PATH, SIGNATURE, Desk
from labeling.door.middleware import Door, Settings
from labeling.door.upstream import Application, Forward
from labeling.links import task_url
from labeling.models import LabelingTask


def ask_in_process(body: bytes, signature: str) -> tuple[int, bytes, str]:
    """Carry a question of the door to the desk, within this test's transaction."""
    header = f"HTTP_{SIGNATURE.upper().replace('-', '_')}"
    reply = Client().post(PATH, body, content_type="application/json", **{header: signature})  # type: ignore[arg-type]
    return reply.status_code, reply.content, reply.headers.get(SIGNATURE, "")


def door_before(application: Application, *, admits_service: bool = False, desk: Desk | None = None) -> Door:
    """Return a door before `application`, with the key and the token of the settings."""
    held = settings.LABELING
    known = Settings(
        key=held.door_key,
        token=held.token,
        desk=settings.SITE_URL,
        console=settings.SITE_URL,
        url=held.door_url,
        admits_service=admits_service,
    )
    return Door(
        application, known, desk=desk or Desk(settings.SITE_URL, held.door_key, post=ask_in_process, tell_after=None)
    )


@dataclass
class Answered:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Visitor:
    """A browser at the door: keeps the door's cookie, and can be told to send anything."""

    door: Application
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self,
        method: str,
        target: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        environ: Mapping[str, Any] | None = None,
    ) -> Answered:
        """Send one request; `environ` is put over what the server would make of it."""
        path, _, query = target.partition("?")
        request: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "RAW_URI": target,
            "SERVER_NAME": "door",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body or b""),
            "wsgi.errors": sys.stderr,
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if body is not None:
            request |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/json"}
        if self.cookies:
            request["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        request |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in (headers or {}).items()}
        request |= environ or {}
        started: list[Any] = []

        def start_response(status: str, given: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started[:] = [int(status.split()[0]), given]

        blocks = self.door(request, start_response)
        try:
            content = b"".join(blocks)
        finally:
            if close := getattr(blocks, "close", None):
                close()
        for name, value in started[1]:
            if name.lower() == "set-cookie":
                self.cookies |= {key: morsel.value for key, morsel in SimpleCookie(value).items()}
        return Answered(started[0], dict(started[1]), content)

    def come_in(self, user: User, task: LabelingTask) -> Answered:
        """Follow the console's link to `task` as `user`, through the door, up to where it leads."""
        sent = send_to_door(user, task)
        return self.ask("GET", sent)

    def answer(self, ls_task: int, result: Sequence[Mapping[str, Any]], **said: Any) -> Answered:
        """Send an answer as the page of the task does."""
        body = json.dumps({"result": list(result), "attempt": str(uuid.uuid4()), **said}).encode()
        return self.ask("POST", f"/door/tasks/{ls_task}/answer", body=body)


def send_to_door(user: User, task: LabelingTask, *, client: Client | None = None) -> str:
    """Return where the console sends `user` for `task`: path and query of the door."""
    if client is None:
        client = Client()
        client.force_login(user)
    sent = client.get(task_url(task))
    assert sent.status_code == 302, f"the console sends nobody there: {sent.status_code} {sent.content[:500]!r}"
    parts = urlsplit(sent.headers["Location"])
    return f"{parts.path}?{parts.query}"


def answer(desk: Any, user: User, task: LabelingTask, result: Sequence[Mapping[str, Any]]) -> None:
    """Have `user`, who holds `task`, answer it in Label Studio through the door."""
    task.refresh_from_db()
    visitor = Visitor(door_before(Forward(desk.url)))
    visitor.come_in(user, task)
    done = visitor.answer(task.ls_task_id or 0, result)
    assert done.status == 200, f"the door refused: {done.status} {done.body[:500]!r}"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def served(application: Application) -> Iterator[str]:
    """Serve `application` on 127.0.0.1 while the block runs; gives its address."""
    server = make_server("127.0.0.1", 0, application, server_class=_Server, handler_class=_Quiet)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, daemon=True, name="door of the tests")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
