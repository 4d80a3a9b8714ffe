"""Labels as Label Studio's JSON: one array of tasks, each with its data and its annotations.

The format: https://labelstud.io/guide/task_format. What is written can be imported there: the answers are under the
names of the interface's own controls. Label Studio knows no pseudonyms and keeps no time of an imported annotation, so
both stand in the `meta` of the answer, which it keeps as it is.

Read are also JSON_MIN, whose tasks are flat, and the `completions` of before version 1.0. Anything may stand where
anything is expected: each field is looked at before it is used.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.exceptions import PermanentError
from core.source import Source
from labeling.door.stamps import without_stamp
from labeling.exchange.json_array import Element, elements
from labeling.exchange.rows import Item, Reading, Row, Unusable, as_json, as_text, is_flat_export, plain
from labeling.exchange.text_writer import TextWriter

MAX_TASK_BYTES = 64 * 1024 * 1024
BEGINNING = 65_536
MARK = b"\xef\xbb\xbf"
# What a control's answer about a whole task is found under. A part that names a place is about a span of it.
ANSWERS = ("choices", "text", "rating", "number", "taxonomy")
PLACES = {"start", "end", "startOffset", "globalOffsets", "x", "y", "points", "vertices", "labels", "ranges"}


@contextmanager
def read(path: Path) -> Iterator[Reading]:
    """Open an export of tasks. A row is an annotation: the task's data, and its answers by the names of the controls.

    Beside them are `rater`, `annotated_at` and `seconds`. Raises `PermanentError` when the file is no array.
    """
    with Source(path) as source:
        mark = len(MARK) if source.stream.read(len(MARK)) == MARK else 0
        source.stream.seek(mark)
        if not source.stream.read(BEGINNING).lstrip().startswith(b"["):
            raise PermanentError(
                f"{path} is no array of tasks.",
                hint="Export from Label Studio as JSON; what has an object on each line is read with --format jsonl.",
            )
        source.stream.seek(mark)
        tasks = elements(source.stream, longest=MAX_TASK_BYTES)
        yield Reading((row for task in tasks for row in _rows(task)), lambda: source.share_read)


def _rows(element: Element) -> Iterator[Row]:
    number, raw, task = element.number, element.raw, element.value
    if element.error:
        yield Row(number, error=element.error, raw=raw, breaks_off=element.breaks_off)
    elif isinstance(task, dict) and "data" not in task and is_flat_export(task):
        yield Row(number, task, raw=raw)
    elif not isinstance(task, dict) or not isinstance(task.get("data"), dict):
        yield Row(number, error="it is no task with data; plain rows are read as JSONL or CSV", raw=raw)
    else:
        annotations = task.get("annotations") or task.get("completions") or []
        if not isinstance(annotations, list) or not annotations:
            yield Row(number, error="nobody has answered this task", raw=raw)
            return
        for annotation in annotations:
            try:
                answers, about = _answers(annotation), _about(annotation)
            except ValueError as exc:
                yield Row(number, error=str(exc), raw=raw)
            else:
                yield Row(number, {**answers, **task["data"], **about}, raw=raw, answers=answers)


def _answers(annotation: Any) -> dict[str, Any]:
    """Return what was answered about the whole task, by the name of the control.

    Raises `ValueError` for nothing usable.

    A control that was answered twice, or with something that is no answer, is `Unusable`: another one may be asked for.
    """
    if not isinstance(annotation, dict) or not isinstance(annotation.get("result"), list):
        raise ValueError("an annotation has no result")
    if annotation.get("was_cancelled") or annotation.get("skipped"):
        raise ValueError("who got this task skipped it")
    result = annotation["result"]
    if not all(isinstance(part, dict) for part in result):
        raise ValueError("an annotation has a result that is no list of objects")
    answers: dict[str, Any] = {}
    for part in without_stamp(result):
        name, value = part.get("from_name"), part.get("value")
        if not isinstance(name, str) or value is None or (isinstance(value, dict) and PLACES & value.keys()):
            continue  # relations between spans, and spans
        if name in answers:
            answers[name] = Unusable("an answer twice")
        elif isinstance(value, dict):
            answers[name] = next((value[kind] for kind in ANSWERS if kind in value), None)
        else:
            answers[name] = Unusable("a value that is no object")
    unusable = [f"{name} has {said}" for name, said in answers.items() if isinstance(said, Unusable)]
    if unusable and len(unusable) == len(answers):
        raise ValueError("; ".join(unusable))
    return answers


def _about(annotation: Mapping[str, Any]) -> dict[str, Any]:
    """Return who answered, when, and how long it took them. Raises `ValueError` where it says no one for a person."""
    parts = (part.get("meta") for part in annotation["result"])
    meta: dict[str, Any] = next((found for found in parts if isinstance(found, dict)), {})
    changed_by = _person("updated_by", annotation.get("updated_by"))
    # Who changed an answer last, theirs it is; before that, who gave it, by the pseudonym that we sent along.
    meta = {} if changed_by else meta
    rater = changed_by or _person("rater", meta.get("rater"))
    return {
        "rater": rater or _person("completed_by", annotation.get("completed_by")),
        "annotated_at": _moment(
            meta.get("annotated_at") or annotation.get("updated_at") or annotation.get("created_at")
        ),
        "seconds": annotation.get("lead_time"),
    }


def _person(name: str, account: Any) -> str:
    if isinstance(account, dict):
        account = account.get("email") or account.get("id")
    if account is None:
        return ""
    if isinstance(account, bool) or not isinstance(account, str | int | float):
        raise ValueError(f"{name} is no account")
    return as_text(account)


def _moment(value: Any) -> Any:
    """Return when something was said; completions have it in seconds since 1970."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return dt.datetime.fromtimestamp(value, dt.UTC)
        except (ValueError, OverflowError, OSError):
            return value  # named as no date where it is read
    return value


class Writer(TextWriter):
    """An array of tasks. Without votes a task has one annotation, which says the label and is nobody's."""

    head, tail = "[\n", "\n]\n"

    def text_of(self, items: Sequence[Item], *, is_first: bool) -> str:
        text = ",\n".join(as_json(self._task(item)) for item in items)
        return text if is_first or not items else f",\n{text}"

    def _task(self, item: Item) -> dict[str, Any]:
        values = {name: plain(value) for name, value in item.values.items()}
        votes = (item.votes if self.layout.has_votes else ()) or [{"label": item.values["label"]}]
        return {"data": {**values, **item.payload}, "annotations": [self._annotation(vote) for vote in votes]}

    def _annotation(self, vote: Mapping[str, Any]) -> dict[str, Any]:
        result = self.layout.interface.result_of(str(vote["label"]))
        if meta := {name: plain(vote[name]) for name in ("rater", "annotated_at") if vote.get(name)}:
            result = [{**part, "meta": meta} for part in result]
        # Imported as ground truth unless it is said that it is not.
        return {"result": result, "ground_truth": False, "was_cancelled": False, "lead_time": vote.get("seconds")}
