"""What a part of the system says about itself: fine, busy or down, in words, with the way out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Part:
    """One part: `state` is `ok`, `busy` (works, but a person should know), `alarm` (works, and a
    person has to act) or `down`; `hint` says what to do."""

    name: str
    state: str
    words: str
    hint: str = ""

    @property
    def is_ok(self) -> bool:
        return self.state != "down"


@dataclass(frozen=True)
class Report:
    """The answers of all parts at one moment."""

    parts: tuple[Part, ...]

    @property
    def is_ready(self) -> bool:
        return all(part.is_ok for part in self.parts)

    @property
    def troubles(self) -> tuple[Part, ...]:
        """The parts that a person should know about."""
        return tuple(part for part in self.parts if part.state != "ok")

    @property
    def completeness(self) -> str:
        """What the last proof says; empty when it is among the troubles, or nobody knows."""
        return next((part.words for part in self.parts if part.name == "completeness" and part.state == "ok"), "")

    def as_json(self) -> dict[str, Any]:
        """Return what /readyz answers."""
        return {
            "status": "ready" if self.is_ready else "not ready",
            "parts": {
                part.name: {"state": part.state, "words": part.words, **({"hint": part.hint} if part.hint else {})}
                for part in self.parts
            },
        }


def in_words(length: dt.timedelta) -> str:
    """Return a length of time in words, in its largest unit: `40 seconds`, `12 minutes`, `3 hours`, `5 days`."""
    seconds = max(0, int(length.total_seconds()))
    for unit, size, up_to in (("second", 1, 60), ("minute", 60, 7200), ("hour", 3600, 172_800), ("day", 86_400, None)):
        if up_to is None or seconds < up_to:
            n = seconds // size
            return f"{n} {unit}{'' if n == 1 else 's'}"
    raise AssertionError("the last unit has no end")
