"""The answer a browser sends: read strictly, made into the annotation that Label Studio gets, and stamped."""

from __future__ import annotations

import json
import math
import time
import uuid
from typing import Any

from . import stamps
from .desk import Leave
from .policy import Refused

LARGEST_BODY = 256 * 1024
MOST_REGIONS = 300
DEEPEST = 12
# What the browser may say. Who answered, on which task, what is true and what came before is not theirs to say.
FIELDS = {"result", "was_cancelled", "lead_time", "attempt"}
LONGEST_LEAD_TIME_S = 24 * 3600.0
# PostgreSQL writes larger ones, and zero with a sign, otherwise than they came: the hash would not be found again.
LARGEST_NUMBER = 1e15
_ATTEMPTS = uuid.UUID("5a3c3c1e-6a0e-4c55-9f7e-1d3f2f6b8a10")


def read(body: bytes) -> dict[str, Any]:
    """Return what a browser answered: result, was_cancelled, lead_time (s), attempt. Raises `Refused`."""
    try:
        said = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refused("not_json", 400) from None
    if not isinstance(said, dict) or not set(said) <= FIELDS:
        raise Refused("field", 400)
    result, cancelled = said.get("result"), said.get("was_cancelled", False)
    if not isinstance(result, list) or len(result) > MOST_REGIONS or not isinstance(cancelled, bool):
        raise Refused("result", 400)
    for region in result:
        if not isinstance(region, dict):
            raise Refused("result", 400)
        if region.get("type") == stamps.REGION_TYPE:
            raise Refused("stamp", 400)
        _check(region)
    return {
        "result": result,
        "was_cancelled": cancelled,
        "lead_time": _lead_time(said.get("lead_time")),
        "attempt": _attempt(said.get("attempt")),
    }


def annotation(said: dict[str, Any], *, leave: Leave, key: str, now: float | None = None) -> dict[str, Any]:
    """Return the annotation for Label Studio: what was said, the stamp in it, and its author by the desk's word.

    The same attempt of the same person makes one annotation, however often a browser sends it.
    """
    result = said["result"]
    stamp = stamps.Stamp(
        task=leave.task,
        ls_task=leave.ls_task,
        person=leave.person,
        lease=leave.lease,
        at=round(time.time() if now is None else now, 3),
        was_cancelled=said["was_cancelled"],
        result_hash=stamps.hash_of(result),
    )
    made = {
        "result": stamps.with_stamp(result, stamps.seal(stamp, key=key)),
        "was_cancelled": said["was_cancelled"],
        "lead_time": said["lead_time"],
        "completed_by": leave.account,
    }
    if said["attempt"]:
        name = f"{leave.person}:{leave.ls_task}:{leave.lease}:{said['attempt']}"
        made["unique_id"] = str(uuid.uuid5(_ATTEMPTS, name))
    return made


def _check(value: Any, depth: int = 0) -> None:
    """Refuse what Label Studio or PostgreSQL would choke on, or would give back otherwise than it came."""
    if depth > DEEPEST:
        raise Refused("result", 400)
    if isinstance(value, dict):
        for name, held in value.items():
            _check(name, depth + 1)
            _check(held, depth + 1)
    elif isinstance(value, list):
        for held in value:
            _check(held, depth + 1)
    elif isinstance(value, str):
        if "\0" in value or not _is_text(value):
            raise Refused("result", 400)
    elif isinstance(value, (int, float)) and (
        not math.isfinite(value) or abs(value) >= LARGEST_NUMBER or (value == 0 and math.copysign(1, value) < 0)
    ):
        raise Refused("result", 400)


def _is_text(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _lead_time(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= LONGEST_LEAD_TIME_S:
        return None
    return round(float(value), 3)


def _attempt(value: Any) -> str:
    if value is None:
        return ""
    try:
        return str(uuid.UUID(value))
    except (AttributeError, TypeError, ValueError):
        raise Refused("field", 400) from None
