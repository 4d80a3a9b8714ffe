"""What is contested: escalated, waiting for a second person, or appealed against; and one such item in full."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from core.actors import AuthenticatedHttpRequest, actor_ref, require_permission
from core.differences import Change, diff
from core.refs import ref
from ecomsite.console import highlight, suggestion
from ecomsite.console.candidates import decisions_of, moments
from ecomsite.console.fields import whole_number
from ecomsite.console.pages import Act, action, page
from ecomsite.console.review import review_address
from ecomsite.media import seen_picture
from labeling.models import Consensus, LabelingTask
from labeling.question import is_known, question
from moderation.decisions import appeals, confirmations, outcomes, recording
from moderation.decisions.statements import document
from moderation.live.hidden_reviews import hidden_now
from moderation.models.appeals import Appeal
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out
from moderation.queues.seats import sees_labels
from moderation.reason_codes import REASONS

Status = ReviewItem.Status
LATEST = 50
# Of copy; of a customer review.
OVERTURNED = ("Overturned: the text goes to review again.", "Overturned: the review is shown again.")


@require_safe
def contested(request: AuthenticatedHttpRequest) -> HttpResponse:
    """List what waits for a senior, for a second person and for a judge, and the latest appeals."""
    require_permission(request.user, "moderation.view_appeal")
    knows = sees_labels(request.user)
    about = ("candidate__product", "customer_review", "lead__candidate__product", "lead__customer_review")
    items = ReviewItem.objects.select_related(*about, "assignee", "proposed_by")
    decided = Appeal.objects.select_related(
        "decision__item__candidate__product", "decision__item__customer_review", "appellant", "judge"
    )
    context = {
        "title": "Contested",
        "knows": knows,
        "escalated": items.filter(status=Status.ESCALATED).order_by("urgent_from")[:LATEST] if knows else [],
        "confirming": items.filter(status=Status.CONFIRMING).order_by("proposed_at")[:LATEST] if knows else [],
        "open": decided.filter(status=Appeal.Status.OPEN).order_by("created_at"),
        "judged": decided.exclude(status=Appeal.Status.OPEN).order_by("-decided_at")[:LATEST],
    }
    return page(request, "console/contested.html", context)


@dataclass(frozen=True)
class Answer:
    """What one person answered, as it stands beside the others': under a pseudonym, with their role."""

    who: str
    role: str
    own: bool
    seat: ReviewItem
    said: Mapping[str, Any]
    verdict: str
    reasons: list[str]
    changes: list[Change]
    at: dt.datetime
    lead_time: dt.timedelta | None
    dwell_time: dt.timedelta | None
    saw: bool | None
    is_proposal: bool
    returned: str  # why it was sent back


@require_safe
def adjudicate(request: AuthenticatedHttpRequest, pk: UUID) -> HttpResponse:
    """Show all there is about a contested item, side by side; for who may know what others said."""
    require_permission(request.user, "moderation.view_reviewitem")
    if not sees_labels(request.user):
        raise PermissionDenied
    lead = get_object_or_404(ReviewItem.objects.select_related("lead"), pk=pk).leading
    return page(request, "console/adjudicate.html", _context(request, lead))


