"""Signed values of the door: the one-time token a person comes with, their cookie, and what it and the desk say.

A value is signed for one purpose: what was made for one cannot be shown for another.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

# A person is on their way from the console to the door.
TOKEN_LIFE_S = 30
LONGEST_TOKEN_LIFE_S = 60
# Of the clocks of two machines, and of a call on its way.
CALL_LIFE_S = 30
LONGEST = 2000


class Refused(ValueError):
    """A value that is not ours, is for something else, or is too old."""


@dataclass(frozen=True)
class Token:
    """Lets one person in once.

    `pass_id` is what the desk remembers of it; `session` the hash of their console session.
    """

    pass_id: str
    person: int
    session: str
    # Label Studio's id.
    ls_task: int
    # Seconds since the epoch.
    expires: float


@dataclass(frozen=True)
class Cookie:
    """What the browser keeps: the pass that was used, and whose. Good for as long as the desk says so."""

    pass_id: str
    person: int


def hash_of_session(session_key: str) -> str:
    """Return what a token says of a console session."""
    return hashlib.sha256(session_key.encode()).hexdigest()


def seal_token(token: Token, *, key: str) -> str:
    """Return the token as text for an address."""
    return _seal("enter", asdict(token), key=key)


def open_token(text: str, *, key: str, now: float | None = None) -> Token:
    """Return the token in `text`. Raises `Refused` when it is forged, has run out, or would live too long."""
    token = Token(**_open("enter", text, _TOKEN_FIELDS, key=key))
    left = token.expires - (time.time() if now is None else now)
    if not 0 < left <= LONGEST_TOKEN_LIFE_S:
        raise Refused("the token has run out")
    return token


def seal_cookie(cookie: Cookie, *, key: str) -> str:
    """Return the cookie's value."""
    return _seal("cookie", asdict(cookie), key=key)


def open_cookie(text: str, *, key: str) -> Cookie:
    """Return what the cookie says. Raises `Refused` when it is forged."""
    return Cookie(**_open("cookie", text, _COOKIE_FIELDS, key=key))


def sign_call(body: bytes, *, key: str, now: float | None = None) -> str:
    """Return the signature of what the door asks the desk: when, and the HMAC of that and of `body`."""
    at = str(int(time.time() if now is None else now))
    return f"{at}.{_mac('call', at.encode() + b'.' + body, key)}"


def is_call(body: bytes, signature: str, *, key: str, now: float | None = None) -> bool:
    """Whether `body` was signed with our key, a moment ago."""
    at, _, mac = signature.partition(".")
    if not key or not at.isascii() or not at.isdecimal() or len(at) > 12 or not mac.isascii():
        return False
    fresh = abs((time.time() if now is None else now) - int(at)) <= CALL_LIFE_S
    return hmac.compare_digest(mac, _mac("call", at.encode() + b"." + body, key)) and fresh


def sign_reply(body: bytes, *, to: str, key: str) -> str:
    """Return the signature of the desk's answer `body` to the call with the signature `to`."""
    return _mac("reply", to.encode() + b"." + body, key)


def is_reply(body: bytes, signature: str, *, to: str, key: str) -> bool:
    """Whether `body` is the desk's answer to that very call."""
    return bool(key) and signature.isascii() and hmac.compare_digest(signature, sign_reply(body, to=to, key=key))


def proof(challenge: str, *, key: str) -> str:
    """Return what only a door with our key can answer to `challenge`."""
    return _mac("proof", challenge.encode(), key)


_TOKEN_FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "pass_id": str,
    "person": int,
    "session": str,
    "ls_task": int,
    "expires": (int, float),
}
_COOKIE_FIELDS: Mapping[str, type | tuple[type, ...]] = {"pass_id": str, "person": int}


def _seal(purpose: str, fields: Mapping[str, Any], *, key: str) -> str:
    if not key:
        raise Refused("the door has no key")
    body = base64.urlsafe_b64encode(json.dumps(fields, sort_keys=True).encode()).decode().rstrip("=")
    return f"{body}.{_mac(purpose, body.encode(), key)}"


def _open(purpose: str, text: str, fields: Mapping[str, type | tuple[type, ...]], *, key: str) -> dict[str, Any]:
    body, _, mac = text.rpartition(".") if text.isascii() and len(text) <= LONGEST else ("", "", "")
    if not key or not body or not hmac.compare_digest(mac, _mac(purpose, body.encode(), key)):
        raise Refused("it was not signed with our key")
    try:
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, binascii.Error) as exc:
        raise Refused("it cannot be read") from exc
    if set(found) != set(fields) or not all(isinstance(found[name], kind) for name, kind in fields.items()):
        raise Refused("it says something else")
    return dict(found)


def _mac(purpose: str, body: bytes, key: str) -> str:
    return hmac.new(key.encode(), purpose.encode() + b"|" + body, hashlib.sha256).hexdigest()
