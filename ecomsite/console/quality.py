"""How good labels are: the page of each queue, the search for wrong ones, and a reviewer's own page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from core.actors import AuthenticatedHttpRequest, require_permission
from ecomsite.console import charts
from ecomsite.console.pages import Act, action, page
from labeling.models import LabelCheck, LabelIssue
from labeling.question import question, queue_names, queues, title_of
from moderation.decisions import second_reviews
from moderation.queues.blindness import doubts_shown
from monitoring import label_quality as measured
from monitoring import own_work
from training import label_checks

if TYPE_CHECKING:
    from labeling.quality.intervals import Estimate

FEWEST_PEOPLE = 2


@require_safe
def label_quality(request: AuthenticatedHttpRequest, question: str) -> HttpResponse:
    """Show how good the labels of a queue are."""
    return page(request, "console/label_quality.html", {**_context(request, question), "title": "Label quality"})


@require_safe
def checks_fragment(request: AuthenticatedHttpRequest, question: str) -> HttpResponse:
    """How far the search for wrong labels is."""
    _require_view(request, question)
    return render(request, "console/_label_checks.html", _checks(request, question))


@action
def check_now(request: AuthenticatedHttpRequest, question: str) -> Act[object]:
    """Search for wrong labels now."""
    _require_view(request, question)
    return Act(
        lambda: label_checks.plan(question, reason="asked for by hand", actor=request.user),
        done="The search begins as soon as the training worker is free.",
        back=reverse("console:label_quality", args=[question]),
    )


@require_safe
def my_work(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Show a reviewer their own figures; nobody else's."""
    require_permission(request.user, "moderation.review_item")
    work = own_work.of(request.user)
    top = max((n for _, n in work.days), default=0) or 1
    bars = [(day, n, round(n / top * 100)) for day, n in work.days]
    context = {"title": "My work", "work": work, "bars": bars, "top": top, "n_answers": sum(n for _, n in work.days)}
    return page(request, "console/my_work.html", context)


def _require_view(request: AuthenticatedHttpRequest, question: str) -> None:
    if question not in queue_names():
        raise Http404
    if not request.user.has_perm("labeling.view_label"):
        raise PermissionDenied


def _context(request: AuthenticatedHttpRequest, question: str) -> dict[str, Any]:
    _require_view(request, question)
    found = measured.quality_of(question)
    names = _names_of([*found.rater_names, *(card.rater for card in found.scorecards)])
    return {
        "quality": found,
        "question_title": title_of(question),
        "queues": queues(),
        "by_week": charts.points([(f"{week:%d %b}", *_triple(a.krippendorff_alpha)) for week, a in found.by_week]),
        "scale": [(0, "1"), (70, "0.5"), (140, "0")],
        "pairs": _pairs(found, names),
        "confusion": _confusion(found),
        "anchoring": _anchoring(found),
        "cards": [(names.get(row.rater, row.rater), row.card) for row in found.scorecards],
        "precision": [(method, figure) for method, figure in found.precision.items()],
        "precision_weeks": [
            (week.week, week.n, week.confirmed, round(100 * week.confirmed / week.n))
            for week in found.precision_by_week
        ],
        **_worst(request, question, found.worst),
        **_checks(request, question),
    }


def _checks(request: AuthenticatedHttpRequest, question: str) -> dict[str, Any]:
    checks = measured.checks_of(question)
    running = next((check for check in checks if check.status in label_checks.OPEN), None)
    done = next((check for check in checks if check.status == LabelCheck.Status.COMPLETED), None)
    return {
        "datalab": done.report.get("datalab") if done else None,
        "question": question,
        "checks": checks,
        "running": running,
        "may_check": request.user.has_perm("labeling.check_labels"),
    }


def _triple(figure: Estimate) -> tuple[float | None, float | None, float | None]:
    return figure.value, figure.low, figure.high


def _names_of(raters: Iterable[str]) -> dict[str, str]:
    """People's names live in the accounts; the votes hold pseudonyms."""
    ids = {int(match.group(1)) for rater in raters if (match := re.fullmatch(r"user:(\d+)", rater))}
    return {f"user:{user.pk}": user.get_full_name() or user.username for user in User.objects.filter(pk__in=ids)}


def _pairs(found: measured.Quality, names: dict[str, str]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The agreement of every two people as a table of cells: κ, in words, and how dark."""
    pairs = found.pairs
    if pairs is None or len(found.rater_names) < FEWEST_PEOPLE:
        return []
    rows = []
    for i, one in enumerate(found.rater_names):
        cells: list[dict[str, Any]] = []
        for j, other in enumerate(found.rater_names):
            kappa, n = float(pairs.kappa[i, j]), int(pairs.n[i, j])
            known = i != j and kappa == kappa
            words = f"{names.get(one, one)} and {names.get(other, other)}: {n} in common"
            if known:
                words += f", κ {kappa:.2f} ({pairs.low[i, j]:.2f} to {pairs.high[i, j]:.2f})"
            cells.append(
                {
                    "kappa": kappa if known else None,
                    "n": n,
                    "title": words,
                    "same": i == j,
                    "shade": round(max(kappa, 0) * 100) if known else 0,
                }
            )
        rows.append((names.get(one, one), cells))
    return rows


def _confusion(found: measured.Quality) -> list[tuple[str, int, list[tuple[int, int, bool]]]]:
    rows = charts.shaded(found.confusion)
    return rows if any(total for _, total, _ in rows) else []


def _anchoring(found: measured.Quality) -> dict[str, Any] | None:
    seen = found.anchoring
    if seen is None:
        return None
    arms = []
    for title, figure, labels in (
        ("with the suggestion", seen.accepted_assisted, seen.labels_assisted),
        ("without it", seen.accepted_blind, seen.labels_blind),
    ):
        bar = None if figure.value is None else charts.whisker(figure.value, figure.low or 0, figure.high or 1)
        spread = charts.shares([(name, round(share * 1000)) for name, share in zip(found.names, labels, strict=True)])
        arms.append({"title": title, "figure": figure, "bar": bar, "spread": spread})
    return {"words": seen.in_words(), "arms": arms, "shift": seen.label_shift, "chance": seen.label_shift_by_chance}


def _worst(request: AuthenticatedHttpRequest, name: str, found: Iterable[LabelIssue]) -> dict[str, Any]:
    """The flags with the text and, where people were asked here, the page that says whom; and how many are not for who
    looks, who may be the second person.
    """
    every = list(found)
    may = set(
        doubts_shown(LabelIssue.objects.filter(pk__in=[flag.pk for flag in every]), reader=request.user).values_list(
            "pk", flat=True
        )
    )
    flags = [flag for flag in every if flag.pk in may]
    texts = question(name).texts([flag.subject for flag in flags])
    items = second_reviews.leads_of(name, [flag.subject for flag in flags])
    links = [reverse("console:panel", args=[items[flag.subject]]) if flag.subject in items else "" for flag in flags]
    return {"worst": list(zip(flags, texts, links, strict=True)), "n_kept_from": len(every) - len(flags)}
