"""What a labelling interface is: how one kind of work looks in Label Studio and how its answers are read.

Whoever opens labelling tasks brings the interface (settings.LABELING["INTERFACES"], kind → dotted path): this app does
not know what it labels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings

from core.exceptions import PermanentError
from core.loading import load_class
from labeling.door.stamps import without_stamp

if TYPE_CHECKING:
    from label_studio_sdk.label_interface import LabelInterface

Result = Sequence[Mapping[str, Any]]


class LabelingInterface(ABC):
    """One kind of work. Stateless."""

    kind: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str] = ""
    # HTML shown to who opens the project; ours, not a user's.
    instructions: ClassVar[str] = ""
    # What an answer can come to, as one label: people agree or differ in this.
    labels: ClassVar[tuple[str, ...]] = ()
    # The field of the task data, HTML, that a note to who answers is put at the top of.
    top: ClassVar[str] = ""

    @abstractmethod
    def config(self) -> str:
        """Return the labelling interface as Label Studio's XML."""

    @abstractmethod
    def parse(self, result: Result, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer in `result`, an annotation of a task with data `payload`, as plain values.

        Strict: raises `PermanentError` for a control or a label that the interface does not have, and for an answer
        that is missing.
        """

    def label_of(self, answer: Mapping[str, Any]) -> str:
        """Return what a parsed `answer` comes to, one of `labels`; empty when it says none of them."""
        raise NotImplementedError

    def result_of(self, label: str) -> list[dict[str, Any]]:
        """Return an annotation that says `label`, and nothing else."""
        raise NotImplementedError

    def fills_suggestions(self) -> bool:
        """Whether an annotation starts from the predictions; without, `beside` says what they are."""
        return True

    def beside(self, payload: Mapping[str, Any], predictions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the task data with what `predictions` suggest in words, for where nothing is ticked beforehand."""
        return dict(payload)

    def conflict(self, answers: Sequence[Mapping[str, Any]]) -> str:
        """Return why `answers` of one and the same label still say different things; empty when they do not."""
        return ""

    def opinions(self, subjects: Sequence[str]) -> dict[str, dict[str, float]]:
        """Return what the serving model thinks of each of `subjects`: a probability for each label; none for the unknown."""
        return {}

    def texts(self, subjects: Sequence[str]) -> list[str]:
        """Return the text that each of `subjects` (references) is about; empty for one that is gone."""
        raise NotImplementedError


def load_interface(kind: str) -> LabelingInterface:
    """Return the interface of `kind`. Raises `PermanentError` when the settings name none."""
    try:
        path = settings.LABELING["INTERFACES"][kind]
    except KeyError:
        known = ", ".join(sorted(settings.LABELING["INTERFACES"]))
        raise PermanentError(
            f"There is no labelling interface {kind!r}; there are {known}.",
            hint='Add it to LABELING["INTERFACES"] in ecomsite/settings.py.',
        ) from None
    return load_class(path, LabelingInterface)()  # type: ignore[type-abstract]


def validate(interface: LabelingInterface) -> None:
    """Raise `PermanentError` when the XML of `interface` is not a labelling configuration."""
    _parsed(interface.config(), interface.kind)


def check_task(
    interface: LabelingInterface, payload: Mapping[str, Any], predictions: Sequence[Mapping[str, Any]]
) -> None:
    """Raise `PermanentError` when Label Studio could not show this task. The server itself accepts any prediction."""
    parsed = _parsed(interface.config(), interface.kind)
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


def by_control(result: Result) -> dict[str, Mapping[str, Any]]:
    """Return the parts of an annotation, without the door's stamp, by the name of their control. Raises `PermanentError` for one given twice."""
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
