"""Trainers that train nothing, for the launcher. Each process of a launch imports this, so it imports little."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from core.exceptions import PermanentError
from training.trainers import launch
from training.trainers.contracts import Watch

RECIPE = SimpleNamespace(batch_size=2)  # all that the launcher reads of one


def fails(*, recipe: Any, watch: Watch) -> dict[str, Any]:
    """A trainer whose second process finds something wrong, which ends the first one as well."""
    if not launch.is_first():
        raise PermanentError("every example is too long", hint="Raise max_tokens.")
    time.sleep(60)
    return {}


def is_killed(*, recipe: Any, watch: Watch) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def waits(*, recipe: Any, watch: Watch, into: Path) -> dict[str, Any]:
    """A trainer that goes on for ten minutes and leaves the numbers of its processes in the folder `into`."""
    (into / str(os.getpid())).touch()
    for second in range(600):
        watch(second, 600, {})
        time.sleep(0.2)
    return {}
