"""Which part of a snapshot an example belongs to: by its product, once and for all, so that nothing leaks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal, TypeVar

T = TypeVar("T")
Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
# Changing the rule changes every split: it is recorded in the manifest and models split otherwise are not compared.
RULE = "sha256(split-1:group): test below 0.2, validation below 0.3, else train"
TEST_BELOW, VALIDATION_BELOW = 0.2, 0.3
# Of a validation part that is too small, every so many-th row of the training part stands in for it.
EVERY = 8


def split_of(group: str) -> Split:
    """Return the part that everything about `group`, a product, belongs to; the same on every machine and for ever."""
    draw = int.from_bytes(hashlib.sha256(f"split-1:{group}".encode()).digest()[:8]) / 2**64
    if draw < TEST_BELOW:
        return "test"
    return "validation" if draw < VALIDATION_BELOW else "train"


def held_out(train: Sequence[T], validation: Sequence[T], *, fewest: int) -> tuple[list[T], list[T]]:
    """Return a training and a validation part; with fewer than `fewest` to validate, an eighth of both together is set aside."""
    if len(validation) >= fewest:
        return list(train), list(validation)
    rows = [*train, *validation]
    return [row for i, row in enumerate(rows) if i % EVERY], [row for i, row in enumerate(rows) if not i % EVERY]
