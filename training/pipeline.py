"""One run of training from its plan to the promotion: freeze, fit, measure, judge, register, promote.

Every stage leaves what it made, so a run whose worker died goes on from there: the snapshot in the database, finished
parts and checkpoints in the run's folder. The version, its report, the alias and the end of the run are written at
once.
"""

from __future__ import annotations

import contextlib
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core import jobs
from core.actors import SystemActor
from core.exceptions import PermanentError
from inference import prompts, resolver
from inference.models import ModelVersion, Role
from labeling.question import question
from training import recipes, registry, runs, snapshots
from training.models import TrainingRun
from training.models.datasets import Task
from training.roles import role_of
from training.trainers.contracts import Fitted
from training.work import Tell, Work

if TYPE_CHECKING:
    from training.evaluation.gate import Verdict

TRAINER = SystemActor("training.pipeline")
Status = TrainingRun.Status
MEASURING = "Measuring it beside the champion"


def run_next(only: TrainingRun | None = None) -> bool:
    """Claim one run that waits, or whose worker died, or that one alone, and work it to its end.

    Returns whether there was one.

    A run that fails is tried again after a rest, from its last checkpoint; after too many failures it has failed.
    """
    run = runs.claim(only)
    if run is None:
        _tidy()
        return False
    jobs.work_on(run, _work_until_wanted, longest=runs.longest(), on_failure=runs.retry_or_fail)
    _tidy()
    return True


def _tidy() -> None:
    """Remove the checkpoints of runs that have ended, however they did: they are many times a model's size.

    TensorBoard's files stay.
    """
    # Looked for before it is asked who is at work: what another worker begins meanwhile is not among them.
    found = list(settings.TRAINING.runs.glob("*/parts"))
    still = {str(pk) for pk in TrainingRun.objects.filter(status__in=runs.OPEN).values_list("pk", flat=True)}
    for folder in found:
        if folder.parent.name not in still:
            for events in folder.glob("*/runs"):
                with contextlib.suppress(OSError):  # another worker may tidy at the same time
                    shutil.copytree(events, folder.parent / "runs" / events.parent.name, dirs_exist_ok=True)
            shutil.rmtree(folder, ignore_errors=True)


def folder_of(run: TrainingRun) -> Path:
    """Return where a run keeps checkpoints and what trackers write."""
    return settings.TRAINING.runs / str(run.pk)


def _work_until_wanted(run: TrainingRun) -> None:
    """Work a run to its end; one that nobody wants any more, or that no second attempt would help, ends at once."""
    try:
        _work(run)
    except runs.Cancelled:
        runs.end(run, Status.CANCELLED, actor=TRAINER)
    except PermanentError as exc:
        runs.end(run, Status.FAILED, actor=TRAINER, error=str(exc))


def _work(run: TrainingRun) -> None:
    """Resolve once; fit, measure and judge, which writes no row; then write down all that came of it at once."""
    trade = pipeline_for(run.task)
    work = _resolve(run, trade)
    fitted = trade.maker.fit(work, tell=_telling(run, trade.maker.STAGES))
    version = _described(run, work, fitted)
    # The very same weights, of the same snapshot, are the champion itself: there is nothing to compare.
    if work.champion is not None and version.is_same_model(work.champion):
        _conclude(run, work, version)
        return
    runs.report_progress(run, MEASURING, 0, 1)
    measured = trade.judge.measure(work, version, tell=lambda done, of: runs.report_progress(run, MEASURING, done, of))
    verdict, figures = trade.judge.judge(measured)
    _conclude(run, work, version, Judged(trade.judge.GATE_VERSION, verdict, figures))


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

    return Trade(classifiers, several_runner if question(task).is_multiple else runner)


