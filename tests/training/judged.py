"""Put a version before the gate as a run does, without a run: measured, judged, written down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inference.models import ModelVersion
from training import recipes, snapshots
from training.bases import Base
from training.evaluation import reports
from training.models import DatasetSnapshot, EvaluationReport
from training.roles import role_of
from training.work import Work


def work_on(
    snapshot: DatasetSnapshot,
    champion: ModelVersion | None,
    *,
    recipe: dict[str, Any] | None = None,
    base: Base | None = None,
    folder: Path | None = None,
) -> Work:
    """Return what a run on `snapshot` works with."""
    nothing = Path("nothing-is-fitted-here")
    return Work(
        task=snapshot.task,
        role=role_of(snapshot.task),
        recipe=recipes.parse(recipe or {}, snapshot.task),
        snapshot=snapshot,
        parts=snapshots.read_all(snapshot),
        champion=champion,
        kept_from=champion,
        base=base or Base(nothing, ""),
        folder=folder or nothing,
    )


def evaluate(
    judge: Any, version: ModelVersion, snapshot: DatasetSnapshot, *, champion: ModelVersion | None
) -> EvaluationReport:
    """Return the report on `version`, of the module that measures and judges the models of its task."""
    verdict, figures = judge.judge(judge.measure(work_on(snapshot, champion), version))
    return reports.write(
        version, snapshot, champion=champion, gate_version=judge.GATE_VERSION, verdict=verdict, figures=figures
    )
