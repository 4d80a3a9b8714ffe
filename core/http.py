"""JSON over HTTP to servers that are not ours: bounded in time and size, no redirects, retried where that can help."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from typing import Any

import httpx

from core.exceptions import PermanentError, TransientError

RETRIED_STATUS = {408, 425, 429, 500, 502, 503, 504}
MAX_BYTES = 8 * 1024 * 1024
MAX_PAUSE_S = 20.0


def client(*, timeout_s: float, connections: int = 10) -> httpx.Client:
    """Return a client that follows no redirects and takes no proxy or credentials from the environment."""
    return httpx.Client(
        timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, 10.0)),
        limits=httpx.Limits(max_connections=connections),
        follow_redirects=False,
        trust_env=False,
    )


def request_json(
    session: httpx.Client,
    method: str,
    url: str,
    *,
    body: Any = None,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float,
    attempts: int = 3,
    max_bytes: int = MAX_BYTES,
) -> Any:
    """Return the parsed JSON answer of `method url`, which gets `body` as JSON, or `form`.

    `timeout_s` bounds each attempt as a whole, pauses come on top.
    Raises `TransientError` when the server stayed away, busy or slow after `attempts` tries, and `PermanentError` for
    any other status than 200 to 299, for an answer over `max_bytes`, and for one that is no JSON. The messages name
    host and status, and never a header or the query string.
    """
    for attempt in range(1, attempts + 1):
        try:
            return _once(session, method, url, body, form, headers=headers, timeout_s=timeout_s, max_bytes=max_bytes)
        except _Again as exc:
            if attempt == attempts:
                raise TransientError(str(exc), hint="It will be tried again later.") from exc
            # Full jitter, so that the clients of a server that went down do not come back as one.
            pause = max(exc.retry_after, random.uniform(0, 0.5 * 2**attempt))  # noqa: S311
            time.sleep(min(pause, MAX_PAUSE_S))
    raise AssertionError("attempts must be at least 1")


class _Again(Exception):
    """This attempt failed in a way that another may not."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def _once(
    session: httpx.Client,
    method: str,
    url: str,
    body: Any,
    form: Mapping[str, str] | None,
    *,
    headers: Mapping[str, str] | None,
    timeout_s: float,
    max_bytes: int,
) -> Any:
    where = _place(url)
    deadline = time.monotonic() + timeout_s
    content = bytearray()
    try:
        with session.stream(method, url, json=body, data=form, headers=dict(headers or {})) as response:
            for block in response.iter_bytes():
                content += block
                if len(content) > max_bytes:
                    raise PermanentError(f"{where} answered with more than {max_bytes} bytes")
                if time.monotonic() > deadline:  # httpx limits each read; a server may drip bytes for ever
                    raise _Again(f"{where} did not finish its answer within {timeout_s:g} s")
    except httpx.TimeoutException as exc:
        raise _Again(f"{where} did not answer within {timeout_s:g} s") from exc
    except httpx.TransportError as exc:
        raise _Again(f"{where} cannot be reached ({type(exc).__name__})") from exc
    except httpx.InvalidURL as exc:
        raise PermanentError(f"{where} is no address: {exc}") from exc
    if response.status_code in RETRIED_STATUS:
        raise _Again(f"{where} answered {response.status_code}", _retry_after(response))
    if not response.is_success:
        excerpt = bytes(content[:300]).decode("utf-8", "replace")
        raise PermanentError(f"{where} answered {response.status_code}: {excerpt}")
    try:
        return json.loads(bytes(content))
    except ValueError as exc:
        raise PermanentError(f"{where} answered {response.status_code} with something that is no JSON") from exc


def _place(url: str) -> str:
    parsed = httpx.URL(url)
    return f"{parsed.scheme}://{parsed.netloc.decode()}{parsed.path}".rstrip("/")


def _retry_after(response: httpx.Response) -> float:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdigit() else 0.0
