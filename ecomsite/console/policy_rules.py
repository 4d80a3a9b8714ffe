"""What people said to each rule of the policy, which are proposed for a softer severity, and the answer to that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from core.actors import AuthenticatedHttpRequest, require_permission
from ecomsite.console.pages import Act, action, page
from moderation import policy_versions
from moderation.live import retro_scan, rule_proposals
from moderation.models.rule_proposals import RuleProposal
from moderation.policy_record import RuleRecord, record_of

SHOWN = 20
_NEVER: Final = 2.0  # beyond every share: what has no figure comes last
SORTED_BY: Final[dict[str, tuple[str, Callable[[RuleRecord], Any]]]] = {
    "drafts": ("how often they ask", lambda one: -one.total.drafts),
    "share": ("share confirmed", lambda one: _NEVER if one.total.share.value is None else one.total.share.value),
    "dismissed": ("dismissed", lambda one: -one.total.dismissed),
    "confirmed": ("confirmed", lambda one: -one.total.confirmed),
    "rule": ("name", lambda one: one.name),
}


@require_safe
def record(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Show what became of the findings of each rule in force, sorted as asked for, and what is proposed."""
    require_permission(request.user, "moderation.view_policyversion")
    version = policy_versions.policy_in_force().version
    by = request.GET.get("by", "drafts")
    by = by if by in SORTED_BY else "drafts"
    rules = record_of(version)
    proposals = RuleProposal.objects.select_related("answered_by")
    context = {
        "title": "Rules and what people say to them",
        "version": version,
        "days": settings.POLICY_RULES.days,
        "rules": sorted((one for one in rules if one.total.drafts), key=lambda one: (SORTED_BY[by][1](one), one.name)),
        "silent": sorted(one.name for one in rules if not one.total.drafts),
        "by": by,
        "sorts": [(key, title) for key, (title, _) in SORTED_BY.items()],
        "open": proposals.filter(status=RuleProposal.Status.OPEN),
        "answered": proposals.exclude(status=RuleProposal.Status.OPEN)[:SHOWN],
    }
    return page(request, "console/policy_rules.html", context)


@require_safe
def proposal(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Show a proposal: its figures then and now, what it would change on live copy, and how it was answered."""
    require_permission(request.user, "moderation.view_policyversion")
    related = RuleProposal.objects.select_related("scan__version", "scan__against", "answered_by", "version")
    shown = get_object_or_404(related.defer("scan__version__content", "scan__against__content"), pk=pk)
    now = policy_versions.policy_in_force().version
    may = request.user.has_perm
    scan = shown.scan
    context = {
        "title": f"Proposal: {shown.pack}.{shown.rule}, {shown.severity} → {shown.softer}",
        "proposal": shown,
        "is_open": shown.status == RuleProposal.Status.OPEN,
        "now": next((one for one in record_of(now) if (one.pack, one.rule) == (shown.pack, shown.rule)), None),
        "scan": scan,
        "is_working": scan is not None and scan.status in retro_scan.WORKING,
        "is_current": scan is not None and scan.against_id == now.pk,
        "n_changed": scan.hits.count() if scan else 0,
        "hits": scan.hits.select_related("published_copy__product")[:5] if scan else (),
        "may_try": may("moderation.activate_policy") and may("moderation.run_retroscan"),
        "may_answer": may("moderation.activate_policy"),
    }
    return page(request, "console/rule_proposal.html", context)


@action
def try_on_live(request: AuthenticatedHttpRequest, pk: int) -> Act[object]:
    """Compare the softer policy with the one in force on everything live."""
    asked = get_object_or_404(RuleProposal, pk=pk)
    return Act(
        lambda: rule_proposals.try_on_live(asked, actor=request.user),
        done="The comparison has begun; nothing live changes.",
        back=reverse("console:rule_proposal", args=[pk]),
    )


@action
def accept(request: AuthenticatedHttpRequest, pk: int) -> Act[Any]:
    """Put the softer severity in force."""
    asked, reason = get_object_or_404(RuleProposal, pk=pk), request.POST.get("reason", "")
    return Act(
        lambda: rule_proposals.accept(asked, actor=request.user, reason=reason),
        done=lambda made: f"Policy {made.number} is in force. Change the file as well: loading it would undo this.",
        back=reverse("console:rule_proposal", args=[pk]),
    )


@action
def decline(request: AuthenticatedHttpRequest, pk: int) -> Act[object]:
    """Keep the rule as it is."""
    asked, reason = get_object_or_404(RuleProposal, pk=pk), request.POST.get("reason", "")
    return Act(
        lambda: rule_proposals.decline(asked, actor=request.user, reason=reason),
        done="The rule stays as it is.",
        back=reverse("console:rule_proposal", args=[pk]),
    )
