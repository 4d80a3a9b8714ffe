"""What a training run works with, resolved once before it begins; steps read it, and none writes to the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.models import ModelVersion
from training.bases import Base
from training.models import DatasetSnapshot
from training.recipes import CopyRecipe, Recipe

# Hears of a part, how far it is, of how much, and the figures of that step.
Tell = Callable[[str, int, int, Mapping[str, float]], None]


@dataclass(frozen=True)
class Work:
    """The inputs of one run.

    `champion` is what its model is measured against; `kept_from`, whose part serves on where too little is labelled.
    They differ in a run that repeats another. `base` is None once the model was made. `settled` is what the parts of a
    run that is repeated came to. `folder` takes finished parts and checkpoints.
    """

    task: str
    recipe: Recipe | CopyRecipe
    snapshot: DatasetSnapshot
    champion: ModelVersion | None
    kept_from: ModelVersion | None
    base: Base | None
    folder: Path
    report_to: Sequence[str] = ()
    settled: Mapping[str, Any] | None = None
