"""One item with everybody who was asked about it, and what a senior may do with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from core.actors import AuthenticatedHttpRequest, require_permission
from ecomsite.console.candidates import decisions_of
from ecomsite.console.fields import whole_number
from ecomsite.console.pages import Act, action, page
from ecomsite.media import seen_picture
from labeling.labels import rater_of
from labeling.models import Label, LabelIssue, Vote
from labeling.question import is_known, question
from moderation.decisions import panels, second_reviews, sending_back
from moderation.models.reviews import ReviewItem
from moderation.queues.blindness import doubts_shown, is_blind_to
from moderation.queues.seats import UNDECIDED, sees_labels

Status = ReviewItem.Status


@dataclass(frozen=True)
class Seat:
    """One person's part, as the page shows it. `hidden`: who looks may still be asked, and must not be told of it."""

    item: ReviewItem
    vote: Vote | None
    saw: bool
    hidden: bool
    may_send_back: bool


@require_safe
def panel(request: AuthenticatedHttpRequest, pk: UUID) -> HttpResponse:
    """Show who was asked, what they answered, and what came of it."""
    require_permission(request.user, "moderation.view_reviewitem")
    item = get_object_or_404(ReviewItem, pk=pk)
    if item.purpose != Vote.Purpose.LABEL and not sees_labels(request.user):
        raise Http404
    return page(request, "console/panel.html", _context(request, item.leading))


def _context(request: AuthenticatedHttpRequest, lead: ReviewItem) -> dict[str, Any]:
    subject, may = lead.about, request.user.has_perm
    asked = ReviewItem.objects.filter(Q(pk=lead.pk) | Q(lead=lead)).select_related("assignee", "labeling_task")
    items, knows = list(asked.order_by("created_at", "pk")), sees_labels(request.user)
    votes = {vote.rater: vote for vote in Vote.objects.filter(question=lead.question, subject=subject)}
    senior = may("moderation.review_escalated_item")
    # While anybody is asked, or tested, who works the queue may be the next; what others said is not for them.
    is_hidden = not knows and (bool(lead.gold_label) or any(item.status in UNDECIDED for item in items))
    shown = items if knows else [item for item in items if item.purpose == Vote.Purpose.LABEL]
    seats = [_seat(request, item, votes, senior=senior, is_hidden=is_hidden) for item in shown]
    label = None if is_hidden else Label.objects.filter(question=lead.question, subject=subject).first()
    return {
        "title": f"{lead.title} · who was asked",
        "lead": lead,
        "text": (is_known(lead.question) and next(iter(question(lead.question).texts([subject])))) or lead.words,
        "locale": lead.locale,
        **seen_picture(lead.picture),
        "subject_url": lead.subject_address,
        "seats": seats,
        "decisions": [] if is_hidden else decisions_of(lead),
        "may_appeal": may("moderation.appeal_decision"),
        "may_adjudicate": knows,
        "suggestion": "" if is_hidden or is_blind_to(request.user, lead) else lead.suggestion,
        "label": label,
        "issues": doubts_shown(LabelIssue.objects.filter(question=lead.question, subject=subject), reader=request.user)
        if may("labeling.view_labelissue")
        else [],
        "n_asked": sum(seat.item.purpose == Vote.Purpose.LABEL for seat in seats),
        "may_ask_more": senior and lead.status in (Status.WAITING, Status.DISPATCHED, Status.ANSWERED),
        "may_set_gold": lead.status == Status.DECIDED and label is not None and may("moderation.set_gold"),
    }


def _seat(
    request: AuthenticatedHttpRequest, item: ReviewItem, votes: dict[str, Vote], *, senior: bool, is_hidden: bool
) -> Seat:
    own = item.assignee_id == request.user.pk
    return Seat(
        item=item,
        vote=votes.get(rater_of(item.assignee)) if item.assignee else None,
        saw=bool(item.suggestion and item.labeling_task and item.labeling_task.shows_predictions),
        hidden=is_hidden and not own,
        may_send_back=senior and not own and item.status == Status.ANSWERED,
    )


@action
def send_back(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """Give an answer back, with the reason."""
    item, to_same_person = get_object_or_404(ReviewItem, pk=pk), request.POST.get("to") == "same"
    return Act(
        lambda: sending_back.send_back(
            item, actor=request.user, reason=request.POST.get("reason", ""), to_same_person=to_same_person
        ),
        done="Sent back to the person who answered." if to_same_person else "Somebody else is asked.",
        back=reverse("console:panel", args=[item.leading.pk]),
    )


@action
def ask_more(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """Have more people answer an item."""
    item, n = get_object_or_404(ReviewItem, pk=pk), request.POST.get("n", "")
    return Act(
        lambda: panels.ask_more(item, n=whole_number(n or "0"), actor=request.user),
        done="More people are asked.",
        back=reverse("console:panel", args=[pk]),
    )


@action
def set_gold(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """Make the answer a known one, or end that."""
    item, label = get_object_or_404(ReviewItem, pk=pk), request.POST.get("label", "")
    return Act(
        lambda: second_reviews.set_gold(item, label=label, actor=request.user),
        done="People are tested with it from now on." if label else "Nobody is tested with it any more.",
        back=reverse("console:panel", args=[pk]),
    )
