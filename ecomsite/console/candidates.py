"""One candidate with everything about it, and what a person may do with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog.models import PublishedCopy
from core.actors import AuthenticatedHttpRequest, require_permission
from core.differences import diff
from core.refs import pk_of, ref
from ecomsite.console import highlight, suggestion
from ecomsite.console.pages import Act, action, page
from ecomsite.console.review import review_address
from ecomsite.media import picture_of
from labeling.question import title_of
from moderation.decisions import appeals
from moderation.decisions.statements import document
from moderation.drafting import ordering, screening
from moderation.drafting.proofreading import hints_of
from moderation.live import history, publication
from moderation.models.appeals import Appeal
from moderation.models.candidates import Candidate, Finding
from moderation.models.predictions import Prediction
from moderation.models.reviews import Decision, ReviewItem
from moderation.policy import grounding
from moderation.policy.claim_kinds import POLICY_CLAIMS
from moderation.policy.fixups import read_fixup
from moderation.queues import handing_out
from moderation.queues.blindness import readable
from moderation.queues.seats import sees_labels
from moderation.reason_codes import REASONS


@dataclass(frozen=True)
class Moment:
    """A ledger line in words."""

    entry: history.TimelineEntry
    who: str
    what: str


@require_safe
def candidate(request: AuthenticatedHttpRequest, pk: UUID) -> HttpResponse:
    """Show a candidate: text with findings, facts, provenance, siblings, fix, decision, history."""
    require_permission(request.user, "moderation.view_candidate")
    shown = get_object_or_404(
        Candidate.objects.select_related("product", "request", "model_version", "parent__review_item", "review_item"),
        pk=pk,
    )
    return page(request, "console/candidate.html", _context(request, shown))


def _context(request: AuthenticatedHttpRequest, shown: Candidate) -> dict[str, Any]:
    reviewed = shown.parent or shown
    item = ReviewItem.objects.filter(candidate=reviewed).select_related("assignee", "labeling_task").first()
    findings = list(shown.findings.select_related("policy_version").defer("policy_version__content"))
    for finding in findings:
        finding.fixup = read_fixup(finding.evidence)  # type: ignore[attr-defined]
    copy = PublishedCopy.objects.filter(candidate_ref=ref(shown)).first()
    fixes = list(shown.fixes.all())
    draft = screening.draft_of(shown)
    claims = grounding.claims(draft)
    may = request.user.has_perm
    return {
        "title": f"{shown.product.title} · {shown.get_channel_display()} · {shown.get_locale_display()}",
        "candidate": shown,
        "product": shown.product,
        "picture": picture_of(shown.product),
        "pieces": highlight.mark(shown.text, findings),
        "findings": findings,
        "hints": [(shown.text[hint.start : hint.end], hint) for hint in hints_of(shown.proofreading)],
        "severities": Finding.Severity.choices,
        "facts": highlight.facts_in(
            shown.text,
            shown.facts,
            backing={claim.fact for claim in claims if claim.fact},
            proven={fact.name for fact in draft.facts if fact.has_evidence},
        ),
        "claims": claims,
        "n_backed": sum(claim.fact is not None for claim in claims),
        "may_see_proofs": may("catalog.view_factevidence"),
        "predictions": [
            (title_of(said.question), said)
            for said in readable(Prediction.objects.filter(subject=ref(shown), is_shadow=False), reader=request.user)
            .exclude(question=POLICY_CLAIMS)
            .select_related("model_version")
        ],
        "hint": suggestion.hint_on(shown, item, reader=request.user),
        "siblings": shown.request.candidates.filter(parent=None)
        .exclude(pk=shown.first_draft.pk)
        .order_by("rank", "ordinal"),
        "parent_diff": diff(shown.parent.text, shown.text) if shown.parent else None,
        "fixes": [(fix, diff(shown.text, fix.text)) for fix in fixes],
        "item": item,
        "decisions": decisions_of(item) if item else [],
        "may_appeal": may("moderation.appeal_decision"),
        "may_adjudicate": item is not None and sees_labels(request.user),
        "appeal_before": Appeal.objects.filter(candidate=shown).first(),
        "copy": copy,
        "moments": moments(shown, reader=request.user) if may("moderation.audit_candidate") else None,
        "may_overrule": shown.status == Candidate.Status.BLOCKED and may("moderation.overrule_block"),
        "may_retire": copy is not None and copy.retired_at is None and may("catalog.retire_copy"),
        "reasons": REASONS.items(),
        "may_request": may("moderation.request_copy"),
        "may_open": _is_in_label_studio(_held_of(request, item)),
        "may_release": _holds(request, item) and may("moderation.review_item"),
    }


def decisions_of(item: ReviewItem) -> list[Decision]:
    """Return the decisions on `item` as the pages show them: with who, how long, and whether one can appeal."""
    found = item.decisions.select_related("reviewer", "checker", "appeal", "item__candidate")
    for decision in found:
        decision.has_statement = document.has_statement(decision)  # type: ignore[attr-defined]
        decision.why_no_appeal = appeals.why_not(decision)  # type: ignore[attr-defined]
    return list(found)


def _is_in_label_studio(item: ReviewItem | None) -> bool:
    return item is not None and item.labeling_task is not None and item.labeling_task.ls_task_id is not None


def _holds(request: AuthenticatedHttpRequest, item: ReviewItem | None) -> bool:
    return item is not None and item.status == ReviewItem.Status.DISPATCHED and item.assignee_id == request.user.pk


def moments(shown: Candidate, *, reader: Any) -> list[Moment]:
    """Return the history of a candidate: ledger lines with names for pseudonyms: names live in the accounts,
    never in the ledger.
    """
    entries = history.timeline(shown, reader=reader)
    ids = {int(match.group(1)) for entry in entries if (match := re.fullmatch(r"user:(\d+)", entry.actor))}
    names = {f"user:{user.pk}": user.get_full_name() or user.username for user in User.objects.filter(pk__in=ids)}
    return [
        Moment(entry, names.get(entry.actor, entry.actor.removeprefix("system:")), _in_words(entry.action))
        for entry in entries
    ]


def _in_words(action: str) -> str:
    _, _, rest = action.partition(".")
    return rest.replace(".", " · ").replace("_", " ")


@require_safe
def copy(request: AuthenticatedHttpRequest, pk: UUID) -> HttpResponse:
    """Show the candidate that published copy came from."""
    require_permission(request.user, "catalog.view_publishedcopy")
    found = get_object_or_404(PublishedCopy, pk=pk)
    return redirect("console:candidate", pk=pk_of(found.candidate_ref, Candidate))


@require_safe
def open_task(request: AuthenticatedHttpRequest, pk: UUID) -> HttpResponse:
    """Take the person to the page on which they answer, where they hold this candidate's item."""
    require_permission(request.user, "moderation.review_item")
    item = _held_of(request, ReviewItem.objects.filter(candidate=pk).first())
    if item is None:
        raise Http404
    return HttpResponseRedirect(review_address(item))