def _context(request: AuthenticatedHttpRequest, lead: ReviewItem) -> dict[str, Any]:
    may, candidate, words = request.user.has_perm, lead.candidate, lead.words
    findings = list(candidate.findings.all()) if candidate else []
    filed = Appeal.objects.filter(decision__item=lead).select_related("decision", "appellant", "judge").first()
    escalated = _escalated_in(lead)
    answers = _answers(request, lead, words)
    outgoing = _outgoing(lead)
    return {
        "title": f"{candidate.product.title if candidate else lead.title} · contested",
        "lead": lead,
        "candidate": candidate,
        "product": candidate.product if candidate else None,
        "pieces": highlight.mark(words, findings),
        "findings": findings,
        "locale": lead.locale,
        **seen_picture(lead.picture),
        "suggested": suggestion.shown_of(lead, reader=request.user),
        "outgoing": highlight.mark(outgoing.text, outgoing.findings) if outgoing else [],
        "outgoing_findings": outgoing.findings if outgoing else [],
        "facts": highlight.facts_in(words, candidate.facts) if candidate else [],
        "answers": answers,
        "proposal": next((a for a in answers if a.is_proposal), None),
        "decisions": decisions_of(lead),
        "hidden": hidden_now(lead.customer_review) if lead.customer_review else None,
        "may_show": may("catalog.show_review"),
        "appeal": filed,
        "may_appeal": may("moderation.appeal_decision"),
        "escalated": escalated,
        "may_take": escalated is not None and _may_take(request, escalated),
        "may_confirm": confirmations.may_confirm(lead, request.user),
        "had_a_part": lead.status == Status.CONFIRMING and may("moderation.check_decision"),
        "may_judge": filed is not None and appeals.may_judge(filed, request.user),
        "moments": moments(candidate, reader=request.user) if candidate and may("moderation.audit_candidate") else None,
    }


def _outgoing(lead: ReviewItem) -> outcomes.Reading | None:
    """A person's own wording that waits for a second one, as the checks see it now;
    None where the draft itself does.
    """
    if lead.status != Status.CONFIRMING or lead.proposal is None or lead.candidate is None:
        return None
    reading = outcomes.read(lead, lead.proposal.answer)
    return reading if reading.outcome == Decision.Outcome.EDIT else None


def _escalated_in(lead: ReviewItem) -> ReviewItem | None:
    """The item a senior would answer: the leading one, or the seat of its adjudicator."""
    panel = ReviewItem.objects.filter(Q(pk=lead.pk) | Q(lead=lead), status=Status.ESCALATED)
    return panel.select_related("labeling_task", "assignee").first()


def _may_take(request: AuthenticatedHttpRequest, item: ReviewItem) -> bool:
    user = request.user
    if not user.has_perm("moderation.review_escalated_item"):
        return False
    return item.assignee_id == user.pk or handing_out.waiting_for(user).filter(pk=item.pk).exists()


def _answers(request: AuthenticatedHttpRequest, lead: ReviewItem, text: str) -> list[Answer]:
    seats = {
        seat.labeling_task_id: seat
        for seat in ReviewItem.objects.filter(Q(pk=lead.pk) | Q(lead=lead)).select_related("labeling_task", "assignee")
    }
    if lead.escalated_at:  # a senior has a task of their own; what was answered first was answered to the one before
        earlier = LabelingTask.objects.filter(Q(reference=ref(lead)) | Q(reference__startswith=f"{ref(lead)}#"))
        seats |= {task.pk: seats[lead.labeling_task_id] for task in earlier if task.pk not in seats}
    given = Consensus.objects.filter(
        Q(task__in=[pk for pk in seats if pk]) & (Q(method="single") | Q(pk=lead.proposal_id))
    )
    found = []
    for consensus in given.prefetch_related("annotations__annotator__groups").order_by("settled_at"):
        seat, annotation = seats[consensus.task_id], consensus.annotations.order_by("ls_updated_at").last()
        who: User | None = annotation.annotator if annotation else None
        said, fixed = consensus.answer, str(consensus.answer.get("fixed_text") or "")
        found.append(
            Answer(
                who=actor_ref(who) if who else "an unknown account",
                role=", ".join(sorted(group.name for group in who.groups.all())) if who else "",
                own=who == request.user,
                seat=seat,
                said=said,
                verdict=_verdict(lead.question, said),
                reasons=[REASONS.get(code, code) for code in said.get("reason_codes") or []],
                changes=diff(text, fixed) if fixed else [],
                at=consensus.settled_at,
                lead_time=recording.lead_time(consensus),
                dwell_time=recording.dwell_time(seat, consensus),
                saw=recording.saw_suggestion(seat),
                is_proposal=consensus.pk == lead.proposal_id,
                returned=_why_returned(seat, consensus),
            )
        )
    return found


