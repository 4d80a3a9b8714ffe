"""The desk in the console: orders, drafts, human work and decisions, by state. Rows open the page with the story."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.timesince import timesince
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from core.admin import ReadOnlyAdmin, excerpt, lead_on
from labeling.models import Vote
from moderation import decision_admin, prediction_admin  # noqa: F401  (Django looks for admins in this module)
from moderation.models.candidates import Candidate, GenerationRequest
from moderation.models.reviews import ReviewItem
from moderation.queues.seats import sees_labels

REQUEST_COLOURS = {"queued": "", "generating": "info", "completed": "success", "failed": "danger", "cancelled": ""}
CANDIDATE_COLOURS = {
    "generated": "",
    "blocked": "danger",
    "in_review": "info",
    "approved": "success",
    "rejected": "warning",
    "published": "success",
    "retired": "",
    "superseded": "",
}
ITEM_COLOURS = {
    "waiting": "",
    "dispatched": "info",
    "answered": "info",
    "escalated": "warning",
    "confirming": "warning",
    "decided": "success",
    "withdrawn": "",
}


@admin.register(GenerationRequest)
class GenerationRequestAdmin(ReadOnlyAdmin):
    """Orders for copy. A row opens the order with its drafts."""

    nothing_here = "Nothing is on order"
    what_brings = "“Request copy” orders drafts for products."
    list_display = (
        "product",
        "channel",
        "locale",
        "variant",
        "state",
        "n_candidates",
        "round",
        "created_at",
        "trouble",
    )
    list_filter = ("status", "channel", "locale", "variant", "audience", "prompt_version")
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
        return lead_on("console:request", GenerationRequest, object_id)

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

    nothing_here = "No draft yet"
    what_brings = "Models write them once copy is requested."
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
        "status",
        "channel",
        "locale",
        "origin",
        "findings__code",
        "model_version",
        ("created_at", RangeDateTimeFilter),
    )
    list_select_related = ("product",)
    search_fields = ("text", "product__sku", "product__title", "=id")

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the candidate page."""
        return lead_on("console:candidate", Candidate, object_id)

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

    nothing_here = "Nothing to review yet"
    what_brings = "Drafts that pass the checks and reviews that the model is unsure of come here."
    list_display = (
        "words_asked",
        "question",
        "purpose",
        "state",
        "why_here",
        "assignee",
        "age",
        "in_label_studio",
        "escalated_reason",
    )
    list_filter = ("status", "question", "purpose", AgeFilter, "assignee")
    list_select_related = (
        "candidate__product",
        "customer_review",
        "lead__candidate",
        "lead__customer_review",
        "assignee",
        "labeling_task",
    )
    search_fields = ("candidate__product__sku", "candidate__text", "customer_review__text")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReviewItem]:
        """Who works the queue is not told which items test people or judge labels, nor what a senior is asked."""
        items: QuerySet[ReviewItem] = super().get_queryset(request)
        return items if sees_labels(request.user) else items.filter(purpose=Vote.Purpose.LABEL)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Without the purpose, for those."""
        return [name for name in self.list_display if name != "purpose" or sees_labels(request.user)]

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Without the purpose, for those."""
        return [name for name in self.list_filter if name != "purpose" or sees_labels(request.user)]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show who was asked about it, and what a senior may do."""
        if isinstance(self.get_object(request, object_id), ReviewItem):
            return lead_on("console:panel", ReviewItem, object_id)
        return super().change_view(request, object_id, *args, **kwargs)

    @display(description="about")
    def words_asked(self, obj: ReviewItem) -> str:
        """The text in question."""
        return excerpt(obj.words, length=90)

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
