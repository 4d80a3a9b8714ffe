"""Which example is learnt from, which is tested on: near copies stay together, what people gave is tested first."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from django.conf import settings

from labeling import examples
from labeling.examples import Example, Excluded
from labeling.question import question
from training import near_copies, several
from training.models.datasets import Task
from training.splits import SPLITS, Split, assign

# From so many test texts on that were labelled without a suggestion, these alone are the test part.
FEWEST_BLIND = 200
LEARNT: tuple[Split, ...] = ("train", "validation")


class HasText(Protocol):
    """An example, or a line of a snapshot."""

    @property
    def subject(self) -> str:
        """What it is about, a reference."""

    @property
    def text(self) -> str:
        """What a model reads."""


AnyRow = TypeVar("AnyRow", bound=HasText)


def labels_of(task: str) -> list[str]:
    """Return the labels of a classification task, in their order; nothing for a task that writes."""
    return [] if task in Task.values else list(question(task).labels)


def copies_from(task: str) -> float | None:
    """Return from how much in common two texts of `task` are near copies; None for a task that writes.

    Drafts about the variants of a product all repeat its facts: of these the same text alone is one. A task that writes
    is grouped by product: each prompt is another.
    """
    return None if task in Task.values else question(task).copies_from


def split(
    task: str, found: Sequence[Example | Excluded]
) -> tuple[dict[Split, list[Example]], list[Excluded], dict[str, Any] | None]:
    """Return what of `found` (`curation.collect`) is in each part, what is in none with the reason,
    and the closest pair.
    """
    parts: dict[Split, list[Example]] = {part: [] for part in SPLITS}
    excluded = [item for item in found if isinstance(item, Excluded)]
    rows = _grouped(task, [item for item in found if isinstance(item, Example)])
    has_labels = bool(labels_of(task))
    counted = (several.counted(task, str(row.fields["label"])) if has_labels else [""] for row in rows)
    part_of = assign((row.group, label) for row, labels in zip(rows, counted, strict=True) for label in labels)
    for row in rows:
        parts[part_of[row.group]].append(row)
    for fewest, reason, is_kept in _PREFERRED:
        kept = [row for row in parts["test"] if is_kept(row)]
        if len(kept) >= fewest():
            excluded += _leave_out(parts, ("test",), reason, {row.subject for row in parts["test"] if not is_kept(row)})
    doubted = {row.subject for part in LEARNT for row in parts[part] if row.is_doubted}
    excluded += _leave_out(parts, LEARNT, examples.OPEN_ISSUE, doubted)
    # Near copies in groups that could not be put together: the test part keeps its own, as it is the smaller one.
    copies, closest = crossing(task, *sides(parts))
    while copies:
        excluded += _leave_out(parts, LEARNT, examples.NEAR_COPY, copies)
        copies, closest = crossing(task, *sides(parts))
    return parts, sorted(excluded, key=lambda row: row.subject), closest


# What the test part is to hold alone once there is enough of it: how many, why the rest is left out, and which it is.
_PREFERRED: Sequence[tuple[Callable[[], int], str, Callable[[Example], bool]]] = (
    (lambda: settings.TRAINING.gate["min_test"], examples.STATED, lambda row: not row.is_stated),
    (lambda: FEWEST_BLIND, examples.ASSISTED, lambda row: bool(row.is_blind)),
)


def _leave_out(
    parts: dict[Split, list[Example]], of: Sequence[Split], reason: str, subjects: Collection[str]
) -> list[Excluded]:
    """Take `subjects` out of the parts `of`, and return them with the reason."""
    for part in of:
        parts[part] = [row for row in parts[part] if row.subject not in subjects]
    return [Excluded(subject, reason) for subject in subjects]


def _grouped(task: str, rows: Sequence[Example]) -> list[Example]:
    """Return `rows` with the group that near copies make of their products."""
    alike = copies_from(task)
    if alike is None:
        return list(rows)
    texts, products = [row.text for row in rows], [row.group for row in rows]
    groups = near_copies.grouped(texts, products, alike=alike)
    return [replace(row, group=group) for row, group in zip(rows, groups, strict=True)]


def sides(parts: Mapping[Split, Sequence[AnyRow]]) -> tuple[list[AnyRow], list[AnyRow]]:
    """Return what is learnt from, and what is tested on."""
    return [row for part in LEARNT for row in parts[part]], list(parts["test"])


def closest(task: str, parts: Mapping[Split, Sequence[AnyRow]]) -> dict[str, Any] | None:
    """Return the closest pair of a text that is learnt from and one that is tested on; None where no two were near.

    `similarity` is 0 to 1, rounded down, and to be `below` that; `learnt` and `tested` are the subjects.
    """
    return crossing(task, *sides(parts))[1]


def crossing(task: str, learnt: Sequence[AnyRow], tested: Sequence[AnyRow]) -> tuple[set[str], dict[str, Any] | None]:
    """Return the subjects learnt from whose texts are near copies of one tested on, and the closest pair of the two."""
    below = copies_from(task)
    if below is None:
        return set(), None
    found = near_copies.crossing([row.text for row in learnt], [row.text for row in tested], alike=below)
    copies, pair = {learnt[place].subject for place in found.learnt}, found.closest
    if pair is None:
        return copies, None
    similarity = math.floor(1000 * pair.similarity) / 1000
    of = {"learnt": learnt[pair.learnt].subject, "tested": tested[pair.tested].subject}
    return copies, {"similarity": similarity, "below": below, **of}
