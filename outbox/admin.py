"""Webhooks in the console: endpoints, what is on its way to them, and dead letters. Rows open pages that can act."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from core.admin import ReadOnlyAdmin, excerpt, lead_on
from outbox.models import Delivery, Endpoint
from outbox.selectors import with_counts

DELIVERY_COLOURS = {"pending": "info", "delivered": "success", "dead": "danger"}


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin):
    """Who is told of what, and how that goes. No secret, and of the address the host alone."""

    nothing_here = "Nobody is told of anything"
    what_brings = "“manage.py webhooks add URL” tells another system what happens here."
    list_display = ("name", "host", "state", "told_of", "n_pending", "n_dead", "failing_since", "served_at")
    list_filter = ("status",)
    actions_list = ("add_endpoint",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        """Count what waits and what is dead."""
        return with_counts(super().get_queryset(request))

    def has_manage_endpoint_permission(self, request: HttpRequest) -> bool:
        """Whether the button is shown; the function behind the form checks again."""
        return request.user.has_perm("outbox.manage_endpoint")

    @action(description="Add endpoint", icon="add", permissions=["manage_endpoint"])
    def add_endpoint(self, request: HttpRequest) -> HttpResponse:
        """Go to the form that adds one."""
        return redirect("console:add_webhook")

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the endpoint's page."""
        return lead_on("console:webhook", Endpoint, object_id)

    @display(description="endpoint")
    def name(self, obj: Endpoint) -> str:
        """What people call it."""
        return excerpt(str(obj), length=60)

    @display(description="state", ordering="status", label={"active": "success", "failing": "danger", "disabled": ""})
    def state(self, obj: Endpoint) -> tuple[str, str]:
        """The state as a coloured label; failing is no state, but worth a colour."""
        if obj.status == Endpoint.Status.ACTIVE and obj.n_attempts and obj.failing_since:
            return "failing", "Failing"
        return obj.status, obj.get_status_display()

    @display(description="told of")
    def told_of(self, obj: Endpoint) -> str:
        """The event types."""
        return ", ".join(obj.event_types)

    @display(description="pending")
    def n_pending(self, obj: Any) -> int:
        """What is on its way."""
        return int(obj.pending)

    @display(description="dead letters")
    def n_dead(self, obj: Any) -> int:
        """What was given up."""
        return int(obj.dead)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Deliveries by state. A row opens the delivery, where a dead letter can be replayed."""

    nothing_here = "Nothing was sent"
    what_brings = "Deliveries to webhook endpoints are listed here."
    list_display = ("kind", "endpoint", "state", "tries", "answer", "tried_at", "next_try", "last_error")
    list_filter = ("status", "event__type", "endpoint", ("created_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("event", "endpoint")
    search_fields = ("=event__id",)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the delivery's page."""
        return lead_on("console:delivery", Delivery, object_id)

    @display(description="type", ordering="event__type")
    def kind(self, obj: Delivery) -> str:
        """What happened."""
        return obj.event.type

    @display(description="state", ordering="status", label=DELIVERY_COLOURS)
    def state(self, obj: Delivery) -> tuple[str, str]:
        """The state as a coloured label."""
        return obj.status, obj.get_status_display()

    @display(description="next try", ordering="due_at", empty_value="–")
    def next_try(self, obj: Delivery) -> Any:
        """When it is tried next, while it is tried at all."""
        return obj.due_at if obj.status == Delivery.Status.PENDING else None

    @display(description="tries", ordering="n_attempts")
    def tries(self, obj: Delivery) -> int:
        """How often it was sent since it was made or replayed."""
        return obj.n_attempts

    @display(description="answer", ordering="response_status", empty_value="–")
    def answer(self, obj: Delivery) -> int | None:
        """The receiver's last status."""
        return obj.response_status
