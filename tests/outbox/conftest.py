"""Receivers on this machine, and an outbox that may reach them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction
from django.db.models.functions import Now

from core.actors import SystemActor
from outbox import delivery, endpoints
from outbox.events import emit
from outbox.models import Delivery, Endpoint, Event
from tests.outbox.receiver import Receiver

TESTS = SystemActor("tests")


@pytest.fixture(autouse=True)
def outbox_settings(settings: Any) -> None:
    """Receivers on 127.0.0.1 are allowed, a try takes at most two seconds, and there are three of them."""
    pauses = (dt.timedelta(seconds=5), dt.timedelta(minutes=5))
    settings.OUTBOX = replace(settings.OUTBOX, allow_private=True, timeout_s=2, retry_pauses=pauses)


@pytest.fixture
def start_receiver() -> Iterator[Callable[..., Receiver]]:
    """Return a function that starts a receiver. All are closed at the end."""
    started: list[Receiver] = []

    def start(**options: Any) -> Receiver:
        started.append(Receiver(**options))
        return started[-1]

    yield start
    for receiver in started:
        receiver.close()


@pytest.fixture
def receiver(start_receiver: Callable[..., Receiver]) -> Receiver:
    return start_receiver()


def subscribe(receiver: Receiver, *types: str, **fields: Any) -> tuple[Endpoint, str]:
    """Add `receiver` as an endpoint for `types`, and return it with its secret."""
    return endpoints.add_endpoint(receiver.url, event_types=types or ("copy.published",), actor=TESTS, **fields)


def happen(type: str = "copy.published", **data: Any) -> Event:
    """Let something happen that somebody subscribed to."""
    with transaction.atomic():
        event = emit(type, {"sku": "MUG-1", **data})
    assert event is not None
    return event


def drain() -> int:
    """Serve everybody until nothing is due; returns how many deliveries were tried."""
    tried = 0
    while n := delivery.deliver():
        tried += n
    return tried


def let_time_pass() -> None:
    """Everything that rests or is put off is due now."""
    Endpoint.objects.filter(lease_token=None).update(lease_expires_at=None)
    Delivery.objects.filter(status="pending").update(due_at=Now())
