"""Who runs the stack and what it consists of, for a second `up`, for `status` and for `down`."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.exceptions import PermanentError
from ecomsite.stack.files import write_private


@dataclass
class State:
    """What the supervisor last said about itself."""

    pid: int = 0
    started_at: float = 0.0
    ready: bool = False
    console: str = ""
    label_studio: str = ""
    # One record per child (see `Supervisor.snapshot`).
    parts: list[dict[str, Any]] = field(default_factory=list)
    # Name to address, passwords removed, of the servers that are not ours.
    external: dict[str, str] = field(default_factory=dict)
    # A sentence for each port that is not the usual one.
    notes: list[str] = field(default_factory=list)


def write_state(var: Path, state: State) -> None:
    """Write var/stack.json, whole or not at all."""
    write_private(var / "stack.json", json.dumps(asdict(state), indent=1))


def read_state(var: Path) -> State | None:
    """Return the state of the stack that runs now, or None when none does."""
    if not is_locked(var):
        return None
    # It may just have taken the lock and not written anything yet.
    return _last_written(var) or State()


def _last_written(var: Path) -> State | None:
    try:
        return State(**json.loads((var / "stack.json").read_text()))
    except FileNotFoundError:
        return None


def is_locked(var: Path) -> bool:
    """Whether some process holds the lock of the stack. The kernel lets go of it when that process dies, however."""
    try:
        descriptor = os.open(var / "stack.lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def claim(var: Path) -> Iterator[State | None]:
    """Hold the stack of `var`; gives what the last run said about itself if it was killed.

    Raises `PermanentError` saying who holds it and where it answers.
    """
    var.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(var / "stack.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            state = read_state(var) or State()
            raise PermanentError(
                f"Already running (pid {state.pid or 'unknown'}): {state.console or 'starting'}",
                hint="`manage.py status` shows its parts, `manage.py down` stops it.",
            ) from None
        killed = _last_written(var)
        try:
            yield killed
        finally:
            (var / "stack.json").unlink(missing_ok=True)
    finally:
        os.close(descriptor)
