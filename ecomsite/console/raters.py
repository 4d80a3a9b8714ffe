"""Raters of imported files: how far they agree with our own people, and who answers for each of them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog.models import ImportRun
from core.actors import AuthenticatedHttpRequest, require_permission, user_keys
from core.exceptions import EcomsiteError, PermanentError
from ecomsite.console.fields import whole_number
from ecomsite.console.pages import Act, action, page
from labeling import approvals
from moderation.label_exchange import agreement, approving
from moderation.label_exchange.importing import brought_in_by, rater_of, source_of

SHOWN, RATERS_A_PAGE = 50, 200


@require_safe
def overview(request: AuthenticatedHttpRequest) -> HttpResponse:
    """List the imports that brought votes, each with how many of its raters count as people."""
    _require_view(request)
    approved = approvals.approved_raters()
    rows = []
    for run in ImportRun.objects.filter(kind="labels", status=ImportRun.Status.COMPLETED)[:SHOWN]:
        if n_raters := approving.raters_in(run):
            rows.append((run, n_raters, sum(source == source_of(run) for source, _ in approved)))
    return page(request, "console/raters.html", {"title": "Raters of imports", "rows": rows})


@require_safe
def show(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Show how the raters of an import compare with our own people, and let a person answer for them."""
    _require_view(request)
    run = _run(pk)
    try:
        found = agreement.measure(run)
    except EcomsiteError as exc:  # what it answers was a declared question, which the settings do not name any more
        messages.error(request, str(exc))
        return redirect("console:raters")
    words = approvals.words(source_of(run))
    people, is_unnamed = brought_in_by(run)
    by = {
        f"user:{user.pk}": user.username
        for user in User.objects.filter(pk__in=user_keys(one for word in words.values() for one in word.by))
    }
    raters = Paginator(found.raters, RATERS_A_PAGE).get_page(request.GET.get("page"))
    name, pool = request.GET.get("name", "").strip(), request.GET.get("pool", "").strip()
    return page(
        request,
        "console/raters_of_import.html",
        {
            "title": "Raters of an import",
            "run": run,
            "found": found,
            "raters": raters,
            "rows": [(rater, _standing(approving.word_of(words, run, rater.name), by)) for rater in raters],
            "people": people,
            "is_unnamed": is_unnamed,
            "needed": approving.people_needed(run),
            "fewest": agreement.FEWEST,
            "name": name,
            "pool": pool,
            "looked_for": _looked_for(request, name, pool),
            "may_approve": request.user.has_perm("moderation.set_gold"),
        },
    )


@action
def approve(request: AuthenticatedHttpRequest, pk: int) -> Act[approving.Approved]:
    """Answer for the raters that were ticked."""
    run, reason = _run(pk), request.POST.get("reason", "")

    def in_words(came: approving.Approved) -> str:
        more = f" {came.n_lacking} more person has to answer for them, too." if came.n_lacking else ""
        return f"You answer for {came.n_raters:,} rater{'' if came.n_raters == 1 else 's'}.{more}"

    return Act(
        lambda: approving.approve_raters(run, reason=reason, actor=request.user, raters=_ticked(request)),
        done=in_words,
        back=reverse("console:raters_of_import", args=[pk]),
    )


@action
def withdraw(request: AuthenticatedHttpRequest, pk: int) -> Act[object]:
    """Have nobody answer for the raters that were ticked any longer."""
    run, reason = _run(pk), request.POST.get("reason", "")
    return Act(
        lambda: approving.withdraw_approval(run, reason=reason, actor=request.user, raters=_ticked(request)),
        done="What they say counts as what a file states.",
        back=reverse("console:raters_of_import", args=[pk]),
    )


def _ticked(request: AuthenticatedHttpRequest) -> list[str]:
    """Return the raters that were ticked. Raises `PermanentError` where none was."""
    if not (raters := request.POST.getlist("rater")):
        raise PermanentError("Nobody is ticked.")
    return raters


@action
def ask(request: AuthenticatedHttpRequest, pk: int) -> Act[object]:
    """Have our own people label a sample of an import."""
    run = _run(pk)
    return Act(
        lambda: approving.ask_our_people(run, n=whole_number(request.POST.get("n") or "0"), actor=request.user),
        done="They are asked as they are asked about other reviews.",
        back=reverse("console:raters_of_import", args=[pk]),
    )


def _looked_for(request: AuthenticatedHttpRequest, name: str, pool: str) -> str:
    try:
        return rater_of(name, pool=pool) if name else ""
    except EcomsiteError as exc:
        messages.error(request, str(exc))
        return ""


def _require_view(request: AuthenticatedHttpRequest) -> None:
    require_permission(request.user, "labeling.view_label")


def _run(pk: int) -> ImportRun:
    return get_object_or_404(ImportRun, pk=pk, kind="labels", status=ImportRun.Status.COMPLETED)


def _standing(word: approvals.Word, names: dict[str, str]) -> dict[str, Any]:
    by = [names.get(one, one) for one in word.by]
    return {"is_enough": word.is_enough, "by": by, "n_lacking": word.needed - len(by)}
