"""What failed too often, with its error, and the buttons that let it out."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from core.actors import AuthenticatedHttpRequest, require_permission
from core.admin import excerpt
from core.exceptions import EcomsiteError
from core.leases import Leased
from ecomsite.console.pages import Act, action, page
from monitoring import quarantine

SHOWN = 100  # of each kind


@require_safe
def show(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Show everything in quarantine, of every kind, longest there first."""
    require_permission(request.user, "monitoring.view_quarantine")
    groups = [
        {"kind": kind, "n": n, "rows": [_row(row) for row in kind.rows[:SHOWN]] if n else []}
        for kind, n in quarantine.counts()
    ]
    context = {
        "title": "Quarantine",
        "groups": groups,
        "total": sum(n for _, n in quarantine.counts()),
        "shown": SHOWN,
        "at_once": quarantine.AT_ONCE,
        "may_readmit": request.user.has_perm("monitoring.readmit"),
    }
    return page(request, "console/quarantine.html", context)


def _row(row: Leased) -> dict[str, Any]:
    return {"row": row, "name": excerpt(str(row)), "error": excerpt(row.last_error, length=600), "link": _link(row)}


def _link(row: Leased) -> str:
    try:
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return ""


@action
def readmit(request: AuthenticatedHttpRequest, kind: str) -> Act[Any]:
    """Let one row out (`pk` in the form), or all of a kind."""
    require_permission(request.user, "monitoring.readmit")
    back = reverse("console:quarantine")
    try:
        found = quarantine.kind_called(kind)
    except EcomsiteError as exc:
        raise Http404(exc.message) from exc
    if "pk" not in request.POST:
        return Act(
            lambda: quarantine.readmit_all(found, actor=request.user),
            done=lambda n: f"{n} of “{found.title}” let out; they get fresh attempts.",
            back=back,
        )
    try:
        row = found.model._default_manager.filter(pk=request.POST["pk"]).first()
    except (ValueError, ValidationError):
        row = None
    if row is None:
        raise Http404("no such row")
    return Act(
        lambda: quarantine.readmit(row, actor=request.user),
        done="Let out: it gets fresh attempts.",
        back=back,
    )
