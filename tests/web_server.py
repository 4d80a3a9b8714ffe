"""The real web server, as the stack starts it, on the database of the test."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ecomsite.stack.commands import web_command
from ecomsite.stack.ports import free_port
from tests import warm
from tests.warm import WarmProcess
from tests.workers import environment, wait_for


@dataclass
class Web:
    """A web server that answers."""

    port: int
    log: Path
    pid: int

    def get(self, path: str, *, timeout: float = 30, **headers: str) -> Answer:
        """Ask for `path` on a connection of its own."""
        return self.ask("GET", path, timeout=timeout, headers=headers)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        timeout: float = 30,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, {k.replace("_", "-"): v for k, v in (headers or {}).items()})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()


@dataclass(frozen=True)
class Answer:
    """What came back; the names of headers as they were sent, in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@pytest.fixture
def start_web(tmp_path: Path) -> Iterator[Callable[..., Web]]:
    """Return a function that starts the web server in an environment and waits until it answers."""
    started: list[WarmProcess] = []

    def start(env: Mapping[str, str]) -> Web:
        port, log = free_port(), tmp_path / f"web-{len(started)}.log"
        _, *arguments = map(str, web_command("127.0.0.1", port))
        process = WarmProcess(["-m", "gunicorn", *arguments], env=env, log=log)
        started.append(process)
        web = Web(port, log, process.pid)

        def answers() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                return web.get("/healthz").status == 200
            except (OSError, http.client.HTTPException):
                return False

        wait_for(answers, seconds=120, what="the web server")
        return web

    yield start
    warm.stop(started)


@pytest.fixture
def web(transactional_db: None, start_web: Callable[..., Web]) -> Web:
    """The web server on the database of the test, whose rows have to be committed for it to see them."""
    return start_web(environment())
