"""What people said, as examples to learn from, and what is left out with the reason.

Nothing is stored here: a snapshot asks for examples when it freezes them, so what was erased or is in doubt by then is
not among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from labeling.examples import CONFLICT, DUPLICATE, OPEN_ISSUE, Example, Excluded
from labeling.question import question
from questions.copy_verdict import examples as copy_examples
from training.models.datasets import Task


def collect(task: str) -> Iterator[Example | Excluded]:
    """Yield everything that was learnt about `task`, in the order of its subjects. Equal texts come once."""
    seen: set[str] = set()
    found = sorted(_learnt(task), key=lambda item: item.subject)
    contested = _contested(found)
    certain = {item.key() for item in found if isinstance(item, Example) and not item.is_doubted}
    for item in found:
        if isinstance(item, Excluded):
            yield item
            continue
        key = item.key()
        if item.is_doubted and key in certain:
            yield Excluded(item.subject, OPEN_ISSUE)
        elif key in contested:
            yield Excluded(item.subject, CONFLICT)
        elif key in seen:
            yield Excluded(item.subject, DUPLICATE)
        else:
            seen.add(key)
            yield item


def _learnt(task: str) -> Iterable[Example | Excluded]:
    if task == Task.COPY:
        return copy_examples.copy()
    return copy_examples.preferences() if task == Task.PREFERENCE else question(task).examples()


def _contested(found: Iterable[Example | Excluded]) -> set[str]:
    """Return the keys of equal texts that were labelled differently: one of the labels is wrong,
    and nobody knows which.
    """
    labels: dict[str, set[Any]] = {}
    for item in found:
        if isinstance(item, Example) and "label" in item.fields and not item.is_doubted:
            labels.setdefault(item.key(), set()).add(item.fields["label"])
    return {key for key, seen in labels.items() if len(seen) > 1}