def _held_of(request: AuthenticatedHttpRequest, lead: ReviewItem | None) -> ReviewItem | None:
    """What the person holds of the panel: their own seat, and nobody else's."""
    if lead is None or not request.user.has_perm("moderation.review_item"):
        return None
    return handing_out.held(request.user, question=lead.question).filter(Q(pk=lead.pk) | Q(lead=lead)).first()


@action
def overrule(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """Put a blocked candidate into review after all."""
    found, reason = get_object_or_404(Candidate, pk=pk), request.POST.get("reason", "")
    return Act(
        lambda: screening.overrule_block(found, actor=request.user, reason=reason),
        done="The block is overruled: the text goes to a reviewer.",
        back=reverse("console:candidate", args=[pk]),
    )


@action
def retire(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """Take published copy down."""
    found, reason = get_object_or_404(PublishedCopy, pk=pk), request.POST.get("reason", "")
    codes = request.POST.getlist("reason_codes") or ["other"]
    return Act(
        lambda: publication.retire(found, actor=request.user, reason=reason, reason_codes=codes),
        done="Retired: shoppers no longer see this text.",
        back=reverse("console:copy", args=[pk]),
    )


@action
def release(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """Put the item that the person holds back into the queue."""
    found = get_object_or_404(ReviewItem, pk=pk)
    return Act(
        lambda: handing_out.release_item(found, actor=request.user),
        done="Back in the queue for somebody else.",
        back=reverse("console:candidate", args=[found.candidate_id]) if found.candidate_id else reverse("admin:index"),
    )


@action
def request_again(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """Ask for fresh drafts of the same slot and variant."""
    found = get_object_or_404(Candidate.objects.select_related("product", "request"), pk=pk)
    return Act(
        lambda: ordering.request_copy(
            [found.product],
            channels=[found.channel],
            locales=[found.locale],
            actor=request.user,
            n_candidates=found.request.n_candidates,
            round=ordering.next_round(found.request),
            audience=found.audience,
            variant=found.variant,
            is_awaited=True,
        ),
        done="Fresh drafts are on order.",
        back=reverse("admin:moderation_generationrequest_changelist"),
    )
