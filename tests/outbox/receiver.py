"""A receiver of webhooks on 127.0.0.1, as a shop would run one: real HTTP, and answers as the test tells it."""

from __future__ import annotations

import contextlib
import http.server
import ssl
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Received:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """Return the payload, once the reference library has verified signature and time."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Reply:
    """How to answer: after `delay_s`, or not before `hold` is set."""

    status: int = 204
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0
    hold: threading.Event | None = None
    drip_s: float = 0


class Receiver:
    """Listens until it is closed; answers with `replies` in order, and when they are used up with `usual`."""

    def __init__(self, *, port: int = 0, certificate: Path | None = None) -> None:
        self.received: list[Received] = []
        self.replies: deque[Reply] = deque()
        self.usual = Reply()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.url = f"http{'s' if certificate else ''}://{'localhost' if certificate else '127.0.0.1'}:{self.port}/hooks"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Hang up: connections are refused from now on."""
        self._server.shutdown()
        self._server.server_close()

    @property
    def ids(self) -> list[str]:
        return [request.id for request in self.received]

    def _handler(receiver) -> type[http.server.BaseHTTPRequestHandler]:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.append(Received(self.path, headers, body, time.time()))
                reply = receiver.replies.popleft() if receiver.replies else receiver.usual
                if reply.hold:
                    reply.hold.wait(60)
                time.sleep(reply.delay_s)
                with contextlib.suppress(OSError):  # the sender did not wait
                    self.send(reply)

            def do_GET(self) -> None:
                raise AssertionError("webhooks are posted, and redirects are not followed")

            def send(self, reply: Reply) -> None:
                head = f"HTTP/1.1 {reply.status} x\r\n" + "".join(f"{k}: {v}\r\n" for k, v in reply.headers.items())
                head += f"Content-Length: {len(reply.body)}\r\nConnection: close\r\n\r\n"
                content = head.encode() + reply.body
                for piece in [content] if not reply.drip_s else [content[i : i + 1] for i in range(len(content))]:
                    self.wfile.write(piece)
                    time.sleep(reply.drip_s)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        return Handler
