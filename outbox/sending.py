"""One POST to one receiver: to an address that was checked, within a time that is kept, and nothing is followed."""

from __future__ import annotations

import datetime as dt
import email.utils
import functools
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx
from django.conf import settings
from django.utils import timezone

from core.exceptions import EcomsiteError
from outbox.addresses import Address, check_address, resolve

LARGEST_ANSWER = 4096
LONGEST_EXCERPT = 500
LONGEST_RETRY_AFTER = dt.timedelta(days=1)
GONE = 410


@dataclass(frozen=True)
class Answer:
    """What came of a POST: the receiver's status and first words, or the `error` that kept them away."""

    status: int | None = None
    excerpt: str = ""
    retry_after: dt.timedelta = dt.timedelta(0)
    error: str = ""

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == GONE


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    timeout_s: float,
    resolve: Callable[[str, int], list[Address]] = resolve,
) -> Answer:
    """POST `body` and return the answer; never raises for what the receiver or the network does.

    `timeout_s` bounds it as a whole, from the connection to the last byte; only the look-up of the name has a limit of
    its own, the resolver's. A receiver that said 2xx in time has it, whatever becomes of the rest of its answer.
    """
    parsed = httpx.URL(url)
    network = _Network(deadline=time.monotonic() + timeout_s, secure=parsed.scheme == "https", resolve=resolve)
    target = httpcore.URL(
        scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path or b"/"
    )
    sent = {
        "Host": parsed.netloc.decode(),
        "Content-Type": "application/json",
        "User-Agent": "ecomsite",
        "Accept-Encoding": "identity",
        "Content-Length": str(len(body)),
        **headers,
    }
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_tls(settings.OUTBOX.ca_file), network_backend=network) as pool,
            pool.stream("POST", target, headers=list(sent.items()), content=body) as response,
        ):
            return Answer(
                status=response.status,
                excerpt=_excerpt(response.iter_stream()),
                retry_after=_retry_after(response.headers),
                error="" if 200 <= response.status < 300 else f"the receiver answered {response.status}",
            )
    except httpcore.TimeoutException:
        return Answer(error=f"the receiver did not answer within {timeout_s:g} s")
    except EcomsiteError as exc:
        return Answer(error=str(exc))
    except (httpcore.NetworkError, httpcore.ProtocolError) as exc:
        return Answer(error=f"the receiver cannot be reached ({_reason(exc)})")


def _reason(exc: Exception) -> str:
    """The system's own words for a refused connection or a bad certificate; they hold no part of the address's path."""
    return str(exc)[:200] or type(exc).__name__


def _excerpt(blocks: Iterable[bytes]) -> str:
    content = bytearray()
    try:
        for block in blocks:
            content += block
            if len(content) >= LARGEST_ANSWER:
                break
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        pass  # the status had come
    # PostgreSQL takes no NUL.
    return bytes(content).decode("utf-8", "replace").replace("\0", "\ufffd")[:LONGEST_EXCERPT]


def _retry_after(headers: Iterable[tuple[bytes, bytes]]) -> dt.timedelta:
    """Read Retry-After, in seconds or as a date; nonsense is none."""
    value = next((value for name, value in headers if name.lower() == b"retry-after"), b"").decode("ascii", "ignore")
    try:
        if value.strip().isdecimal():
            wait = dt.timedelta(seconds=min(int(value), LONGEST_RETRY_AFTER.total_seconds()))
        else:
            until = email.utils.parsedate_to_datetime(value)
            wait = (until if until.tzinfo else until.replace(tzinfo=dt.UTC)) - timezone.now()
    except (ValueError, TypeError, OverflowError):
        return dt.timedelta(0)
    return min(max(wait, dt.timedelta(0)), LONGEST_RETRY_AFTER)


@functools.cache
def _tls(ca_file: str) -> ssl.SSLContext:
    context = httpcore.default_ssl_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


class _Network(httpcore.NetworkBackend):
    """Connects to the address that was checked, so that a name which changes its mind gains nothing."""

    def __init__(self, *, deadline: float, secure: bool, resolve: Callable[[str, int], list[Address]]) -> None:
        self._deadline = deadline
        self._secure = secure
        self._resolve = resolve
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, *args: Any, **options: Any) -> _Stream:
        """Look `host` up once, refuse if any of its addresses is out of bounds,
        and connect to the first that answers.
        """
        addresses = self._resolve(host, port)
        for address in addresses:
            check_address(address, secure=self._secure)
        for last, address in ((address is addresses[-1], address) for address in addresses):
            try:
                stream = self._sockets.connect_tcp(str(address), port, _left(self._deadline), *args, **options)
            except httpcore.ConnectError:
                if last:
                    raise
            else:
                return _Stream(stream, self._deadline)
        raise httpcore.ConnectError("the name has no address")


class _Stream(httpcore.NetworkStream):
    """A connection on which every step ends at the same deadline: one that drips a byte now and then gains nothing."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has come."""
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of `buffer`."""
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        """Hang up."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Stream:
        """Shake hands; the certificate must be for the name, not for the address."""
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Say what the connection below knows."""
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left
