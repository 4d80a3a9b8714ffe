"""Policies tried on live copy: what each found, and the buttons that take down and put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from core.actors import AuthenticatedHttpRequest, require_permission
from core.refs import pk_of
from ecomsite.console import highlight
from ecomsite.console.fields import one_of, whole_number
from ecomsite.console.pages import Act, action, page
from moderation import policy_versions
from moderation.live import retro_scan
from moderation.models.candidates import Candidate, Finding
from moderation.models.policies import PolicyVersion
from moderation.models.retro_scans import RetroHit, RetroScan

SHOWN = 50


@require_safe
def overview(request: AuthenticatedHttpRequest) -> HttpResponse:
    """List the scans, and offer to start one."""
    require_permission(request.user, "moderation.view_retroscan")
    now = policy_versions.policy_in_force().version
    context = {
        "title": "Retro-scans",
        "scans": RetroScan.objects.select_related("version", "actor").defer("version__content")[:SHOWN],
        "versions": PolicyVersion.objects.defer("content"),
        "now": now,
        "severities": RetroScan.Severity.choices,
        "may_start": request.user.has_perm("moderation.run_retroscan"),
    }
    return page(request, "console/retro_scans.html", context)


@action
def start(request: AuthenticatedHttpRequest) -> Act[object]:
    """Begin a dry run of a stored version."""
    version = get_object_or_404(PolicyVersion, number=whole_number(request.POST.get("policy") or "0"))
    return Act(
        lambda: retro_scan.start(
            version,
            actor=request.user,
            reason=request.POST.get("reason", ""),
            severity=one_of(RetroScan.Severity, request.POST.get("severity", "block")),
        ),
        done="The dry run has begun; nothing live changes.",
        back=reverse("console:retro_scans"),
    )


@require_safe
def show(request: AuthenticatedHttpRequest, pk: UUID) -> HttpResponse:
    """Show what a scan found, text by text, and what became of it."""
    require_permission(request.user, "moderation.view_retroscan")
    scan = get_object_or_404(RetroScan.objects.select_related("version", "against", "actor"), pk=pk)
    code = request.GET.get("code", "")
    hits = scan.hits.select_related("published_copy__product")
    if code:
        hits = hits.filter(findings__contains=[{"code": code}])
    may, states = request.user.has_perm, retro_scan.tally(scan)
    context = {
        "title": f"Policy {scan.version.number} on live copy",
        "scan": scan,
        "is_working": scan.status in retro_scan.WORKING,
        "counts": sorted(scan.counts.items(), key=lambda entry: (-entry[1], entry[0])),
        "states": [(RetroHit.Status(name).label, n) for name, n in states.items()],
        "n_hits": sum(states.values()),
        "code": code,
        "hits": [_hit(hit) for hit in hits[:SHOWN]],
        "shown": SHOWN,
        "may_recall": scan.status == RetroScan.Status.SCANNED
        and scan.against_id is None
        and states
        and may("catalog.retire_copy"),
        "may_undo": scan.status == RetroScan.Status.RECALLED and states.get("recalled") and may("catalog.publish_copy"),
    }
    return page(request, "console/retro_scan.html", context)


def _hit(hit: RetroHit) -> dict[str, Any]:
    """A text with what was found in it marked, as findings are marked on a candidate's page."""
    text = hit.published_copy.text
    names = ("code", "severity", "message", "start", "end")
    findings = [Finding(**{name: found[name] for name in names}) for found in hit.findings]
    return {
        "hit": hit,
        "product": hit.published_copy.product,
        "candidate": pk_of(hit.published_copy.candidate_ref, Candidate),
        "pieces": highlight.mark(text, findings),
    }


@action
def recall(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """Take down what the dry run found."""
    return _on(request, pk, retro_scan.recall, done="Taking down: each text goes with its reason in the ledger.")


@action
def undo(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """Put back what the scan took down."""
    return _on(request, pk, retro_scan.undo, done="Putting back, each as a decision of yours.")


def _on(request: AuthenticatedHttpRequest, pk: UUID, do: Callable[..., None], *, done: str) -> Act[object]:
    scan, reason = get_object_or_404(RetroScan, pk=pk), request.POST.get("reason", "")
    return Act(
        lambda: do(scan, actor=request.user, reason=reason),
        done=done,
        back=reverse("console:retro_scan", args=[pk]),
    )
