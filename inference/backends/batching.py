"""Which prompts a causal model reads together, so that what it writes does not depend on who stands beside whom.

Sums in floating point depend on the order of their terms, and that on the shape of a matrix product. A row's shape is
therefore its own: the tokens that were read before it (its instruction and examples), and its rest, padded to a step of
`WIDTH`. Only rows that share both stand in one batch (He et al. 2025, "Defeating nondeterminism in LLM inference").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Tokens: the step to which the rest of a prompt is padded. Prompts of a channel differ by less than that, mostly.
WIDTH = 64


@dataclass(frozen=True)
class Shape:
    """What rows of one batch have in common: how they begin, and how wide the rest is, in tokens."""

    prefix: tuple[int, ...]
    width: int

    @classmethod
    def of(cls, row: Sequence[int], n_prefix: int) -> Shape:
        """Return the shape of a row of which `n_prefix` tokens are read beforehand.

        At least one token of padding stands in every row: without any, attention takes another way, and rounds
        otherwise.
        """
        return cls(tuple(row[:n_prefix]), ((len(row) - n_prefix) // WIDTH + 1) * WIDTH)

    @property
    def n_tokens(self) -> int:
        return len(self.prefix) + self.width


@dataclass(frozen=True)
class Batch:
    """Places of the prompts that are written together."""

    shape: Shape
    places: Sequence[int]

    def halves(self, *, step: int) -> list[Batch]:
        """Return it in two, the first of a multiple of `step` rows; itself where it has no more than that."""
        middle = -(-len(self.places) // (2 * step)) * step
        parts = (self.places[:middle], self.places[middle:])
        return [Batch(self.shape, part) for part in parts if part]


def plan(shapes: Sequence[Shape], *, size: int) -> list[Batch]:
    """Return batches of at most `size` rows of one shape each, the widest first, so that memory peaks early."""
    alike: dict[Shape, list[int]] = {}
    for place, shape in enumerate(shapes):
        alike.setdefault(shape, []).append(place)
    widest = sorted(alike.items(), key=lambda item: -item[0].n_tokens)
    return [
        Batch(shape, places[start : start + size]) for shape, places in widest for start in range(0, len(places), size)
    ]
