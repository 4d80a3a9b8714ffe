"""Strict reading of annotations: a control or a label that a page does not have is an error, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.exceptions import PermanentError
from labeling.annotations import Result, by_control

Parts = Mapping[str, Mapping[str, Any]]
LONGEST_COMMENT = 2000


def parts_of(result: Result, known: set[str]) -> dict[str, Mapping[str, Any]]:
    """Return the parts of an annotation by their control. Raises `PermanentError` for a control that is not `known`."""
    parts = by_control(result)
    if strangers := sorted(set(parts) - known):
        raise PermanentError(f"The annotation has controls that the interface does not: {', '.join(strangers)}.")
    return parts


def picked(parts: Parts, name: str, known: Sequence[str]) -> list[str]:
    """Return what was picked of the control `name`, each once. Raises `PermanentError` for what is not `known`."""
    found = [str(choice) for choice in parts.get(name, {}).get("choices") or []]
    if strangers := [choice for choice in found if choice not in known]:
        raise PermanentError(
            f"The annotation has labels of {name!r} that the interface does not: {', '.join(strangers)}."
        )
    return list(dict.fromkeys(found))


def one(parts: Parts, name: str, known: Sequence[str], *, required: bool) -> str:
    """Return the one answer to the control `name`; empty where there is none and none is `required`."""
    found = picked(parts, name, known)
    if len(found) > 1 or (required and not found):
        raise PermanentError(f"The annotation has {len(found)} answers to {name!r} instead of one.")
    return found[0] if found else ""


def text(parts: Parts, name: str) -> str:
    """Return what was typed into the control `name`."""
    typed = parts.get(name, {}).get("text") or []
    return "\n".join(map(str, [typed] if isinstance(typed, str) else typed)).strip()


def suggested(predictions: Sequence[Mapping[str, Any]], control: str) -> list[str]:
    """Return what the first of `predictions` picks of the control `control`."""
    parts = [part for prediction in predictions[:1] for part in prediction["result"] if part["from_name"] == control]
    return [str(choice) for part in parts for choice in part["value"]["choices"]]