def _verdict(name: str, said: Mapping[str, Any]) -> str:
    """What an answer comes to; of a question that is gone, as it was given."""
    label = question(name).label_of(said) if is_known(name) else said.get(name)
    return str(said.get("verdict") or label or "none")


def _why_returned(seat: ReviewItem, consensus: Consensus) -> str:
    """Why the last answer before it was returned was; earlier ones have their reasons in the history."""
    given = Consensus.objects.filter(task=consensus.task_id, method="single")
    before = given.filter(settled_at__lte=seat.returned_at) if seat.returned_at else given.none()
    last = before.order_by("settled_at").last()
    return seat.returned_reason if last and last.pk == consensus.pk else ""


# --- What a person may do with it ----------------------------------------------------------------------------------


@action
def take(request: AuthenticatedHttpRequest, pk: UUID) -> Act[ReviewItem]:
    """Give a senior this escalated item, and take them to the page where answers are given."""
    found = get_object_or_404(ReviewItem, pk=pk)
    return Act(
        lambda: handing_out.take_escalated(found, user=request.user),
        done="It is yours now.",
        back=reverse("console:adjudicate", args=[found.leading.pk]),
        on=review_address,
    )


@action
def confirm(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """The second person confirms."""
    found, note = get_object_or_404(ReviewItem, pk=pk), request.POST.get("note", "")
    return Act(
        lambda: confirmations.confirm(found, proposal=_proposal(request), actor=request.user, note=note),
        done="Confirmed: it is decided, by the two of you.",
        back=reverse("console:adjudicate", args=[pk]),
    )


@action
def return_(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """The second person gives it back."""
    found, reason = get_object_or_404(ReviewItem, pk=pk), request.POST.get("reason", "")
    return Act(
        lambda: confirmations.return_(found, proposal=_proposal(request), actor=request.user, reason=reason),
        done="Returned, with your reason.",
        back=reverse("console:adjudicate", args=[pk]),
    )


def _proposal(request: AuthenticatedHttpRequest) -> int:
    return whole_number(request.POST.get("proposal", "") or "0")


@action
def appeal(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """File an appeal against a decision."""
    found, reason = get_object_or_404(Decision.objects.select_related("item"), pk=pk), request.POST.get("reason", "")
    key, back = found.item.candidate_id, "contested" if found.outcome != Decision.Outcome.LABEL else "hidden_reviews"
    return Act(
        lambda: appeals.appeal(found, actor=request.user, reason=reason),
        done="The appeal is filed: somebody who had no part in the decision will judge it.",
        back=reverse("console:candidate", args=[key]) if key else reverse(f"console:{back}"),
    )


@action
def judge(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """Uphold or overturn."""
    found, overturn = get_object_or_404(Appeal.objects.select_related("decision"), pk=pk), "overturn" in request.POST
    return Act(
        lambda: appeals.judge(found, actor=request.user, overturn=overturn, answer=request.POST.get("answer", "")),
        done=OVERTURNED[found.decision.outcome == Decision.Outcome.LABEL]
        if overturn
        else "Upheld: the decision stands.",
        back=reverse("console:adjudicate", args=[found.decision.item_id]),
    )


@require_safe
def statement(request: AuthenticatedHttpRequest, pk: UUID) -> HttpResponse:
    """Download the statement of reasons: JSON, or with `?text=en` the text for whom it affects."""
    require_permission(request.user, "moderation.view_decision")
    decision = get_object_or_404(Decision, pk=pk)
    if not document.has_statement(decision):
        return redirect("console:contested")
    name = document.puid_of(decision)
    if locale := request.GET.get("text", ""):
        response = HttpResponse(document.text_for(decision, locale=locale), content_type="text/plain; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{name}.{locale if locale.isalpha() else "zh"}.txt"'
        return response
    response = JsonResponse(
        document.statement_for(decision).as_json(), json_dumps_params={"indent": 2, "ensure_ascii": False}
    )
    response["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return response
