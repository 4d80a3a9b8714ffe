"""Whether Label Studio could show a question's page and its tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from core.exceptions import PermanentError

if TYPE_CHECKING:
    from label_studio_sdk.label_interface import LabelInterface

    from labeling.question import Question


def validate(question: Question) -> None:
    """Raise `PermanentError` when the XML of `question` is not a labelling configuration."""
    _parsed(question.config(), question.name)


def check_task(question: Question, payload: Mapping[str, Any], predictions: Sequence[Mapping[str, Any]]) -> None:
    """Raise `PermanentError` when Label Studio could not show this task. The server itself accepts any prediction."""
    parsed = _parsed(question.config(), question.name)
    if missing := {name for name in _variables(parsed) if name not in payload}:
        raise PermanentError(f"The task data lacks {', '.join(sorted(missing))}.")
    for prediction in predictions:
        static = [part for part in prediction["result"] if part["from_name"] not in _dynamic(parsed)]
        if errors := parsed.validate_prediction({**prediction, "result": static}, return_errors=True):
            raise PermanentError(f"The prediction does not fit the labelling interface: {'; '.join(map(str, errors))}")


@lru_cache(maxsize=16)
def _parsed(config: str, kind: str) -> LabelInterface:
    # Imported here: the SDK takes 120 MB, and only those who send tasks need it.
    from label_studio_sdk.label_interface import LabelInterface

    try:
        parsed = LabelInterface(config)
        parsed.validate()
    except Exception as exc:  # the SDK raises whatever its validators do
        raise PermanentError(f"The labelling interface {kind!r} is not valid: {exc}") from exc
    return parsed


def _variables(parsed: LabelInterface) -> Iterator[str]:
    for tag in parsed.objects:
        if tag.value and tag.value.startswith("$"):
            yield tag.value[1:]


def _dynamic(parsed: LabelInterface) -> set[str]:
    """Return the controls whose choices come with the task: there is nothing in the XML to check them against."""
    return {tag.name for tag in parsed.controls if str(tag.attr.get("value", "")).startswith("$")}
