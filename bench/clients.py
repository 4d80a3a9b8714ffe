"""Clients of a web server, for benchmarks and tests: those that measure, and those that are a nuisance.

Who is a nuisance is a process of its own: what it costs is not what is measured.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import multiprocessing
import random
import resource
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

HOST = "127.0.0.1"
_spawn = multiprocessing.get_context("spawn")


def get(path: str, **headers: str) -> bytes:
    """Return a GET as it goes over the wire, on a connection that stays open."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


# --- who measures


def throughput(port: int, request: bytes, *, expect: int, connections: int, seconds: float) -> float:
    """Return answers a second, `connections` asking again as soon as they are answered. Fails on another status."""
    selector = selectors.DefaultSelector()
    first = f"HTTP/1.1 {expect}".encode()
    held: dict[socket.socket, bytes] = {}
    for _ in range(connections):
        sock = socket.create_connection((HOST, port), timeout=10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(sock, selectors.EVENT_READ)
        held[sock] = b""
        sock.sendall(request)
    n, began = 0, time.monotonic()
    while (now := time.monotonic()) < began + seconds:
        for key, _ in selector.select(timeout=1):
            sock: Any = key.fileobj
            got = held[sock] + sock.recv(65536)
            if not _is_whole(got):
                held[sock] = got
                continue
            assert got.startswith(first), got[:200]
            held[sock] = b""
            n += 1
            sock.sendall(request)
    for sock in held:
        sock.close()
    return n / (now - began)


def _is_whole(got: bytes) -> bool:
    head, separator, body = got.partition(b"\r\n\r\n")
    if not separator:
        assert got, "the connection was closed"
        return False
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return len(body) >= int(rest.partition(b"\r\n")[0]) if found else True


def latencies(
    port: int, path: str, *, rate: float, seconds: float, expect: int = 200, timeout: float = 60
) -> list[float]:
    """Return the seconds of each answer, from when it was due: one every 1 / `rate` s, whether or not others wait."""
    local, began = threading.local(), time.monotonic() + 0.1

    def one(n: int) -> float:
        due = began + n / rate
        time.sleep(max(0.0, due - time.monotonic()))
        connection = getattr(local, "connection", None)
        if connection is None:
            connection = local.connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == expect, answer.status
        return time.monotonic() - due

    with ThreadPoolExecutor(8) as pool:
        try:
            return list(pool.map(one, range(int(rate * seconds))))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def quantile(times: list[float], share: float) -> float:
    """Return what `share` of `times` stayed within."""
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


# --- who is a nuisance


@contextmanager
def _beside(work: Any, *arguments: Any) -> Iterator[Any]:
    """Run `work` in a process of its own while the block runs; yields a function that ends it and returns its result."""
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=work, args=(theirs, *arguments), daemon=True)
    process.start()
    assert ours.poll(60), "the nuisance did not begin"
    ours.recv()
    results: list[Any] = []

    def end() -> Any:
        if not results:
            ours.send("end")
            results.append(ours.recv() if ours.poll(60) else None)
        return results[0]

    try:
        yield end
    finally:
        end()
        process.join(30)
        process.kill()


def slow_connections(port: int, n: int) -> Any:
    """Hold `n` connections that send nothing, a byte of a header now and then, or half a POST; each anew when it is cut."""
    return _beside(_be_slow, port, n)


def wrong_passwords(port: int, *, rate: float = 0, clients: int = 0) -> Any:
    """Try wrong passwords, by Basic and by the console's form: `rate` a second, or `clients` who ask again at once.

    What it yields returns how many of which status there were.
    """
    return _beside(_guess, port, rate, clients)


HALF_POSTS = (
    # With any token in the cookie, Django looks for it in the form, and so reads the body.
    b"POST /console/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ecomsite_csrf=" + b"a" * 32 + b"\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\nusername=",
    b"POST /api/v1/requests HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n{",
    b"POST /webhooks/label-studio/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9000\r\n\r\n{",
    b"POST /api/v1/copy/x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9000\r\n\r\n{",
)
BEGINNINGS = (b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ", *HALF_POSTS)


def _be_slow(pipe: Any, port: int, n: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, n + 512), hard))
    rng, held, n_cut = random.Random(7), [_connect(port, k) for k in range(n)], 0
    pipe.send("begun")
    while not pipe.poll(0.2):
        # Each sends a byte every four seconds.
        for k in rng.sample(range(n), max(1, n // 20)):
            try:
                if BEGINNINGS[k % len(BEGINNINGS)]:
                    held[k].send(b"a")
                held[k].recv(1000)
                raise OSError  # answered, or closed
            except BlockingIOError:
                continue
            except OSError:
                held[k].close()
                held[k], n_cut = _connect(port, k), n_cut + 1
    pipe.recv()
    for sock in held:
        sock.close()
    pipe.send(n_cut)


def _connect(port: int, k: int) -> socket.socket:
    sock = socket.create_connection((HOST, port), timeout=10)
    if beginning := BEGINNINGS[k % len(BEGINNINGS)]:
        sock.sendall(beginning)
    sock.setblocking(False)
    return sock


def _guess(pipe: Any, port: int, rate: float, clients: int) -> None:
    requests = [_basic(), _form(port)]
    pipe.send("begun")
    pipe.send(asyncio.run(_guess_until(pipe, port, requests, rate, clients)))


def _basic() -> bytes:
    who = base64.b64encode(b"admin@example.com:a wrong password").decode()
    return get(
        "/api/v1/requests/00000000-0000-4000-8000-000000000000", Authorization=f"Basic {who}", Connection="close"
    )


def _form(port: int) -> bytes:
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    connection.request("GET", "/console/login/")
    answer = connection.getresponse()
    answer.read()
    token = (answer.getheader("Set-Cookie") or "").partition("ecomsite_csrf=")[2].partition(";")[0]
    body = f"username=admin%40example.com&password=a+wrong+password&csrfmiddlewaretoken={token}"
    return (
        f"POST /console/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nCookie: ecomsite_csrf={token}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def _guess_until(pipe: Any, port: int, requests: list[bytes], rate: float, clients: int) -> dict[int, int]:
    seen: Counter[int] = Counter()
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(pipe.fileno(), ended.set)

    async def one(n: int) -> None:
        status = 0
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(60):
                reader, writer = await asyncio.open_connection(HOST, port)
                writer.write(requests[n % len(requests)])
                status = int((await reader.readline())[9:12] or 0)
                await reader.read()
                writer.close()
        seen[status] += 1

    async def again_and_again(n: int) -> None:
        while not ended.is_set():
            await one(n)

    tasks = [asyncio.create_task(again_and_again(n)) for n in range(clients)]
    n, began = 0, loop.time()
    while not ended.is_set():
        if rate:
            tasks.append(asyncio.create_task(one(n)))
            n += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), max(0.001, began + n / rate - loop.time()) if rate else 60)
    loop.remove_reader(pipe.fileno())
    pipe.recv()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return dict(seen)
