"""Who gets what in an experiment: a pure function of the design and the unit, the same on every machine for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

GRAIN: Final = 10_000  # a layer's traffic is dealt out in hundredths of a percent
_SPAN: Final = float(1 << 64)


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the things that are compared, with its share of the experiment's units."""

    name: str
    weight: float


@dataclass(frozen=True, slots=True)
class Design:
    """What assignment depends on: never the clock, never what was seen before.

    Experiments of one `layer` share its traffic and exclude one another: each has the units from `first` (of `GRAIN`)
    on, `share` of them. Those of different layers are assigned independently. A ramp raises `share` and leaves `first`,
    so whoever is in stays in, in the same arm.
    """

    salt: str
    layer: str
    first: int
    share: int
    arms: Sequence[Arm]

    def __post_init__(self) -> None:
        if not (self.first >= 0 and self.share >= 0 and self.first + self.share <= GRAIN):
            raise ValueError(f"a layer has {GRAIN} parts, not {self.first} and {self.share} more")
        if not self.arms or any(not arm.weight >= 0 for arm in self.arms) or not self.total > 0:
            raise ValueError("an experiment needs arms whose weights are 0 or more, and one above 0")

    @property
    def total(self) -> float:
        """The sum of the weights."""
        return sum(arm.weight for arm in self.arms)


def fraction(*parts: str) -> float:
    """Return where `parts` fall in [0, 1): uniform, and independent for other parts (SHA-256, the first 64 bits)."""
    text = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") / _SPAN


def assign(design: Design, unit: str) -> Arm | None:
    """Return the arm that `unit` (a shopper's or a session's pseudonym) has, None where it is not in the experiment."""
    place = int(fraction("layer", design.layer, unit) * GRAIN)
    if not design.first <= place < design.first + design.share:
        return None
    left = fraction("arm", design.salt, unit) * design.total
    for arm in design.arms:
        left -= arm.weight
        if left < 0:
            return arm
    return max(design.arms, key=lambda arm: arm.weight)  # rounding left nothing for the last one


def is_held_out(unit: str, *, share: float, salt: str = "holdout") -> bool:
    """Return whether `unit` belongs to the part of all shoppers, `share` of them, to whom nothing new is shown."""
    return fraction("holdout", salt, unit) < share
