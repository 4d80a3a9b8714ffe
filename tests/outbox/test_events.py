"""An event is written with the change it tells of, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import transaction

from outbox import endpoints
from outbox.events import emit
from outbox.models import Delivery, Event
from tests.outbox.conftest import TESTS, drain, happen, subscribe
from tests.outbox.receiver import Receiver


@pytest.mark.django_db
def test_an_event_goes_to_every_active_endpoint_that_subscribed(start_receiver: Any) -> None:
    both = [subscribe(start_receiver())[0] for _ in range(2)]
    subscribe(start_receiver(), "request.failed")
    disabled, _ = subscribe(start_receiver())
    endpoints.disable_endpoint(disabled, actor=TESTS, reason="moved")
    event = happen()
    assert {delivery.endpoint for delivery in event.deliveries.all()} == set(both)


@pytest.mark.django_db
def test_nothing_is_written_when_nobody_subscribed() -> None:
    with transaction.atomic():
        assert emit("copy.published", {}) is None
    assert not Event.objects.exists()


@pytest.mark.django_db
def test_an_unknown_type_is_a_mistake(receiver: Receiver) -> None:
    with pytest.raises(LookupError, match=r"copy\.burnt"), transaction.atomic():
        emit("copy.burnt", {})


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_is_refused(receiver: Receiver) -> None:
    subscribe(receiver)
    with pytest.raises(transaction.TransactionManagementError):
        emit("copy.published", {})


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_tells_nobody(receiver: Receiver) -> None:
    subscribe(receiver)
    with transaction.atomic():
        emit("copy.published", {"sku": "MUG-1"})
        transaction.set_rollback(True)
    assert not Event.objects.exists()
    assert not Delivery.objects.exists()
    assert drain() == 0
    assert receiver.received == []


@pytest.mark.django_db
def test_the_reference_library_verifies_what_arrives(receiver: Receiver) -> None:
    _, secret = subscribe(receiver)
    event = happen(title="Größe 价格")
    assert drain() == 1
    (request,) = receiver.received
    assert request.verified(secret) == {
        "type": "copy.published",
        "timestamp": event.created_at.isoformat().replace("+00:00", "Z"),
        "data": {"sku": "MUG-1", "title": "Größe 价格"},
    }
    assert request.id == event.pk
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert request.path == "/hooks"
    assert json.loads(request.body)["type"] == "copy.published"
