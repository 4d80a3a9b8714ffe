"""Which part of a snapshot an example belongs to: by its product, once and for all, so that nothing leaks."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, Protocol, TypeVar


class Grouped(Protocol):
    """What is about something that must not be split: a product."""

    @property
    def group(self) -> str: ...


T = TypeVar("T", bound=Grouped)
Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
# Changing the rule changes every split: it is recorded in the manifest and models split otherwise are not compared.
RULE = "sha256(split-1:group): test below 0.2, validation below 0.3, else train"
TEST_BELOW, VALIDATION_BELOW = 0.2, 0.3
# For a validation part that is too small one row in so many stands in.
SHARE = 8


def split_of(group: str) -> Split:
    """Return the part that everything about `group`, a product, belongs to; the same on every machine and for ever."""
    draw = _draw("split-1", group)
    if draw < TEST_BELOW:
        return "test"
    return "validation" if draw < VALIDATION_BELOW else "train"


def first_drawn(groups: Iterable[str]) -> str:
    """Return which of `groups` stands for all of them: that of the lowest draw, so what was in the test part stays there."""
    return min(groups, key=lambda group: (_draw("split-1", group), group))


def held_out(train: Sequence[T], validation: Sequence[T], *, fewest: int) -> tuple[list[T], list[T]]:
    """Return a training and a validation part; with fewer than `fewest` to validate, an eighth of both together is set aside.

    Whole groups, by a draw of their own that is the same on every machine, as many as fit into the eighth; the smallest
    where none fits. Of a single group every eighth row is set aside: there is nothing else to leak from.
    """
    if len(validation) >= fewest:
        return list(train), list(validation)
    rows = [*train, *validation]
    sizes = Counter(row.group for row in rows)
    if len(sizes) < 2:
        return [row for i, row in enumerate(rows) if i % SHARE], [row for i, row in enumerate(rows) if not i % SHARE]
    aside, left = set[str](), math.ceil(len(rows) / SHARE)
    for group in sorted(sizes, key=lambda group: _draw("held-out-1", group)):
        if sizes[group] <= left:
            aside.add(group)
            left -= sizes[group]
    aside = aside or {min(sizes, key=lambda group: (sizes[group], _draw("held-out-1", group)))}
    return [row for row in rows if row.group not in aside], [row for row in rows if row.group in aside]


def _draw(lot: str, group: str) -> float:
    """Return a number from 0 to 1 that hangs on `lot` and `group` alone."""
    return int.from_bytes(hashlib.sha256(f"{lot}:{group}".encode()).digest()[:8]) / 2**64
