"""Webhooks that go out: adding an endpoint, its page, and the page of one delivery. A secret is shown once."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.actors import AuthenticatedHttpRequest, require_permission
from core.exceptions import EcomsiteError
from ecomsite.console.pages import Act, act, action, page
from outbox import endpoints, replay
from outbox.models import Delivery, Endpoint

MAX_SHOWN = 20


class EndpointForm(forms.Form):
    """Where it is and what it is told of."""

    url = forms.CharField(
        label="Address",
        widget=forms.TextInput(attrs={"placeholder": "https://", "spellcheck": "false"}),
        help_text="The receiver's; it begins with https://.",
    )
    description = forms.CharField(label="What it is", max_length=200, required=False)
    event_types = forms.MultipleChoiceField(label="Told of", widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        types = settings.OUTBOX.event_types.items()
        field = cast(forms.MultipleChoiceField, self.fields["event_types"])
        field.choices = [(type, f"{type}: {words}") for type, words in types]


class RangeForm(forms.Form):
    """Of which time; empty is all."""

    since = forms.DateTimeField(required=False)
    until = forms.DateTimeField(required=False)


@never_cache
@require_http_methods(["GET", "POST"])
def add(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Add an endpoint; what answers the form shows the secret, this once."""
    require_permission(request.user, "outbox.manage_endpoint")
    form = EndpointForm(request.POST or None, initial={"event_types": list(settings.OUTBOX.event_types)})
    if form.is_valid():
        try:
            endpoint, secret = endpoints.add_endpoint(**form.cleaned_data, actor=request.user)
        except EcomsiteError as exc:
            form.add_error("url", str(exc))
        else:
            return page(request, "console/webhook.html", {**_context(request, endpoint), "secret": secret})
    context = {"title": "Add a webhook endpoint", "form": form, "button": "Add endpoint"}
    return page(request, "console/webhook_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def change(request: AuthenticatedHttpRequest, pk: UUID) -> HttpResponse:
    """Change where an endpoint is and what it is told of."""
    require_permission(request.user, "outbox.manage_endpoint")
    found = get_object_or_404(Endpoint, pk=pk)
    shown = {"url": found.url, "description": found.description, "event_types": found.event_types}
    form = EndpointForm(request.POST or None, initial=shown)
    if form.is_valid():
        try:
            endpoints.change_endpoint(found, **form.cleaned_data, actor=request.user)
        except EcomsiteError as exc:
            form.add_error("url", str(exc))
        else:
            return redirect("console:webhook", pk=pk)
    context = {"title": f"Change {found}", "form": form, "button": "Save"}
    return page(request, "console/webhook_form.html", context, status=422 if form.errors else 200)


@require_safe
def show(request: AuthenticatedHttpRequest, pk: UUID) -> HttpResponse:
    """Show an endpoint and what was sent to it last."""
    require_permission(request.user, "outbox.view_endpoint")
    return page(request, "console/webhook.html", _context(request, get_object_or_404(Endpoint, pk=pk)))


def _context(request: AuthenticatedHttpRequest, endpoint: Endpoint) -> dict[str, Any]:
    endpoint.refresh_from_db()
    sent = endpoint.deliveries.select_related("event")
    may_manage = request.user.has_perm("outbox.manage_endpoint")
    is_active = endpoint.status == Endpoint.Status.ACTIVE
    n_dead = sent.filter(status=Delivery.Status.DEAD).count()
    return {
        "title": str(endpoint),
        "endpoint": endpoint,
        # The path may hold a token of the receiver's.
        "address": endpoint.url if may_manage else endpoint.host,
        "is_resting": endpoint.lease_token is None and (endpoint.lease_expires_at or timezone.now()) > timezone.now(),
        "previous": endpoint.secrets.filter(expires_at__gt=timezone.now()).first(),
        "deliveries": sent[:MAX_SHOWN],
        "n_pending": sent.filter(status=Delivery.Status.PENDING).count(),
        "n_dead": n_dead,
        "may_manage": may_manage,
        "may_replay": is_active and n_dead and request.user.has_perm("outbox.replay_delivery"),
        "is_active": is_active,
        "overlap": endpoints.OVERLAP,
    }


@never_cache
@require_POST
def rotate(request: AuthenticatedHttpRequest, pk: UUID) -> HttpResponse:
    """Make a new secret; the answer shows it, this once."""
    found, at_once = get_object_or_404(Endpoint, pk=pk), request.POST.get("at_once") == "on"
    try:
        secret = endpoints.rotate_secret(found, actor=request.user, at_once=at_once)
    except EcomsiteError as exc:
        return page(request, "console/webhook.html", {**_context(request, found), "trouble": str(exc)}, status=409)
    return page(request, "console/webhook.html", {**_context(request, found), "secret": secret})


@action
def disable(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """Stop sending to an endpoint."""
    found, reason = get_object_or_404(Endpoint, pk=pk), request.POST.get("reason", "")
    return Act(
        lambda: endpoints.disable_endpoint(found, actor=request.user, reason=reason),
        done="Disabled. What is on its way waits until it is enabled again.",
        back=reverse("console:webhook", args=[pk]),
    )


@action
def enable(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """Send to an endpoint again."""
    found = get_object_or_404(Endpoint, pk=pk)
    return Act(
        lambda: endpoints.enable_endpoint(found, actor=request.user),
        done="Enabled. What waited is sent now.",
        back=reverse("console:webhook", args=[pk]),
    )


@action
def test(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """Send a test event."""
    found = get_object_or_404(Endpoint, pk=pk)
    return Act(
        lambda: endpoints.send_test(found, actor=request.user),
        done="A test event is on its way; reload to see what became of it.",
        back=reverse("console:webhook", args=[pk]),
    )


@require_POST
def replay_all(request: AuthenticatedHttpRequest, pk: UUID) -> HttpResponse:
    """Send the dead letters of an endpoint again, all or those of a range of time."""
    found, form = get_object_or_404(Endpoint, pk=pk), RangeForm(request.POST)
    times: dict[str, dt.datetime | None] = form.cleaned_data if form.is_valid() else {}
    if not form.is_valid():
        context = {**_context(request, found), "trouble": "Times are written as 2026-11-25 14:00."}
        return page(request, "console/webhook.html", context, status=422)
    asked = Act(
        lambda: replay.replay_endpoint(found, actor=request.user, **times),
        done="The dead letters are on their way again.",
        back=reverse("console:webhook", args=[pk]),
    )
    return act(request, asked)


@require_safe
def delivery(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Show one delivery: what is sent, and what came of it."""
    require_permission(request.user, "outbox.view_delivery")
    found = get_object_or_404(Delivery.objects.select_related("event", "endpoint"), pk=pk)
    is_dead = found.status == Delivery.Status.DEAD and found.endpoint.status == Endpoint.Status.ACTIVE
    context = {
        "title": f"Webhook {found.event.type} to {found.endpoint}",
        "delivery": found,
        "body": found.event.body().decode(),
        "may_replay": is_dead and request.user.has_perm("outbox.replay_delivery"),
    }
    return page(request, "console/delivery.html", context)


@action
def replay_one(request: AuthenticatedHttpRequest, pk: int) -> Act[object]:
    """Send one dead letter again."""
    found = get_object_or_404(Delivery.objects.select_related("endpoint"), pk=pk)
    return Act(
        lambda: replay.replay_delivery(found, actor=request.user),
        done="On its way again.",
        back=reverse("console:delivery", args=[pk]),
    )
