"""Say that something happened: in the transaction that makes it so, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from core.hints import hint_on_commit
from outbox.models import Delivery, Endpoint, Event

TEST = "endpoint.test"


def emit(type: str, data: Mapping[str, Any]) -> Event | None:
    """Write the event and a delivery to every active endpoint that subscribed to `type`, in the caller's transaction.

    Nobody subscribed: nothing is written, and None is returned. `data` is JSON: references, skus, codes and counts,
    people as `user:<id>`; no personal data and no text that the API serves. Before the ledger's line, which comes last.
    Raises `TransactionManagementError` outside `atomic`, `LookupError` for a type that the settings do not list.
    """
    if type not in settings.OUTBOX.event_types:
        raise LookupError(f"no such event type: {type!r}; see settings.OUTBOX.event_types")
    return deliver_to(Endpoint.objects.filter(status=Endpoint.Status.ACTIVE, event_types__contains=type), type, data)


def deliver_to(endpoints: Any, type: str, data: Mapping[str, Any]) -> Event | None:
    """Write an event for just these `endpoints`. Raises `TransactionManagementError` outside `atomic`."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("an event is written inside the transaction it tells of")
    receivers = list(endpoints)
    if not receivers:
        return None
    event = Event.objects.create(type=type, data=dict(data))
    Delivery.objects.bulk_create([Delivery(event=event, endpoint=endpoint, due_at=Now()) for endpoint in receivers])
    hint_on_commit("outbox.deliver")
    return event
