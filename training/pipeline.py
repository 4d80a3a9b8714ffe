"""One run of training from its plan to the gate, in the background: freeze, fit, register, measure, judge.

Every stage leaves what it made, so a run whose worker died goes on from there: the snapshot in the database, finished
parts and checkpoints in the run's folder, the version in the registry.
"""

from __future__ import annotations

import contextlib
import logging
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core import leases
from core.actors import SystemActor
from core.exceptions import LeaseLost, PermanentError
from inference import resolver
from inference.models import ModelVersion
from training import recipes, registry, runs, several, snapshots
from training.curation import role_of
from training.models import EvaluationReport, TrainingRun
from training.models.datasets import Task
from training.trainers.contracts import Fitted
from training.work import Tell, Work

log = logging.getLogger(__name__)
TRAINER = SystemActor("training.pipeline")
Status = TrainingRun.Status


def run_next(only: TrainingRun | None = None) -> bool:
    """Claim one run that waits, or whose worker died, or that one alone, and work it to its end.

    Returns whether there was one.

    A run that fails is tried again after a rest, from its last checkpoint; after too many failures it has failed.
    """
    run = runs.claim(only)
    if run is None:
        _tidy()
        return False
    try:
        # What says nothing for long, a large evaluation, keeps its lease too.
        with leases.heartbeat([run], duration=runs.patience(), longest=runs.longest()):
            _work(run)
    except leases.DATABASE_AWAY:
        raise
    except runs.Cancelled:
        runs.end(run, Status.CANCELLED, actor=TRAINER)
    except LeaseLost:
        log.warning("the run %s was taken over by another worker", run.pk)
    except PermanentError as exc:
        runs.end(run, Status.FAILED, actor=TRAINER, error=str(exc))
    except Exception as exc:
        log.exception("the run %s failed", run.pk)
        runs.retry_or_fail(run, error=f"{type(exc).__name__}: {exc}", actor=TRAINER)
    _tidy()
    return True


def _tidy() -> None:
    """Remove the checkpoints of runs that have ended, however they did: they are many times a model's size.

    TensorBoard's files stay.
    """
    # Looked for before it is asked who is at work: what another worker begins meanwhile is not among them.
    found = list(Path(str(settings.TRAINING["RUNS"])).glob("*/parts"))
    still = {str(pk) for pk in TrainingRun.objects.filter(status__in=runs.OPEN).values_list("pk", flat=True)}
    for folder in found:
        if folder.parent.name not in still:
            for events in folder.glob("*/runs"):
                with contextlib.suppress(OSError):  # another worker may tidy at the same time
                    shutil.copytree(events, folder.parent / "runs" / events.parent.name, dirs_exist_ok=True)
            shutil.rmtree(folder, ignore_errors=True)


def folder_of(run: TrainingRun) -> Path:
    """Return where a run keeps checkpoints and what trackers write."""
    return Path(str(settings.TRAINING["RUNS"])) / str(run.pk)


def _work(run: TrainingRun) -> None:
    """Resolve once, then fit, measure and judge; what the steps return is written here, and nowhere else."""
    work, trade = _resolve(run), pipeline_for(run.task)
    version = run.version or _register(run, work, trade.maker.fit(work, tell=_telling(run, trade.maker.STAGES)))
    # The very same weights, of the same snapshot, are the champion itself: there is nothing to compare.
    report = None if version == work.champion else _evaluate(run, work, version, trade.judge)
    with transaction.atomic():
        runs.hold(run)
        if report is not None:
            registry.promote_if_passed(report)
        runs.end(run, Status.SUCCEEDED, actor=TRAINER, verdict=report.verdict if report else "the champion itself")


class Trade(NamedTuple):
    """The module that fits the model of a task, and the one that measures and judges it.

    Each trade works its own way.
    """

    maker: Any
    judge: Any


