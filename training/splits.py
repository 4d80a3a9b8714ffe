"""Which part of a snapshot an example belongs to: by its product, so that nothing leaks, with its share of labels."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
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
RULE = (
    "sha256(split-1:group): test below 0.2, validation below 0.3, else train; "
    "of a label with less than 0.2 and fewer than 100 to test the next groups are tested on, too"
)
TEST_BELOW, VALIDATION_BELOW = 0.2, 0.3
# A label with so many texts to test by has enough to be judged by; it need not have its whole share.
ENOUGH = 100
# For a validation part that is too small one row in so many stands in.
SHARE = 8


def assign(rows: Iterable[tuple[str, str]]) -> dict[str, Split]:
    """Return the part of each group, of rows of (group, label): by its lot, and each label with its share of the test
    part.

    Of a label that has less than a fifth of its rows in the test part the groups with the next lots come there too,
    whole; the first of them would have been the validation part's. Of a label that several groups have one is left to
    learn from. Rows without a label ask for nothing. A label that is not short, or has ENOUGH, leaves everything to the
    lots, so few groups ever move.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for group, label in rows:
        counts[group][label] += 1
    groups_of: dict[str, list[str]] = defaultdict(list)
    for group in sorted(counts, key=lambda group: (_draw("split-1", group), group)):
        for label in filter(None, counts[group]):
            groups_of[label].append(group)
    having = {label: groups for label, groups in groups_of.items() if len(groups) > 1}
    learnt = {groups[-1] for groups in having.values()}
    parts = {group: split_of(group) for group in counts}
    parts |= {group: "train" for group in learnt if parts[group] == "test"}  # all that have the label would be there
    totals = {label: sum(counts[group][label] for group in groups) for label, groups in having.items()}
    for label in sorted(having, key=lambda label: (totals[label], label)):  # the rarest asks first
        missing = max(1, min(ENOUGH, math.floor(TEST_BELOW * totals[label])))
        missing -= sum(counts[group][label] for group in having[label] if parts[group] == "test")
        for group in having[label]:
            if missing > 0 and parts[group] != "test" and group not in learnt:
                parts[group] = "test"
                missing -= counts[group][label]
    return parts


def split_of(group: str) -> Split:
    """Return the part that the lot of `group`, a product, falls into; the same on every machine and for ever."""
    draw = _draw("split-1", group)
    if draw < TEST_BELOW:
        return "test"
    return "validation" if draw < VALIDATION_BELOW else "train"


def first_drawn(groups: Iterable[str]) -> str:
    """Return which of `groups` stands for all of them: that of the lowest draw,
    so what was in the test part stays there.
    """
    return min(groups, key=lambda group: (_draw("split-1", group), group))


def held_out(train: Sequence[T], validation: Sequence[T], *, fewest: int) -> tuple[list[T], list[T]]:
    """Return a training and a validation part; with fewer than `fewest` to validate, an eighth of both together is set
    aside.

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
