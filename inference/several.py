"""From which probability on each of several answers holds: a file of the artefact, written in training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.exceptions import PermanentError

# A model directory that has it says yes or no to each of its labels; one without gives one label of all.
SEVERAL = "several.json"
USUAL = 0.5


def write(directory: Path, bounds: Mapping[str, float]) -> None:
    """Note in `directory` that several labels may hold, and from which probability on each does (label → 0…1)."""
    (directory / SEVERAL).write_text(json.dumps({"from": dict(bounds)}, ensure_ascii=False), encoding="utf-8")


def read(directory: Path | None, labels: Sequence[str]) -> list[float] | None:
    """Return the bound of each of `labels`; None where the model in `directory` gives one label of all.

    Raises `PermanentError` for a file that gives a label no number between 0 and 1.
    """
    path = directory / SEVERAL if directory else None
    if path is None or not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["from"]
        bounds = [float(found[label]) for label in labels]
    except (KeyError, TypeError, ValueError) as exc:
        raise PermanentError(f"{SEVERAL} does not say from which probability on {', '.join(labels)} hold") from exc
    if any(not 0 <= bound <= 1 for bound in bounds):
        raise PermanentError(f"{SEVERAL} has a bound that is no probability")
    return bounds
