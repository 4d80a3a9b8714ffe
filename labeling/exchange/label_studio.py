"""Labels as Label Studio's JSON: one array of tasks, each with its data and its annotations.

The format: https://labelstud.io/guide/task_format. What is written can be imported there: the answers are under the
names of the interface's own controls. Label Studio knows no pseudonyms and keeps no time of an imported annotation, so
both stand in the `meta` of the answer, which it keeps as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from core.exceptions import PermanentError
from core.source import Source
from labeling.exchange.rows import Item, Reading, Row, as_json, as_text, plain, raw_of
from labeling.exchange.text_writer import TextWriter
from labeling.label_config import by_control

MAX_TASK_BYTES = 64 * 1024 * 1024


@contextmanager
def read(path: Path) -> Iterator[Reading]:
    """Open an export of tasks. A row is an annotation: the task's data, and the answer under the control's name.

    Beside them are `rater`, `annotated_at` and `seconds`. Raises `PermanentError` when the file is no array.
    """
    with Source(path) as source:
        beginning = next(source.lines()).text.lstrip()
        if not beginning.startswith("["):
            raise PermanentError(f"{path} is no array of tasks.", hint="Export from Label Studio as JSON.")
        source.stream.seek(3 if _has_mark(source) else 0)
        yield Reading(_rows(source.stream), lambda: source.share_read)


def _has_mark(source: Source) -> bool:
    source.stream.seek(0)
    return source.stream.read(3) == b"\xef\xbb\xbf"


class _Bounded:
    """A stream that gives up when one task takes more than `MAX_TASK_BYTES`."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.since = stream, 0

    def read(self, size: int) -> bytes:
        self.since += size
        if self.since > MAX_TASK_BYTES:
            raise ValueError(f"it is longer than {MAX_TASK_BYTES:,} bytes")
        return self.stream.read(size)


def _rows(stream: BinaryIO) -> Iterator[Row]:
    import ijson  # a part of the workers' and the commands' work, not of the web's

    number, bounded = 0, _Bounded(stream)
    try:
        for number, task in enumerate(ijson.items(bounded, "item", use_float=True), 1):
            bounded.since = 0
            yield from _annotations(number, task)
    except (ijson.JSONError, ValueError) as exc:
        # There is no way to tell where the next task would begin.
        yield Row(number + 1, error=f"from this task on the file cannot be read: {exc}")


def _annotations(number: int, task: Any) -> Iterator[Row]:
    raw = raw_of(task)
    if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
        yield Row(number, error="it is no task with data", raw=raw)
        return
    annotations = task.get("annotations") or []
    if not isinstance(annotations, list) or not annotations:
        yield Row(number, error="nobody has answered this task", raw=raw)
        return
    for annotation in annotations:
        try:
            yield Row(number, {**task["data"], **_answer(annotation)}, raw=raw)
        except (ValueError, PermanentError) as exc:
            yield Row(number, error=str(exc), raw=raw)


def _answer(annotation: Any) -> dict[str, Any]:
    if not isinstance(annotation, dict) or not isinstance(annotation.get("result"), list):
        raise ValueError("an annotation has no result")
    if annotation.get("was_cancelled"):
        raise ValueError("who got this task skipped it")
    result = annotation["result"]
    if not all(isinstance(part, dict) for part in result):
        raise ValueError("an annotation has a result that is no list of objects")
    answer: dict[str, Any] = {}
    for name, value in by_control(result).items():
        answer[name] = next((value[kind] for kind in ("choices", "text", "rating", "number") if kind in value), None)
    meta: dict[str, Any] = next((part["meta"] for part in result if isinstance(part.get("meta"), dict)), {})
    changed_by = annotation.get("updated_by")
    # Who changed an answer last, theirs it is; before that, who gave it, by the pseudonym that we sent along.
    meta = {} if changed_by else meta
    return {
        **answer,
        "rater": _person(changed_by) or as_text(meta.get("rater")) or _person(annotation.get("completed_by")),
        "annotated_at": meta.get("annotated_at") or annotation.get("updated_at") or annotation.get("created_at"),
        "seconds": annotation.get("lead_time"),
    }


def _person(account: Any) -> str:
    if isinstance(account, dict):
        account = account.get("email") or account.get("id")
    return as_text(account)


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
