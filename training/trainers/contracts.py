"""What a trainer takes and what comes of it: labelled texts, somebody who watches, an artefact. No torch here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar


@dataclass(frozen=True)
class Labelled:
    """Texts and the index of each one's label."""

    texts: Sequence[str]
    labels: Sequence[int]

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def tells_apart(self) -> bool:
        """Whether there is anything to learn: two labels at least."""
        return len(set(self.labels)) > 1


@dataclass(frozen=True)
class Ticked:
    """Texts and, of each, 1 or 0 for every choice: whether it holds. Any number of them may."""

    texts: Sequence[str]
    labels: Sequence[tuple[int, ...]]

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def tells_apart(self) -> bool:
        """Whether there is anything to learn: a choice that holds of some texts and not of others."""
        return any(len(set(column)) > 1 for column in zip(*self.labels, strict=True))


Rows = TypeVar("Rows", Labelled, Ticked)


@dataclass(frozen=True)
class Fitted:
    """A finished artefact, and what was measured and settled while it was made.

    `locales`: what it learnt to work in.
    """

    artifact_hash: str
    base_hash: str
    method: str
    figures: Mapping[str, Any]
    locales: Sequence[str] = ()
    licence: str = ""


class Watch(Protocol):
    """Told how far a trainer is. What it raises ends the training: the lease is lost, or somebody cancelled."""

    def __call__(self, done: int, of: int, figures: Mapping[str, float]) -> None:
        """`figures` are what was measured at this step: `loss`, `eval_loss`, `eval_accuracy` …"""


def unwatched(done: int, of: int, figures: Mapping[str, float]) -> None:
    """Watch nothing."""
