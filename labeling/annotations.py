"""The parts that annotations and predictions of Label Studio are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.exceptions import PermanentError
from labeling.door.stamps import without_stamp

Result = Sequence[Mapping[str, Any]]


def by_control(result: Result) -> dict[str, Mapping[str, Any]]:
    """Return the parts of an annotation, without the door's stamp, by the name of their control.

    Raises `PermanentError` for one given twice.
    """
    parts: dict[str, Mapping[str, Any]] = {}
    for part in without_stamp([dict(part) for part in result]):
        name = str(part.get("from_name"))
        if name in parts:
            raise PermanentError(f"The annotation answers {name!r} twice.")
        parts[name] = part.get("value") or {}
    return parts


def choices(name: str, *values: str, to: str) -> dict[str, Any]:
    """Return the part of a prediction that picks `values` of the Choices control `name` about the object `to`."""
    return {"from_name": name, "to_name": to, "type": "choices", "value": {"choices": list(values)}}


def prediction_of(result: list[dict[str, Any]], model_version: str, score: float | None) -> dict[str, Any]:
    """Return `result` as a prediction of Label Studio, `score` being how sure its author is, 0 to 1."""
    prediction: dict[str, Any] = {"model_version": model_version, "result": result}
    return prediction if score is None else {**prediction, "score": round(score, 4)}
