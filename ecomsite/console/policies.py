"""The policy in force, every version before, and what a version says rule by rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from core.actors import AuthenticatedHttpRequest, require_permission
from ecomsite.console.brand_voices import brands_of
from ecomsite.console.pages import page
from moderation import policy_versions
from moderation.models.policies import PolicyActivation, PolicyVersion
from moderation.models.rule_proposals import RuleProposal


@require_safe
def overview(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Show which policy is in force, what was before, and whether the files say something else."""
    require_permission(request.user, "moderation.view_policyversion")
    now = policy_versions.policy_in_force().version
    context = {
        "title": "Policies",
        "now": now,
        "n_proposed": RuleProposal.objects.filter(status=RuleProposal.Status.OPEN).count(),
        "packs": [_pack_summary(pack) for pack in now.content["packs"]],
        "activations": PolicyActivation.objects.select_related("version", "by").defer("version__content")[:50],
        "waiting": policy_versions.difference(now.content, policy_versions.content_now()),
        "unused": PolicyVersion.objects.filter(activations=None).defer("content"),
    }
    return page(request, "console/policies.html", context)


def _pack_summary(pack: Mapping[str, Any]) -> dict[str, Any]:
    severities = [rule["severity"] for rule in pack["rules"]]
    counts = {severity: severities.count(severity) for severity in ("block", "warn", "info")}
    return {"name": pack["pack"], "title": pack["title"], "jurisdiction": pack["jurisdiction"], **counts}


@require_safe
def version(request: AuthenticatedHttpRequest, number: int) -> HttpResponse:
    """Show a version: its rules with law and examples, when it was in force, and what it changed."""
    require_permission(request.user, "moderation.view_policyversion")
    shown = get_object_or_404(PolicyVersion, number=number)
    before = PolicyVersion.objects.filter(number__lt=number).first()
    context = {
        "title": f"Policy {number}",
        "version": shown,
        "before": before,
        "changes": policy_versions.difference(before.content if before else None, shown.content) if before else (),
        "packs": shown.content["packs"],
        "graph": shown.content.get("facts_graph", {}).get("rules", ()),
        "brands": brands_of(shown),
        "checks": shown.content["checks"],
        "drifted": policy_versions.policy_of(shown).drifted,
        "activations": shown.activations.select_related("by"),
        "is_in_force": policy_versions.policy_in_force().version.pk == shown.pk,
        "marked": request.GET.get("rule", ""),
    }
    return page(request, "console/policy_version.html", context)


@require_safe
def by_hash(request: AuthenticatedHttpRequest, content_hash: str) -> HttpResponse:
    """Show the version that a decision or an export names by its hash."""
    require_permission(request.user, "moderation.view_policyversion")
    found = policy_versions.find_version(content_hash)
    if found is None:
        raise Http404("no policy has this hash")
    return version(request, found.number)
