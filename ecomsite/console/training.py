"""The learning loop: what serves, each run of training as it goes, the card of each version, and who lets it serve."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, get_args

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from core.actors import AuthenticatedHttpRequest
from core.exceptions import EcomsiteError
from ecomsite.console import charts, training_copy
from ecomsite.console.pages import Act, action, page
from inference import resolver
from inference.models import ModelAlias, ModelVersion
from labeling.question import question
from labeling.subject import subject_of
from moderation import shadow
from training import approvals, consent, drift, registry, runs, triggers
from training.evaluation import model_card
from training.models import EvaluationReport, TrainingRun
from training.models.datasets import title_of_task
from training.recipes import Method, recipe_of
from training.roles import roles, title_of_role

SHOWN = 25


@require_safe
def overview(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Show what serves, what was trained, and what the next run waits for."""
    _require_view(request)
    return page(request, "console/training.html", {**_overview(request), "title": "Training"})


@require_safe
def overview_fragment(request: AuthenticatedHttpRequest) -> HttpResponse:
    """The runs, as they go."""
    _require_view(request)
    return render(request, "console/_training.html", {"runs": _runs()})


@require_POST
def start(request: AuthenticatedHttpRequest, task: str) -> HttpResponseRedirect:
    """Plan a run now."""
    reason = request.POST.get("reason", "").strip() or "asked for by hand"
    method = request.POST.get("method")
    return _plan(request, task, reason=reason, recipe={"method": method} if method else {})


@require_POST
def repeat(request: AuthenticatedHttpRequest, pk: uuid.UUID) -> HttpResponseRedirect:
    """Plan a run like one before: its recipe on its snapshot, measured against who serves now."""
    like = get_object_or_404(TrainingRun.objects.select_related("snapshot"), pk=pk)
    return _plan(request, like.task, reason="again, against who serves now", like=like)


def _plan(request: AuthenticatedHttpRequest, task: str, **asked: Any) -> HttpResponseRedirect:
    """Plan a run. Where one is open already, show that one and say so: what was asked now is not done."""
    try:
        found, is_new = runs.plan(task, actor=request.user, **asked)
    except EcomsiteError as exc:
        messages.error(request, str(exc))
    else:
        if not is_new:
            words = (
                "This run is open already, so yours was not planned. Ask again when it has ended, or cancel it first."
            )
            messages.warning(request, words)
            return HttpResponseRedirect(reverse("console:training_run", args=[found.pk]))
        messages.success(request, "The run begins as soon as the training worker is free.")
    return HttpResponseRedirect(reverse("console:training"))


