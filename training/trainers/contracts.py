"""What a trainer takes and what comes of it: labelled texts, somebody who watches, a finished artefact. No torch here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Labelled:
    """Texts and the index of each one's label."""

    texts: Sequence[str]
    labels: Sequence[int]

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True)
class Fitted:
    """A finished artefact, and what was measured and settled while it was made. `locales`: what it learnt to work in."""

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
