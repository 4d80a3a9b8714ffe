"""Customer reviews that a decision hides: why, since when, its statement, and the button that shows one again."""

from __future__ import annotations

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog import selectors
from catalog.models import HiddenReview
from core.actors import AuthenticatedHttpRequest, require_permission
from core.refs import keys_of
from ecomsite.console.pages import Act, action, page
from moderation.decisions import appeals, rulings
from moderation.models.appeals import Appeal
from moderation.models.reviews import Decision

EACH = 50


@require_safe
def hidden_reviews(request: AuthenticatedHttpRequest) -> HttpResponse:
    """List what is hidden now, the latest first."""
    require_permission(request.user, "catalog.view_hiddenreview")
    shown = Paginator(selectors.hidden_reviews(), EACH).get_page(request.GET.get("page"))
    rows = list(shown)
    decisions = Decision.objects.select_related("reviewer", "checker", "appeal", "item").in_bulk(
        keys_of([row.decision_ref for row in rows], Decision)
    )
    by_ref = {f"{Decision._meta.label_lower}:{pk}": decision for pk, decision in decisions.items()}
    context = {
        "title": "Hidden reviews",
        "shown": shown,
        "entries": [(row, decision, _why_not(decision)) for row in rows if (decision := by_ref.get(row.decision_ref))],
        "may_show": request.user.has_perm("catalog.show_review"),
        "may_appeal": request.user.has_perm("moderation.appeal_decision"),
        "longest": rulings.LONGEST,
    }
    return page(request, "console/hidden_reviews.html", context)


def _why_not(decision: Decision) -> str:
    """Why nobody can appeal against it (any more); one that is filed already stands beside it."""
    return "filed" if Appeal.objects.filter(decision=decision).exists() else appeals.why_not(decision)


@action
def show_again(request: AuthenticatedHttpRequest, pk: UUID) -> Act[Decision]:
    """Show a hidden review again, with a reason."""
    found, reason = get_object_or_404(HiddenReview, pk=pk), request.POST.get("reason", "")
    return Act(
        lambda: rulings.show_again(found, actor=request.user, reason=reason),
        done="It is shown again. Your decision takes the place of the one that hid it.",
        back=reverse("console:hidden_reviews"),
    )
