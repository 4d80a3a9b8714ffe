"""Decisions and appeals in the console: who, why, how long, and what became of a complaint. For `admin`."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from core.admin import ReadOnlyAdmin, excerpt
from moderation.live import history
from moderation.models.appeals import Appeal
from moderation.models.reviews import Decision

OUTCOME_COLOURS = {"approve": "success", "edit": "info", "reject": "danger", "label": "", "retire": "warning"}
APPEAL_COLOURS = {"open": "warning", "upheld": "", "overturned": "info"}
QUICK = (5, 10, 20, 30, 60)


class QuickFilter(admin.SimpleListFilter):
    """Let out as it was, in less than so many seconds: an auditor's question. Any number can stand in the address."""

    title = "let out unchanged"
    parameter_name = "quicker_than"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Seconds."""
        return [(str(n), f"in less than {n} seconds") for n in QUICK]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow to approvals without an edit that took less."""
        if not (value := self.value() or "").isdecimal():
            return queryset
        least = dt.timedelta(seconds=min(int(value), 86_400))
        return queryset.filter(history.let_out_unchanged(within=least))


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    """What people decided, and why."""

    nothing_here = "Nothing was decided yet"
    what_brings = "Reviewers decide in Label Studio; “Next” on the front page hands out work."
    list_display = (
        "about",
        "what",
        "reason_codes",
        "rationale",
        "reviewer",
        "checker",
        "took",
        "dwelt",
        "suggestion_shown",
        "created_at",
    )
    list_filter = ("outcome", QuickFilter, "decided_by", "reviewer", "checker", ("created_at", RangeDateTimeFilter))
    list_select_related = ("item__candidate", "item__customer_review", "reviewer", "checker")
    search_fields = ("rationale", "item__candidate__product__sku", "item__candidate__text")

    @display(description="about")
    def about(self, obj: Decision) -> str:
        """The text in question."""
        item = obj.item
        text = item.words if item.about else ""
        return excerpt(text, length=90)

    @display(description="outcome", ordering="outcome", label=OUTCOME_COLOURS)
    def what(self, obj: Decision) -> tuple[str, str]:
        """The outcome as a coloured label; for sentiment, the label given."""
        return obj.outcome, obj.label or obj.get_outcome_display()

    @display(description="time (Label Studio)", ordering="lead_time", empty_value="–")
    def took(self, obj: Decision) -> str | None:
        """What Label Studio measured, in seconds."""
        return None if obj.lead_time is None else f"{obj.lead_time.total_seconds():,.0f} s"

    @display(description="time (ours)", ordering="dwell_time", empty_value="–")
    def dwelt(self, obj: Decision) -> str | None:
        """From taken to answered, in seconds."""
        return None if obj.dwell_time is None else f"{obj.dwell_time.total_seconds():,.0f} s"


@admin.register(Appeal)
class AppealAdmin(ReadOnlyAdmin):
    """Appeals by state. A row opens the page of the contested item."""

    nothing_here = "No appeal"
    what_brings = "Rejections and takings down can be appealed against on the page of the text, or through the API."
    list_display = ("about", "state", "reason_shown", "appellant", "judge", "answer", "created_at", "decided_at")
    list_filter = ("status", ("created_at", RangeDateTimeFilter))
    list_select_related = ("decision__item__candidate", "appellant", "judge")
    search_fields = ("reason", "answer", "decision__item__candidate__product__sku", "=decision__id")

    @display(description="about")
    def about(self, obj: Appeal) -> str:
        """The text in question."""
        candidate = obj.decision.item.candidate
        return excerpt(candidate.text, length=90) if candidate else "–"

    @display(description="state", ordering="status", label=APPEAL_COLOURS)
    def state(self, obj: Appeal) -> tuple[str, str]:
        """The state as a coloured label."""
        return obj.status, obj.get_status_display()

    @display(description="reason")
    def reason_shown(self, obj: Appeal) -> str:
        """The first words."""
        return excerpt(obj.reason, length=90)
