"""“Next”: the way to the review page, and why nothing waits there; and the ledger's own check."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from audit import anchors, checks, high_water, keys
from audit.models import LedgerCheck, TimeStamp
from core.actors import AuthenticatedHttpRequest, require_permission
from ecomsite.console.pages import page, with_names
from labeling.question import queue_names, queues, title_of
from moderation.models.candidates import Candidate, GenerationRequest
from moderation.models.predictions import Scoring
from moderation.models.reviews import COPY_VERDICT, ReviewItem
from moderation.queues import handing_out
from moderation.queues.languages import languages_of
from moderation.queues.rules import may_take, policy_for
from monitoring.waiting import why_nothing_comes


@require_safe
def next_item(request: AuthenticatedHttpRequest) -> HttpResponseRedirect:
    """Go to the page on which the next item stands, and the one after it by itself."""
    require_permission(request.user, "moderation.review_item")
    return HttpResponseRedirect(reverse("console:review", args=[_kind_in(request)]))


@require_safe
def nothing_fragment(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Why nothing waits, or that something does now; leases nothing."""
    require_permission(request.user, "moderation.review_item")
    return render(request, "console/_nothing.html", _waiting_context(request, _kind_in(request)))


def _is_there(item: ReviewItem) -> bool:
    return item.labeling_task is not None and item.labeling_task.ls_task_id is not None


def _kind_in(request: AuthenticatedHttpRequest) -> str:
    question = request.GET.get("question", COPY_VERDICT)
    return question if question in queue_names() else COPY_VERDICT


def _elsewhere(request: AuthenticatedHttpRequest, question: str) -> list[tuple[str, str, int]]:
    """The other queues that hold something for the person: address, title, how many."""
    found = [
        (reverse("console:review", args=[name]), title, handing_out.waiting_for(request.user, question=name).count())
        for name, title in queues()
        if name != question
    ]
    return [row for row in found if row[2]]


def _waiting_context(request: AuthenticatedHttpRequest, question: str) -> dict[str, Any]:
    items = ReviewItem.objects.work().filter(question=question)
    user: Any = request.user
    held = next(
        (item for item in handing_out.held(user, question=question) if not handing_out.has_answered(item, user)), None
    )
    requests = GenerationRequest.objects
    n_held = int(held is not None and _is_there(held)), int(held is not None and not _is_there(held))
    return {
        "question": question,
        "elsewhere": _elsewhere(request, question),
        "languages": languages_of(request.user),
        "question_title": title_of(question),
        "is_copy": question == COPY_VERDICT,
        "missing": why_nothing_comes(question),
        "may_take": may_take(request.user, policy_for(question)),
        "n_ready": n_held[0] + handing_out.waiting_for(request.user, question=question).count(),
        "n_sending": items.filter(status=ReviewItem.Status.WAITING, labeling_task__ls_task_id=None).count() + n_held[1],
        "n_with_others": items.filter(status=ReviewItem.Status.DISPATCHED).exclude(assignee=request.user).count(),
        "n_escalated": items.filter(status=ReviewItem.Status.ESCALATED).count(),
        "n_unscored": Scoring.objects.filter(question=question, scored_with=None).count(),
        "n_writing": requests.filter(status__in=("queued", "generating")).count(),
        "n_checking": Candidate.objects.filter(status=Candidate.Status.GENERATED, screened_at=None).count(),
    }


@require_http_methods(["GET", "POST"])
def verify_ledger(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Verify the whole ledger on request, record who did, and say whether it holds; with the checks before."""
    require_permission(request.user, "audit.verify_ledger")
    expected = request.POST.get("expected_head", "").strip()
    result = None
    if request.method == "POST":
        result = checks.verify_now(actor=request.user, expected_head=expected)
    context = {
        "title": "Verify the ledger",
        "result": result,
        "expected_head": expected,
        "checks": with_names(LedgerCheck.objects.all()[:8]),
        "key": next(reversed(keys.recorded()), None),
        "second_place": anchors.path(),
        "high_water_mark": high_water.path(),
        "mark": high_water.read().last,
        "stamp": TimeStamp.objects.last(),
    }
    return page(request, "console/verify_ledger.html", context)
