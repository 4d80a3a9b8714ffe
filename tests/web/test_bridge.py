"""The bridge between uvicorn and Django, with a small WSGI application behind it and a short patience."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import Server

from ecomsite.stack.ports import free_port
from ecomsite.web import protocol
from ecomsite.web.bodies import BodyReader
from ecomsite.web.bridge import Bridge
from ecomsite.web.lanes import DESK, EVENTS, FILES, SHOP, SIGN_IN, Lane, lane_of
from ecomsite.web.protocol import PatientProtocol

MB = 2**20


class Behind:
    """The application behind the bridge: says what it was asked, and does what the path says."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.n_open = 0
        self.closed = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/wait":
            self.n_open += 1
            self.go_on.wait(20)
        if path == "/broken":
            raise RuntimeError("a mistake")
        if path == "/too-often":
            start_response("429 Too Many Requests", [("Content-Length", "0")])
            return []
        if path == "/not-modified":
            start_response("304 Not Modified", [("ETag", '"x"')])
            return []
        if path == "/long":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return self._long()
        body = json.dumps(
            {key: value for key, value in environ.items() if isinstance(value, str)}
            | {"n": len(environ["wsgi.input"].read())}
        ).encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    def _long(self) -> Iterator[bytes]:
        try:
            for n in range(64):
                self.n_open = n
                yield b"x" * (MB // 2)
        finally:
            self.closed += 1


@pytest.fixture
def behind() -> Iterator[Behind]:
    found = Behind()
    yield found
    found.go_on.set()


@pytest.fixture
def lane() -> Lane:
    return Lane("test", threads=2, line=2)


@pytest.fixture
def port(behind: Behind, lane: Lane, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Serve it as the web's processes do, with half a second for whoever dawdles."""
    monkeypatch.setattr(protocol, "HEADERS_WITHIN_S", 0.5)
    monkeypatch.setattr(protocol, "TAKEN_WITHIN_S", 0.5)
    monkeypatch.setattr(protocol, "MOST_CONNECTIONS", 30)
    bridge = Bridge(
        behind,
        lane_of=lambda method, path, headers: lane,
        refusal=lambda path, status, words: (status, [(b"content-length", str(len(words)).encode())], words.encode()),
        bodies=BodyReader(patience_s=0.5, largest=MB, most=2 * MB),
    )
    number = free_port()
    server = Server(
        Config(
            bridge,
            port=number,
            http=PatientProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield number
    behind.go_on.set()
    server.should_exit = True
    thread.join(10)


def ask(port: int, raw: bytes) -> bytes:
    """Send `raw` and return all that comes back until the connection is closed, or nothing comes for a while."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        sock.sendall(raw)
        got = b""
        try:
            while part := sock.recv(65536):
                got += part
        except (TimeoutError, ConnectionResetError):
            pass
        return got


def environ(port: int, raw: bytes) -> dict[str, Any]:
    """Return what the application was told of a request."""
    return dict(json.loads(ask(port, raw).partition(b"\r\n\r\n")[2]))


def test_the_application_sees_what_was_sent(port: int) -> None:
    seen = environ(
        port,
        b"POST /a%20b/%ff%00?x=%00&y=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: text/x\r\nCookie: a=1\r\n"
        b"Cookie: b=2\r\nX-One: 1\r\nX-One: 2\r\nContent-Length: 5\r\n\r\nhello",
    )
    assert (seen["REQUEST_METHOD"], seen["PATH_INFO"], seen["QUERY_STRING"]) == ("POST", "/a b/\xff\0", "x=%00&y=1")
    assert (seen["n"], seen["CONTENT_LENGTH"], seen["CONTENT_TYPE"]) == (5, "5", "text/x")
    assert (seen["HTTP_COOKIE"], seen["HTTP_X_ONE"], seen["HTTP_HOST"]) == ("a=1;b=2", "1,2", "h")
    assert seen["REMOTE_ADDR"] == "127.0.0.1"


def test_a_body_in_chunks_has_its_length_told(port: int) -> None:
    seen = environ(
        port,
        b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    )
    assert (seen["n"], seen["CONTENT_LENGTH"]) == (5, "5")


def test_a_header_with_an_underscore_does_not_pass_for_one_with_a_hyphen(port: int) -> None:
    seen = environ(port, b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX_Forwarded_Proto: https\r\n\r\n")
    assert "HTTP_X_FORWARDED_PROTO" not in seen


def test_nobody_says_by_a_header_where_they_come_from(port: int) -> None:
    seen = environ(
        port,
        b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Forwarded-For: 8.8.8.8\r\n"
        b"X-Forwarded-Proto: https\r\n\r\n",
    )
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == ("127.0.0.1", "http")


@pytest.mark.parametrize(
    "raw",
    [
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX-\x00: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX: \x00\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused(port: int, raw: bytes) -> None:
    assert ask(port, raw).partition(b"\r\n")[0] in (b"HTTP/1.1 400 Bad Request", b"")


def test_headers_that_do_not_come_are_not_waited_for(port: int) -> None:
    began = time.monotonic()
    for beginning in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nX: y"):
        assert ask(port, beginning) == b""
    assert time.monotonic() - began < 4
    # A further request on a connection has the same time.
    got = ask(port, b"GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HT")
    assert got.startswith(b"HTTP/1.1 200")
    assert got.count(b"HTTP/1.1 200") == 1


def test_headers_without_an_end_are_cut_off(port: int) -> None:
    assert b"200" not in ask(port, b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"y" * 200_000 + b"\r\n\r\n")


def test_a_body_that_does_not_come_costs_no_thread(port: int, lane: Lane) -> None:
    held = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(10)]
    for sock in held:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhal")
    assert ask(port, b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert lane.present == 0
    for sock in held:
        assert sock.recv(12) == b"HTTP/1.1 408"
        sock.close()


def test_a_body_that_is_too_large_is_refused_before_it_is_all_there(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 9000000\r\n\r\n"
    assert ask(port, head + b"x" * (MB + 1)).startswith(b"HTTP/1.1 413")


def test_a_lane_that_is_full_turns_away_and_the_others_get_their_answer(port: int, behind: Behind, lane: Lane) -> None:
    answers: list[bytes] = []
    raw = b"GET /wait HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    threads = [threading.Thread(target=lambda: answers.append(ask(port, raw)[:12])) for _ in range(4)]
    for thread in threads:
        thread.start()
    while lane.present < 4:
        time.sleep(0.01)
    assert ask(port, raw).startswith(b"HTTP/1.1 503")
    behind.go_on.set()
    for thread in threads:
        thread.join(10)
    assert answers == [b"HTTP/1.1 200"] * 4
    assert lane.present == 0


def test_who_is_told_to_come_later_is_told_so_later(port: int, lane: Lane) -> None:
    """They would ask again at once, and keep us busier than themselves."""
    lane.delay_s, began = 0.4, time.monotonic()
    assert ask(port, b"GET /too-often HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 429")
    assert time.monotonic() - began >= 0.4
    assert lane.present == 0
    began = time.monotonic()
    assert ask(port, b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert time.monotonic() - began < 0.4


def test_a_long_answer_waits_for_its_reader_and_ends_when_the_reader_is_gone(port: int, behind: Behind) -> None:
    sock = socket.create_connection(("127.0.0.1", port), timeout=5)
    sock.sendall(b"GET /long HTTP/1.1\r\nHost: h\r\n\r\n")
    assert sock.recv(12) == b"HTTP/1.1 200"
    time.sleep(0.3)
    assert behind.n_open < 40  # it did not run ahead
    time.sleep(1.5)  # who does not read is cut off
    assert behind.closed == 1
    sock.close()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/long")
    assert len(connection.getresponse().read()) == 32 * MB
    connection.close()
    assert behind.closed == 2


def test_a_mistake_of_the_application_is_a_500_and_no_more(port: int) -> None:
    assert ask(port, b"GET /broken HTTP/1.1\r\nHost: h\r\n\r\n").startswith(b"HTTP/1.1 500")
    assert ask(port, b"GET /not-modified HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 304")


def test_the_newest_connection_goes_when_there_are_too_many(port: int) -> None:
    held = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(30)]
    assert ask(port, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n") == b""
    held.pop().close()
    time.sleep(0.1)
    assert ask(port, b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200")
    for sock in held:
        sock.close()


def test_few_at_a_time_may_leave_their_answers_untaken(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MOST_BEHIND", 1)
    monkeypatch.setattr(protocol, "TAKEN_WITHIN_S", 20)
    raw = b"GET /long HTTP/1.1\r\nHost: h\r\n\r\n"
    first, second = (socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(2))
    first.sendall(raw)
    wait_until(lambda: PatientProtocol.n_behind == 1)
    second.sendall(raw)
    time.sleep(0.5)
    with contextlib.suppress(ConnectionResetError):
        while second.recv(MB):
            pass  # what was on its way, and then it is cut off
    assert PatientProtocol.n_behind == 1
    for sock in (first, second):
        sock.close()
    wait_until(lambda: PatientProtocol.n_behind == 0)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("method", "path", "headers", "lane"),
    [
        ("GET", "/api/v1/copy/SKU", (), SHOP),
        ("GET", "/api/v1/copy/SKU", ("authorization",), SHOP),
        ("GET", "/healthz", (), SHOP),
        ("GET", "/readyz", (), DESK),
        ("GET", "/console/", (), DESK),
        ("GET", "/console/login/", (), DESK),
        ("POST", "/console/login/", (), SIGN_IN),
        ("POST", "/api/v1/requests", ("authorization",), SIGN_IN),
        ("POST", "/api/v1/requests", ("cookie",), DESK),
        ("POST", "/webhooks/label-studio/", (), EVENTS),
        ("GET", "/api/v1/feed", (), FILES),
        ("GET", "/media/mug.svg", (), FILES),
    ],
)
def test_each_kind_of_request_has_its_lane(method: str, path: str, headers: tuple[str, ...], lane: Lane) -> None:
    assert lane_of(method, path, [(name.encode(), b"x") for name in headers]) is lane