def pipeline_for(task: str) -> Trade:
    """Return the modules that fit, and that measure and judge, the model of `task`."""
    if task == Task.COPY:
        from training import copywriters
        from training.evaluation import copy_runner

        return Trade(copywriters, copy_runner)
    from training import classifiers
    from training.evaluation import runner, several_runner

    return Trade(classifiers, several_runner if several.is_multiple(task) else runner)


def _resolve(run: TrainingRun) -> Work:
    """Return everything that the run works with, and note it in the run: a run that is resumed, or repeated,
    stays with it.
    """
    recipe, (maker, _) = recipes.parse(run.recipe, run.task), pipeline_for(run.task)
    if run.snapshot is None:
        runs.report_progress(run, "Freezing examples", 0, 1)
        runs.update_held(run, snapshot=snapshots.freeze(run.task, actor=TRAINER))
    if run.champion is None:
        runs.update_held(run, champion=resolver.find(role_of(run.task)))
    snapshot = run.snapshot
    assert snapshot is not None  # noqa: S101
    kept, base = _kept_from(run), None
    if run.version is None:
        # Aliases, folders and hub ids may move before a run is resumed, or repeated: it stays with what it began with.
        base = maker.base_of(recipe, champion=run.champion, pinned=run.environment.get("base", ""))
        began_with = {"base": base.artifact_hash, "kept_from": str(kept.pk) if kept else None}
        runs.update_held(run, environment={**run.environment, **_environment(), **began_with})
    parts = folder_of(run) / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    return Work(
        task=run.task,
        recipe=recipe,
        snapshot=snapshot,
        champion=run.champion,
        kept_from=kept,
        base=base,
        folder=parts,
        report_to=tuple(settings.TRAINING["TRACKERS"]),
        settled=run.environment.get(runs.SETTLED),
    )


def _telling(run: TrainingRun, stages: Mapping[str, str]) -> Tell:
    """Return what the fitting tells how far it is; it is said of the run, with the figures of a step."""

    def tell(part: str, done: int, of: int, figures: Mapping[str, float]) -> None:
        runs.report_progress(run, stages[part], done, of)
        if figures:
            runs.keep_figures(run, part, done, figures)

    return tell


def _register(run: TrainingRun, work: Work, fitted: Fitted) -> ModelVersion:
    with transaction.atomic():
        runs.hold(run)
        version = registry.register(
            role=role_of(work.task),
            name=f"{work.task} by {fitted.method}",
            backend=pipeline_for(work.task).maker.BACKEND,
            locales=fitted.locales,
            licence=fitted.licence,
            artifact_hash=fitted.artifact_hash,
            base_hash=fitted.base_hash,
            dataset_hash=work.snapshot.artifact_hash,
            source=f"training run {run.pk}",
            actor=TRAINER,
            card={"parts": fitted.figures, "recipe": run.recipe, "environment": run.environment},
        )
        runs.update_held(run, version=version)
    return version


def _kept_from(run: TrainingRun) -> ModelVersion | None:
    """Return whose part serves on where too little is labelled: who was champion when the run began,
    or the one that it repeats.
    """
    if "kept_from" in run.environment:
        return ModelVersion.objects.filter(pk=run.environment["kept_from"]).first()
    return run.champion


def _evaluate(run: TrainingRun, work: Work, version: ModelVersion, judge: Any) -> EvaluationReport:
    from training.evaluation import model_card, reports

    def tell(done: int, of: int) -> None:
        runs.report_progress(run, "Measuring it beside the champion", done, of)

    tell(0, 1)
    report = reports.evaluate(judge, version, work.snapshot, champion=work.champion, tell=tell)
    model_card.write(run, report)
    return report


def _environment() -> dict[str, Any]:
    import importlib.metadata

    import torch

    names = ("torch", "transformers", "peft", "trl", "scikit-learn", "numpy")
    return {
        "python": platform.python_version(),
        "device": torch.cuda.get_device_name(0) if torch.cuda.is_available() else "cpu",
        "started_at": timezone.now().isoformat(timespec="seconds"),
        **{name: importlib.metadata.version(name) for name in names},
    }