@require_safe
def run(request: AuthenticatedHttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one run: how far it is, its losses, what was measured and what the gate said."""
    _require_view(request)
    return page(request, "console/training_run.html", {**_run(request, pk), "title": "Training run"})


@require_safe
def run_fragment(request: AuthenticatedHttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The run as it goes."""
    _require_view(request)
    return render(request, "console/_training_run.html", _run(request, pk))


@action
def cancel(request: AuthenticatedHttpRequest, pk: uuid.UUID) -> Act[object]:
    """End a run."""
    found = get_object_or_404(TrainingRun, pk=pk)
    return Act(
        lambda: runs.cancel(found, actor=request.user),
        done="The run ends after its present step.",
        back=reverse("console:training_run", args=[pk]),
    )


@action
def approve(request: AuthenticatedHttpRequest, pk: uuid.UUID) -> Act[object]:
    """Let a version serve, as one of those who have to agree."""
    version = get_object_or_404(ModelVersion, pk=pk)
    reason = request.POST.get("reason", "")
    return Act(
        lambda: registry.approve(version, actor=request.user, reason=reason),
        done="Your approval is in the ledger.",
        back=_back(version),
    )


@action
def roll_back(request: AuthenticatedHttpRequest, role: str) -> Act[object]:
    """Let the champion before this one serve again."""
    reason = request.POST.get("reason", "")
    return Act(
        lambda: registry.roll_back(role, actor=request.user, reason=reason),
        done="The champion before serves again, with the next batch.",
        back=reverse("console:training"),
    )


def _back(version: ModelVersion) -> str:
    made_by = version.training_runs.first()
    return reverse("console:training_run", args=[made_by.pk]) if made_by else reverse("console:training")


def _require_view(request: AuthenticatedHttpRequest) -> None:
    if not request.user.has_perm("training.view_trainingrun"):
        raise PermissionDenied


def _runs() -> list[tuple[TrainingRun, EvaluationReport | None]]:
    """Return the latest runs, each with what the gate said."""
    found = TrainingRun.objects.select_related("version", "snapshot")[:SHOWN]
    reports = EvaluationReport.objects.filter(version__in=[row.version_id for row in found]).order_by("created_at")
    of_run: dict[tuple[uuid.UUID | None, ...], EvaluationReport] = {
        (report.version_id, report.snapshot_id, report.against_id): report for report in reports
    }
    return [(row, of_run.get((row.version_id, row.snapshot_id, row.champion_id))) for row in found]


def _overview(request: AuthenticatedHttpRequest) -> dict[str, Any]:
    aliases = {(row.role, row.name): row for row in ModelAlias.objects.select_related("version")}
    return {
        "runs": _runs(),
        "roles": [
            _role(role, aliases) for role in roles() if aliases.keys() & {(role, "champion"), (role, "challenger")}
        ],
        "waiting": approvals.waiting(),
        "tasks": [
            (task, title_of_task(task), _waits_for(task), recipe_of(task).model_fields) for task in runs.trained()
        ],
        "methods": get_args(Method),
        "may_train": request.user.has_perm("training.train_model"),
        "may_promote": request.user.has_perm("inference.promote_model"),
    }


def _role(role: str, aliases: dict[tuple[str, str], ModelAlias]) -> dict[str, Any]:
    champion, challenger = aliases.get((role, "champion")), aliases.get((role, "challenger"))
    beside = None
    if champion and challenger and challenger.version_id != champion.version_id:
        beside = shadow.compared(challenger.version, champion.version)
    return {
        "role": role,
        "title": title_of_role(role),
        "champion": champion,
        "challenger": challenger,
        "previous": aliases.get((role, "previous")),
        "shadow": beside,
        "watch": _watch(role),
    }


def _watch(role: str) -> dict[str, Any] | None:
    """Return how often people agree with the champion on what the daily lot drew: lately, and before."""
    from labeling.quality.intervals import share

    seen = drift.look(role)
    if seen is None:
        return None
    change = seen.change
    return {
        "seen": seen,
        "all": share(seen.n_right, seen.n_judged),
        "latest": share(change.right, change.n) if change else None,
        "before": share(change.right_before, change.n_before) if change else None,
        "a_day": question(role).daily_lot,
        "noun": subject_of(question(role).about).noun,
    }


def _waits_for(task: str) -> str:
    """Say in words what the next run of a task waits for."""
    if why := triggers.why_due(task):
        return f"A run is due: {why[1]}."
    return triggers.in_words(task)


def _run(request: AuthenticatedHttpRequest, pk: uuid.UUID) -> dict[str, Any]:
    row = get_object_or_404(
        TrainingRun.objects.select_related("version", "snapshot", "champion", "requested_by"), pk=pk
    )
    report, may_serve = row.report, bool(row.version and approvals.may_replace(row.version))
    found = report.metrics if report else {}
    aliases = [alias.name for alias in row.version.aliases.all()] if row.version else []
    serving = resolver.find(row.version.role) if row.version else None
    return {
        "run": row,
        "report": report,
        "is_open": row.status in runs.OPEN,
        "took": row.finished_at - row.started_at if row.started_at and row.finished_at else None,
        "curves": [
            (part, training_copy.title_of(part), _curve(row.history, part))
            for part in dict.fromkeys(entry[0] for entry in row.history)
        ],
        "parts": [
            (training_copy.title_of(name), part)
            for name, part in (row.version.card.get("parts", {}) if row.version else {}).items()
        ],
        "copy_figures": training_copy.figures(found),
        "copy_samples": training_copy.samples(found),
        "copy_slices": _beside(**found.get("by_slice", {})),
        "figures": [
            (name, title, found[name])
            for name, title in (("new", "this version"), ("champion", "champion"))
            if "accuracy" in found.get(name, {})
        ],
        "confusion": charts.shaded(
            zip(found.get("labels", []), found.get("new", {}).get("confusion", []), strict=False)
        ),
        "labels": _labels(found),
        "slices": _beside(new=found.get("slices", []), champion=found.get("champion_slices", [])),
        "approvals": approvals.approvals_on(report) if report else [],
        "needed": approvals.people_needed(row.version) if row.version else 0,
        "why_people": consent.reasons(row.version) if row.version else [],
        "aliases": aliases,
        "serving": serving,
        "may_serve": may_serve,
        "is_outdated": bool(report and (report.verdict == "pass" or report.asks_people) and not may_serve)
        and not {"champion", "previous"} & set(aliases),
        "excluded": sorted((row.snapshot.manifest.get("excluded") or {}).items()) if row.snapshot else [],
        "labelled": model_card.labelled(row.snapshot) if row.snapshot else "",
        "may_train": request.user.has_perm("training.train_model"),
        "may_promote": request.user.has_perm("inference.promote_model"),
    }


def _curve(history: Sequence[Sequence[Any]], part: str) -> dict[str, Any] | None:
    lines = {
        name: [(entry[1], entry[3]) for entry in history if entry[0] == part and entry[2] == name]
        for name in ("loss", "eval_loss")
    }
    return charts.curves(lines)


def _labels(found: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Return what was measured of each label, of the new model and of the champion."""
    before = {row["label"]: row for row in found.get("champion", {}).get("labels", [])}
    return [(row, before.get(row["label"])) for row in found.get("new", {}).get("labels", [])]


def _beside(
    new: Sequence[dict[str, Any]] = (), champion: Sequence[dict[str, Any]] = ()
) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Return each slice of the new model with that of the champion."""
    before = {(row["by"], row["value"]): row for row in champion}
    return [(row, before.get((row["by"], row["value"]))) for row in new]
