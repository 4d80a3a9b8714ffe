"""What the steps of a training run hand on, frozen: the rows of a snapshot, and all that a run works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.models import ModelVersion
from training.bases import Base
from training.models import DatasetSnapshot
from training.recipes import CopyRecipe, Recipe
from training.splits import Split

# Hears of a part, how far it is, of how much, and the figures of that step.
Tell = Callable[[str, int, int, Mapping[str, float]], None]


# Hears how many texts were answered, of how many, by both models.
Counted = Callable[[int, int], None]


@dataclass(frozen=True)
class Row:
    """One line of a part: what a trainer or an evaluation reads."""

    subject: str
    group: str
    locale: str
    category: str
    fields: Mapping[str, Any]

    @property
    def text(self) -> str:
        return str(self.fields.get("text", ""))

    @property
    def label(self) -> str:
        return str(self.fields.get("label", ""))


Parts = Mapping[Split, Sequence[Row]]


@dataclass(frozen=True)
class Work:
    """The inputs of one run, resolved once before it begins.

    `role` is what the model of `task` is for; `parts` are the rows of `snapshot`, read and checked once. `champion` is
    what its model is measured against; `kept_from`, whose part serves on where too little is labelled. They differ in a
    run that repeats another. `settled` is what the parts of a run that is repeated came to. `folder` takes finished
    parts and checkpoints.
    """

    task: str
    role: str
    recipe: Recipe | CopyRecipe
    snapshot: DatasetSnapshot
    parts: Parts
    champion: ModelVersion | None
    kept_from: ModelVersion | None
    base: Base
    folder: Path
    report_to: Sequence[str] = ()
    settled: Mapping[str, Any] | None = None