def _resolve(run: TrainingRun, trade: Trade) -> Work:
    """Return everything that the run works with, and note it in the run: a run that is resumed, or repeated,
    stays with it.
    """
    recipe = recipes.parse(run.recipe, run.task)
    if run.snapshot is None:
        runs.report_progress(run, "Freezing examples", 0, 1)
        jobs.update_held(run, snapshot=snapshots.freeze(run.task, actor=TRAINER))
    snapshot = run.snapshot
    assert snapshot is not None  # noqa: S101
    role = role_of(run.task)
    champion = run.champion or resolver.find(role)
    kept = _kept_from(run, champion)
    # Aliases, folders and hub ids may move before a run is resumed, or repeated: it stays with what it began with.
    base = trade.maker.base_of(recipe, champion=champion, pinned=run.environment.get("base", ""))
    began_with = {"base": base.artifact_hash, "kept_from": str(kept.pk) if kept else None}
    jobs.update_held(run, champion=champion, environment={**run.environment, **_environment(), **began_with})
    parts = folder_of(run) / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    return Work(
        task=run.task,
        role=role,
        recipe=recipe,
        snapshot=snapshot,
        parts=snapshots.read_all(snapshot),
        champion=champion,
        kept_from=kept,
        base=base,
        folder=parts,
        report_to=tuple(settings.TRAINING.trackers),
        settled=run.environment.get(runs.SETTLED),
    )


def _telling(run: TrainingRun, stages: Mapping[str, str]) -> Tell:
    """Return what the fitting tells how far it is; it is said of the run, with the figures of a step."""

    def tell(part: str, done: int, of: int, figures: Mapping[str, float]) -> None:
        runs.report_progress(run, stages[part], done, of)
        if figures:
            runs.keep_figures(run, part, done, figures)

    return tell


def _asked_as_it_learnt(work: Work) -> dict[str, str]:
    """Return the option that has a copywriter asked with the prompt of its snapshot; none for that with examples."""
    known = str(work.snapshot.manifest.get("prompt", ""))
    is_short = work.role == Role.COPYWRITER and known == prompts.SHORT_PROMPT_VERSION
    return {"prompt": known} if is_short else {}


def _described(run: TrainingRun, work: Work, fitted: Fitted) -> ModelVersion:
    """Return the version that was fitted, as it is measured and registered; no row says anything of it yet."""
    return ModelVersion(
        role=work.role,
        number=0,
        name=f"{work.task} by {fitted.method}",
        backend=pipeline_for(work.task).maker.BACKEND,
        locales=list(fitted.locales),
        options=_asked_as_it_learnt(work),
        licence=fitted.licence,
        artifact_hash=fitted.artifact_hash,
        base_hash=fitted.base_hash,
        dataset_hash=work.snapshot.artifact_hash,
        source=f"training run {run.pk}",
        card={"parts": fitted.figures, "recipe": run.recipe, "environment": run.environment},
    )


class Judged(NamedTuple):
    """What the gate said of a version, and the figures for its report."""

    gate_version: str
    verdict: Verdict
    figures: Mapping[str, Any]


def _conclude(run: TrainingRun, work: Work, version: ModelVersion, judged: Judged | None = None) -> None:
    """Register `version`, record what was judged of it, let it in where that says so, and end the run: all or nothing.

    None: it is the champion itself.
    """
    from training.evaluation import model_card, reports

    with transaction.atomic():
        runs.hold(run)
        version = registry.register(version, actor=TRAINER)
        jobs.update_held(run, version=version)
        verdict = "the champion itself"
        if judged is not None:
            report = reports.write(version, work.snapshot, champion=work.champion, **judged._asdict())
            model_card.write(run, report)
            registry.promote_if_passed(report)
            verdict = report.verdict
        runs.end(run, Status.SUCCEEDED, actor=TRAINER, verdict=verdict)


def _kept_from(run: TrainingRun, champion: ModelVersion | None) -> ModelVersion | None:
    """Return whose part serves on where too little is labelled: who was champion when the run began,
    or the one that it repeats.
    """
    if "kept_from" in run.environment:
        return ModelVersion.objects.filter(pk=run.environment["kept_from"]).first()
    return champion


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
