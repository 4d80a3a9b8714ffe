"""The first page: the desk at a glance, drawn anew every few seconds while one watches."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from core.actors import AuthenticatedHttpRequest
from ecomsite.console import charts
from monitoring import dashboard, health

STAGE_LINKS = {
    "queued": ("admin:moderation_generationrequest_changelist", "status__exact=queued"),
    "generating": ("admin:moderation_generationrequest_changelist", "status__exact=generating"),
    "drafts": ("admin:moderation_candidate_changelist", "status__exact=generated"),
    "in_review": ("admin:moderation_candidate_changelist", "status__exact=in_review"),
    "published": ("admin:catalog_publishedcopy_changelist", "live=yes"),
}


def desk_context(request: AuthenticatedHttpRequest) -> dict[str, Any]:
    """Return what the desk's template needs. Who holds no role sees no numbers."""
    if not request.user.has_perm("moderation.view_candidate"):
        return {"desk": None}
    desk = dashboard.desk()
    bars, top = charts.hour_bars(desk.hours)
    return {
        "desk": desk,
        "health": health.recent_report(),
        "stages": [
            (stage, f"{reverse(name)}?{query}") for stage in desk.stages for name, query in [STAGE_LINKS[stage.key]]
        ],
        "bars": bars,
        "bars_top": top,
        "hour_labels": [(round(i * 720 / 24 + 15, 1), f"{start:%H}") for i, (start, *_) in enumerate(desk.hours)][::3],
        "sentiment_shares": charts.shares(desk.sentiment, width=720),
        "may_review": request.user.has_perm("moderation.review_item"),
        "may_request": request.user.has_perm("moderation.request_copy"),
    }


def dashboard_callback(request: AuthenticatedHttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the desk to the admin's first page (settings.UNFOLD["DASHBOARD_CALLBACK"])."""
    return {**context, **desk_context(request)}


def desk_fragment(request: AuthenticatedHttpRequest) -> HttpResponse:
    """The desk alone, for the page that watches it."""
    return render(request, "console/_desk.html", desk_context(request))
