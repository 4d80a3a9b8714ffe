"""The stamp of the door on an answer: who gave it, on which task, under which lease, and what it said; signed.

It travels inside the answer, as `meta` of a region of its own, and so survives whatever Label Studio does with it: what
the API returns later proves itself, or does not.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

# The stamp's own region: Label Studio keeps regions whose control it does not know, and its editor leaves them alone.
REGION_TYPE = "ecomsite_stamp"
LONGEST = 2000  # characters of a sealed stamp


@dataclass(frozen=True)
class Stamp:
    """What the door saw. `task` is our id of the task, `ls_task` Label Studio's; `person` the pk of our user."""

    task: str
    ls_task: int
    person: int
    # Of the lease under which it was given; empty where a queue reserves nothing.
    lease: str
    # Seconds since the epoch, by the door's clock.
    at: float
    was_cancelled: bool
    # SHA-256 (64 hex digits) of the answer: see `hash_of`.
    result_hash: str


class Forged(ValueError):
    """A stamp that was not made with our key, or is none at all."""


def hash_of(result: Sequence[dict[str, Any]]) -> str:
    """Return the SHA-256 of an answer without its stamp, whatever the order of keys."""
    plain = json.dumps(without_stamp(result), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def seal(stamp: Stamp, *, key: str) -> str:
    """Return the stamp as text: base64url of its JSON, a dot, its HMAC-SHA256."""
    body = base64.urlsafe_b64encode(json.dumps(asdict(stamp), sort_keys=True).encode()).decode()
    return f"{body}.{_mac(body, key)}"


def unseal(text: str, *, key: str) -> Stamp:
    """Return the stamp that `seal` made. Raises `Forged`."""
    body, _, mac = (
        text.rpartition(".") if isinstance(text, str) and len(text) <= LONGEST and text.isascii() else ("", "", "")
    )
    if not key or not body or not hmac.compare_digest(mac, _mac(body, key)):
        raise Forged("the stamp was not made with our key")
    try:
        return Stamp(**json.loads(base64.urlsafe_b64decode(body)))
    except (TypeError, ValueError, binascii.Error) as exc:
        raise Forged("the stamp cannot be read") from exc


def with_stamp(result: Sequence[dict[str, Any]], sealed: str) -> list[dict[str, Any]]:
    """Return the answer with this stamp in it, in place of any other."""
    return [*without_stamp(result), {"id": "ecomsite", "type": REGION_TYPE, "value": {}, "meta": {"stamp": sealed}}]


def without_stamp(result: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the answer alone."""
    return [region for region in result if not _is_stamp(region)]


def stamp_of(result: Sequence[dict[str, Any]], *, key: str) -> Stamp | None:
    """Return the stamp in an answer; None where there is none. Raises `Forged`, also for two of them."""
    found = [region for region in result if _is_stamp(region)]
    if not found:
        return None
    meta = found[0].get("meta")
    if len(found) > 1 or not isinstance(meta, dict):
        raise Forged("an answer has one stamp")
    return unseal(meta.get("stamp", ""), key=key)


def _is_stamp(region: Any) -> bool:
    return isinstance(region, dict) and region.get("type") == REGION_TYPE


def _mac(body: str, key: str) -> str:
    return hmac.new(key.encode(), body.encode(), hashlib.sha256).hexdigest()
