"""Alerts, refused access and the AI mark on pages, in the console: read, and an alert taken on."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from core.actors import AuthenticatedHttpRequest
from core.admin import ReadOnlyAdmin, excerpt
from core.exceptions import EcomsiteError
from monitoring import alerts
from monitoring.models import Alert, MarkCheck, Refusal
from monitoring.parts import in_words


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """What was in trouble, newest first; "See to it" says that somebody does."""

    nothing_here = "No alert"
    what_brings = (
        "Nothing has been in trouble. Each part of the desk is looked at every minute; “Queues & health” "
        "shows them all."
    )
    list_display = ("part", "state_shown", "words", "raised_at", "lasted", "taken_after", "acknowledged_by", "note")
    list_filter = (("ended_at", admin.EmptyFieldListFilter), "state", "part", ("raised_at", RangeDateTimeFilter))
    list_filter_submit = True
    actions = ("see_to_it",)

    def has_acknowledge_alert_permission(self, request: HttpRequest) -> bool:
        """Whether the action is offered; the function checks again."""
        return request.user.has_perm("monitoring.acknowledge_alert")

    @action(description="See to it", permissions=["acknowledge_alert"])
    def see_to_it(self, request: AuthenticatedHttpRequest, queryset: QuerySet[Alert]) -> None:
        """Note that this person sees to the alerts that were picked."""
        for alert in queryset:
            try:
                alerts.acknowledge(alert, actor=request.user)
            except EcomsiteError as exc:
                messages.error(request, f"{alert.part}: {exc}")
            else:
                messages.success(request, f"{alert.part}: you see to it.")

    @display(description="state", label={"down": "danger", "alarm": "danger", "busy": "warning", "over": "success"})
    def state_shown(self, obj: Alert) -> tuple[str, str]:
        """Open alerts in the colour of their state."""
        return ("over", "Over") if obj.ended_at else (obj.state, obj.state.capitalize())

    @display(description="lasted")
    def lasted(self, obj: Alert) -> str:
        """From raised to over."""
        return in_words(obj.ended_at - obj.raised_at) if obj.ended_at else "still open"

    @display(description="taken on after")
    def taken_after(self, obj: Alert) -> str:
        """The time to act."""
        return in_words(obj.acknowledged_at - obj.raised_at) if obj.acknowledged_at else "–"


@admin.register(Refusal)
class RefusalAdmin(ReadOnlyAdmin):
    """Failed sign-ins and missing permissions, counted by the hour."""

    nothing_here = "Nobody was refused"
    what_brings = "Failed sign-ins and missing permissions are counted here, by the hour."
    list_display = ("hour", "kind", "account", "what", "n")
    list_filter = ("kind", ("hour", RangeDateTimeFilter))
    list_filter_submit = True
    search_fields = ("account__exact", "what__contains")


@admin.register(MarkCheck)
class MarkCheckAdmin(ReadOnlyAdmin):
    """The last look at the page of each live text that was looked at."""

    nothing_here = "No page was looked at yet"
    what_brings = (
        "“manage.py check_marks” reads the shop's pages and looks for the AI mark; SHOP_PAGE_URL says where they are."
    )
    list_display = ("copy", "outcome_shown", "found", "at", "url_shown")
    list_filter = ("outcome", ("at", RangeDateTimeFilter))
    list_filter_submit = True
    search_fields = ("copy__product__sku__exact",)
    list_select_related = ("copy__product",)

    @display(
        description="outcome",
        label={"carried": "success", "stripped": "danger", "no_text": "warning", "unreachable": "warning"},
    )
    def outcome_shown(self, obj: MarkCheck) -> tuple[str, str]:
        """The outcome as a coloured label."""
        return obj.outcome, obj.get_outcome_display()

    @display(description="found")
    def found(self, obj: MarkCheck) -> str:
        """Which parts were there."""
        details: dict[str, Any] = obj.details
        if "why" in details:
            return excerpt(str(details["why"]))
        parts = [name for name in ("text", "label", "record", "json_ld") if details.get(name)]
        return ", ".join([*parts, f"C2PA {details.get('c2pa')}"])

    @display(description="page")
    def url_shown(self, obj: MarkCheck) -> str:
        """The address."""
        return excerpt(obj.url, length=80)
