"""The life of a training run: planned, claimed, told about, cancelled, ended. One open run for each task."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from audit import ledger
from core import jobs, leases
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError, StaleState
from core.hints import hint_on_commit
from core.refs import ref
from labeling.question import answered_by_models, is_known, question
from training import recipes
from training.models import TrainingRun
from training.models.datasets import Task

if TYPE_CHECKING:
    from django.contrib.auth.models import User

KEEPER = SystemActor("training.runs")
Status, Trigger = TrainingRun.Status, TrainingRun.Trigger
OPEN = (Status.PLANNED, Status.RUNNING)
# So many figures are kept of a run; further ones thin out what is there.
MOST_FIGURES = 600
EVALUATED = "eval_loss"
# Where the environment of a run that repeats another names that one, and keeps what its parts came to: defaults may
# change.
REPEATS, SETTLED = "repeats", "settled"


def longest() -> dt.timedelta:
    """Return for how long a run may work at a stretch."""
    return dt.timedelta(minutes=settings.TRAINING.longest_run_minutes)


class Cancelled(Exception):
    """Somebody asked for the run to end."""


def plan(
    task: str,
    *,
    reason: str,
    actor: User | SystemActor,
    recipe: Mapping[str, Any] | None = None,
    trigger: str = Trigger.HAND,
    like: TrainingRun | None = None,
) -> tuple[TrainingRun, bool]:
    """Ask for a run and return it, and whether it is new: of each task at most one is open, and that is returned then.

    With `like`, a run of the same task, the run uses the recipe, the base, the kept parts and the very snapshot of that
    one; it is measured against the champion of now. Raises `PermanentError` for a recipe that cannot be followed, or a
    `like` that froze nothing; `PermissionDenied` without `training.train_model`.
    """
    require_permission(actor, "training.train_model")
    if is_known(task) and not question(task).is_readable:
        raise PermanentError(f"No model reads a {question(task).about}: people alone answer {task}.")
    if task not in trained():
        raise PermanentError(f"nothing is trained for the task {task!r}", hint=f"Known: {', '.join(trained())}.")
    if like is not None and like.task != task:
        raise PermanentError(
            f"that run was for {like.task}, not for {task}", hint="Leave the task out: it is that run's."
        )
    if like is not None and like.snapshot is None:
        raise PermanentError(
            "that run ended before its examples were frozen: there is no snapshot to repeat it on",
            hint=f"Start one on the labels of now: `manage.py train {task} --set …` with the same recipe.",
        )
    asked = recipes.parse(dict(like.recipe) if like else {**_defaults(task), **(recipe or {})}, task)
    with transaction.atomic():
        run, is_new = TrainingRun.objects.get_or_create(
            task=task,
            status__in=OPEN,
            defaults={
                "status": Status.PLANNED,
                "trigger": trigger,
                "reason": reason[:200],
                "recipe": asked.model_dump(),
                "snapshot": like.snapshot if like else None,
                "champion": None,
                "environment": _began_with(like) if like else {},
                "requested_by": None if isinstance(actor, SystemActor) else actor,
            },
        )
        if is_new:
            ledger.append(
                "training.run.planned",
                subject=ref(run),
                actor=actor,
                payload={"task": task, "trigger": str(trigger), "reason": ledger.typed(reason[:200], by=actor)},
            )
            hint_on_commit("training.train")
    return run, is_new


def _began_with(like: TrainingRun) -> dict[str, Any]:
    """Return what a run that repeats `like` takes over from it: what `training.pipeline` noted when it began to fit,
    and came to.
    """
    kept = {name: like.environment[name] for name in ("base", "kept_from", SETTLED) if name in like.environment}
    if like.version is not None:
        parts = like.version.card.get("parts", {})
        kept[SETTLED] = {name: part["recipe"] for name, part in parts.items() if "recipe" in part}
    return {**kept, REPEATS: str(like.pk)}


def _defaults(task: str) -> Mapping[str, Any]:
    """Return what a question says of the recipe for its models."""
    return {} if task == Task.COPY else question(task).recipe


def trained() -> list[str]:
    """Return what the pipeline can train: each question that a model answers, and who writes copy."""
    return [*(one.name for one in answered_by_models()), str(Task.COPY)]


def claim(only: TrainingRun | None = None) -> TrainingRun | None:
    """Lease the oldest run that waits or whose worker died, or that one alone; None when there is none.

    Mark it as running.
    """
    mine = {} if only is None else {"pk": only.pk}
    waiting = leases.claimable(TrainingRun.objects.filter(status__in=OPEN, **mine)).order_by("created_at", "pk")
    claimed = leases.claim(waiting, n=1, duration=jobs.patience())
    if not claimed:
        _give_up_on_spent()
        return None
    run = TrainingRun.objects.select_related("snapshot", "champion", "version").get(pk=claimed[0].pk)
    run.claimed_at = timezone.now()
    jobs.update_held(run, status=Status.RUNNING, started_at=run.started_at or run.claimed_at)
    return run


def _give_up_on_spent() -> None:
    """End runs that were tried too often: each time their worker died. One of them would block its task for ever."""
    with transaction.atomic():
        spent = TrainingRun.objects.select_for_update(no_key=True).filter(status__in=OPEN).exclude(quarantined_at=None)
        for run in spent:
            TrainingRun.objects.filter(pk=run.pk).update(status=Status.FAILED, finished_at=Now(), quarantined_at=None)
            ledger.append(
                "training.run.ended",
                subject=ref(run),
                actor=KEEPER,
                payload={"task": run.task, "status": str(Status.FAILED), "verdict": ""},
            )


def report_progress(run: TrainingRun, stage: str, done: int, of: int) -> None:
    """Note how far a run is.

    Raises `Cancelled` when somebody asked for its end, `PermanentError` when it takes too long, `LeaseLost` as
    `jobs.update_held`.
    """
    _require_wanted(run)
    if run.claimed_at and timezone.now() - run.claimed_at > longest():
        raise PermanentError(
            f"it took longer than {settings.TRAINING.longest_run_minutes} minutes",
            hint="Ask for fewer epochs, or raise TRAINING_LONGEST_RUN_MINUTES.",
        )
    jobs.report_progress(run, stage, done, of)


def hold(run: TrainingRun) -> None:
    """Lock a run that is ours, inside the transaction in which something comes of it; who cancels it meanwhile comes
    too late.

    Raises `Cancelled` when somebody asked for its end before, `LeaseLost` as `jobs.update_held`.
    """
    leases.hold(run)
    _require_wanted(run)


def _require_wanted(run: TrainingRun) -> None:
    if TrainingRun.objects.filter(pk=run.pk).exclude(cancel_requested_at=None).exists():
        raise Cancelled


def keep_figures(run: TrainingRun, part: str, step: int, figures: Mapping[str, float]) -> None:
    """Add figures of a step to the run's history; those of a step that is done again replace it.

    An evaluation further on than any before, with the checkpoint that it is made for, takes back the attempts: what
    gets on is not what kills its worker, however often a deploy ends it.
    """
    furthest = max((row[1] for row in run.history if row[0] == part and row[2] == EVALUATED), default=-1)
    attempts = {"n_attempts": 1, "n_losses": 0} if EVALUATED in figures and step > furthest else {}
    kept = [row for row in run.history if not (row[0] == part and row[1] >= step and row[2] in figures)]
    kept += [[part, step, name, round(value, 6)] for name, value in figures.items()]
    if len(kept) > MOST_FIGURES:
        kept = kept[::2]
    jobs.update_held(run, history=kept, **attempts)


def cancel(run: TrainingRun, *, actor: User) -> None:
    """End a run that is open: at once if nobody works on it, else after its present step.

    Raises `StaleState` when it has ended; `PermissionDenied` without `training.train_model`.
    """
    require_permission(actor, "training.train_model")
    with transaction.atomic():
        found = TrainingRun.objects.select_for_update(no_key=True).get(pk=run.pk)
        if found.status not in OPEN:
            raise StaleState(f"this run has ended: {found.get_status_display().lower()}")
        fields: dict[str, Any] = {"cancel_requested_at": Now()}
        if found.status == Status.PLANNED:
            fields |= {"status": Status.CANCELLED, "finished_at": Now(), **leases.NO_LEASE}
        TrainingRun.objects.filter(pk=run.pk).update(**fields)
        ledger.append("training.run.cancelled", subject=ref(found), actor=actor, payload={"task": found.task})


def end(run: TrainingRun, status: str, *, actor: SystemActor, error: str = "", verdict: str = "") -> None:
    """Close a run that is ours. Raises `LeaseLost` when another worker took over."""
    with transaction.atomic():
        leases.hold(run)
        leases.release(
            [run], status=status, finished_at=timezone.now(), last_error=error[: leases.LONGEST_ERROR], stage=""
        )
        ledger.append(
            "training.run.ended",
            subject=ref(run),
            actor=actor,
            payload={"task": run.task, "status": str(status), "verdict": verdict},
        )
    run.status = status


def retry_or_fail(run: TrainingRun, error: str) -> None:
    """Let a run rest after an unexpected error and try again; after the last attempt it has failed."""
    if leases.is_spent(run):
        end(run, Status.FAILED, actor=KEEPER, error=error)
    else:
        leases.fail(run, error=error)
