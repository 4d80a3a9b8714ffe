"""The desk in the console: orders, drafts, human work and decisions, by state. Rows open the page that tells the story."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.timesince import timesince
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from core.admin import ReadOnlyAdmin, excerpt
from moderation.models.candidates import Candidate, GenerationRequest
from moderation.models.reviews import Decision, ReviewItem, Sentiment

REQUEST_COLOURS = {"queued": "", "generating": "info", "completed": "success", "failed": "danger", "cancelled": ""}
CANDIDATE_COLOURS = {
    "generated": "", "blocked": "danger", "in_review": "info", "approved": "success", "rejected": "warning",
    "published": "success", "retired": "", "superseded": "",
}  # fmt: skip
ITEM_COLOURS = {"waiting": "", "dispatched": "info", "escalated": "warning", "decided": "success", "withdrawn": ""}
OUTCOME_COLOURS = {"approve": "success", "edit": "info", "reject": "danger", "label": ""}


@admin.register(GenerationRequest)
class GenerationRequestAdmin(ReadOnlyAdmin):
    """Orders for copy. A row opens the order with its drafts."""

    list_display = ("product", "channel", "locale", "state", "n_candidates", "round", "created_at", "trouble")
    list_filter = ("status", "channel", "locale", "prompt_version")
    list_select_related = ("product",)
    search_fields = ("product__sku", "product__title")
    actions_list = ("request_copy",)

    def has_request_copy_permission(self, request: HttpRequest) -> bool:
        """Whether the button is shown; the function behind the form checks again."""
        return request.user.has_perm("moderation.request_copy")

    @action(description="Request copy", icon="add", permissions=["request_copy"])
    def request_copy(self, request: HttpRequest) -> HttpResponse:
        """Go to the form that asks for copy."""
        return redirect("console:request_copy")

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the order with its drafts."""
        return redirect("console:request", pk=object_id)

    @display(description="state", ordering="status", label=REQUEST_COLOURS)
    def state(self, obj: GenerationRequest) -> tuple[str, str]:
        """The state as a coloured label."""
        return obj.status, obj.get_status_display()

    @display(description="trouble")
    def trouble(self, obj: GenerationRequest) -> str:
        """What went wrong last, while that still matters."""
        return "" if obj.status == GenerationRequest.Status.COMPLETED else excerpt(obj.last_error, length=80)


@admin.register(Candidate)
class CandidateAdmin(ReadOnlyAdmin):
    """Drafts by state. A row opens the candidate page."""

    list_display = (
        "about",
        "state",
        "product",
        "channel",
        "locale",
        "grounding_shown",
        "rank",
        "origin",
        "created_at",
    )
    list_filter = (
        "status", "channel", "locale", "origin", "findings__code", "model_version", ("created_at", RangeDateTimeFilter),
    )  # fmt: skip
    list_select_related = ("product",)
    search_fields = ("text", "product__sku", "product__title", "=id")

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the candidate page."""
        return redirect("console:candidate", pk=object_id)

    @display(description="text")
    def about(self, obj: Candidate) -> str:
        """The first words."""
        return excerpt(obj.text) or "(no text)"

    @display(description="state", ordering="status", label=CANDIDATE_COLOURS)
    def state(self, obj: Candidate) -> tuple[str, str]:
        """The state as a coloured label."""
        return obj.status, obj.get_status_display()

    @display(description="grounding", ordering="grounding", empty_value="–")
    def grounding_shown(self, obj: Candidate) -> str | None:
        """How well the facts back it."""
        return None if obj.grounding is None else f"{obj.grounding:.0%}"


class AgeFilter(admin.SimpleListFilter):
    """How long an item has been waiting."""

    title = "age"
    parameter_name = "older_than"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Hours."""
        return [("1", "older than an hour"), ("24", "older than a day"), ("168", "older than a week")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow to items made that long ago."""
        if (value := self.value()) in {"1", "24", "168"}:
            return queryset.filter(created_at__lt=timezone.now() - dt.timedelta(hours=int(value)))
        return queryset


@admin.register(ReviewItem)
class ReviewItemAdmin(ReadOnlyAdmin):
    """The queue of human work."""

    list_display = ("about", "kind", "state", "why_here", "assignee", "age", "in_label_studio", "escalated_reason")
    list_filter = ("status", "kind", AgeFilter, "assignee")
    list_select_related = ("candidate__product", "customer_review", "assignee", "labeling_task")
    search_fields = ("candidate__product__sku", "candidate__text", "customer_review__text")

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the candidate it is about; a review of sentiment has no page of its own and shows its row."""
        item = self.get_object(request, object_id)
        if isinstance(item, ReviewItem) and item.candidate_id and request.user.has_perm("moderation.view_candidate"):
            return redirect("console:candidate", pk=item.candidate_id)
        return super().change_view(request, object_id, *args, **kwargs)

    @display(description="about")
    def about(self, obj: ReviewItem) -> str:
        """The text in question."""
        text = obj.candidate.text if obj.candidate else obj.customer_review.text if obj.customer_review else ""
        return excerpt(text, length=90)

    @display(description="state", ordering="status", label=ITEM_COLOURS)
    def state(self, obj: ReviewItem) -> tuple[str, str]:
        """The state as a coloured label."""
        return obj.status, obj.get_status_display()

    @display(description="why here", ordering="urgent_from")
    def why_here(self, obj: ReviewItem) -> str:
        """What orders the queue, in words; the list's own order is by the same."""
        return obj.factors.in_words()

    @display(description="age", ordering="created_at")
    def age(self, obj: ReviewItem) -> str:
        """Time since it was opened, or what it took."""
        return timesince(obj.created_at, obj.decided_at or timezone.now(), depth=1)

    @display(description="in Label Studio", boolean=True)
    def in_label_studio(self, obj: ReviewItem) -> bool:
        """Whether the task stands there already."""
        return obj.labeling_task is not None and obj.labeling_task.ls_task_id is not None


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    """What people decided, and why."""

    list_display = ("about", "what", "reason_codes", "rationale", "reviewer", "lead_time", "created_at")
    list_filter = ("outcome", "decided_by", "reviewer", ("created_at", RangeDateTimeFilter))
    list_select_related = ("item__candidate", "item__customer_review", "reviewer")
    search_fields = ("rationale", "item__candidate__product__sku", "item__candidate__text")

    @display(description="about")
    def about(self, obj: Decision) -> str:
        """The text in question."""
        item = obj.item
        text = item.candidate.text if item.candidate else item.customer_review.text if item.customer_review else ""
        return excerpt(text, length=90)

    @display(description="outcome", ordering="outcome", label=OUTCOME_COLOURS)
    def what(self, obj: Decision) -> tuple[str, str]:
        """The outcome as a coloured label; for sentiment, the label given."""
        return obj.outcome, obj.label or obj.get_outcome_display()


@admin.register(Sentiment)
class SentimentAdmin(ReadOnlyAdmin):
    """Sentiment scores of customer reviews."""

    list_display = ("review", "shown", "confidence_shown", "model_version", "created_at")
    list_filter = ("label", "model_version")
    list_select_related = ("review", "model_version")

    @display(description="label", ordering="label", label={"positive": "success", "negative": "danger", "neutral": ""})
    def shown(self, obj: Sentiment) -> tuple[str, str]:
        """The label, coloured."""
        return obj.label, obj.label

    @display(description="confidence", ordering="confidence")
    def confidence_shown(self, obj: Sentiment) -> str:
        """Probability of the label."""
        return f"{obj.confidence:.0%}"
