"""What administrators do with endpoints, who may, what the ledger says of it, and where a secret never is."""

from __future__ import annotations

import base64
import datetime as dt
import logging
from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from audit.models import LedgerEntry
from core.exceptions import PermanentError, StaleState
from outbox import delivery, endpoints, replay
from outbox.models import Delivery, Endpoint, Secret
from tests import people
from tests.outbox.conftest import TESTS, drain, happen, let_time_pass, subscribe
from tests.outbox.receiver import Receiver, Reply

pytestmark = pytest.mark.django_db
ACTS = {
    "add": lambda endpoint, actor: endpoints.add_endpoint(endpoint.url, event_types=["copy.retired"], actor=actor),
    "change": lambda endpoint, actor: endpoints.change_endpoint(
        endpoint, url=endpoint.url, event_types=["copy.retired"], description="", actor=actor
    ),
    "rotate": lambda endpoint, actor: endpoints.rotate_secret(endpoint, actor=actor),
    "disable": lambda endpoint, actor: endpoints.disable_endpoint(endpoint, actor=actor, reason="moved"),
    "enable": lambda endpoint, actor: endpoints.enable_endpoint(endpoint, actor=actor),
    "test": lambda endpoint, actor: endpoints.send_test(endpoint, actor=actor),
    "replay one": lambda endpoint, actor: replay.replay_delivery(endpoint.deliveries.first(), actor=actor),
    "replay all": lambda endpoint, actor: replay.replay_endpoint(endpoint, actor=actor),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", ["Reviewer", "Senior reviewer", "Auditor", "ML engineer", None])
def test_only_administrators_act(act: str, role: str | None, receiver: Receiver) -> None:
    endpoint, _ = subscribe(receiver)
    happen()
    Delivery.objects.update(status="dead")
    before = LedgerEntry.objects.count()
    with pytest.raises(PermissionDenied):
        ACTS[act](endpoint, people.people(role))
    assert LedgerEntry.objects.count() == before


def test_every_act_of_an_administrator_is_one_line_without_the_path_of_the_address(receiver: Receiver) -> None:
    admin = people.administrator()
    url = f"{receiver.url}/T0KEN?key=hush"
    endpoint, _ = endpoints.add_endpoint(url, event_types=["copy.published"], actor=admin)
    happen()
    Delivery.objects.update(status="dead")
    for act in ("change", "rotate", "test", "replay all", "disable", "enable"):
        endpoint.refresh_from_db()
        ACTS[act](endpoint, admin)
    lines = LedgerEntry.objects.filter(action__startswith="outbox.")
    assert [line.action.removeprefix("outbox.endpoint.") for line in lines] == [
        "added",
        "changed",
        "secret_rotated",
        "tested",
        "replayed",
        "disabled",
        "enabled",
    ]
    assert {line.actor for line in lines} == {f"user:{admin.pk}"}
    assert all("T0KEN" not in str(line.payload) and "hush" not in str(line.payload) for line in lines)
    assert lines[0].payload == {"host": f"127.0.0.1:{receiver.port}", "event_types": ["copy.published"]}


@pytest.mark.parametrize("types", [[], ["copy.burnt"], ["endpoint.test"]])
def test_only_listed_types_can_be_subscribed_to(types: list[str], receiver: Receiver) -> None:
    with pytest.raises(PermanentError, match="event type"):
        endpoints.add_endpoint(receiver.url, event_types=types, actor=TESTS)
    assert not Endpoint.objects.exists()


def test_a_secret_is_as_the_specification_asks_and_no_two_are_alike(start_receiver: Any) -> None:
    secrets = {subscribe(start_receiver())[1] for _ in range(3)}
    assert len(secrets) == 3
    for secret in secrets:
        assert secret.startswith("whsec_")
        assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"))) <= 64


def test_while_a_secret_is_rotated_both_sign_and_then_the_new_one_alone(receiver: Receiver) -> None:
    endpoint, old = subscribe(receiver)
    new = endpoints.rotate_secret(endpoint, actor=TESTS)
    happen()
    drain()
    (request,) = receiver.received
    assert request.headers["webhook-signature"].count("v1,") == 2
    assert request.verified(old) == request.verified(new)
    Secret.objects.filter(expires_at__isnull=False).update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    happen()
    drain()
    assert receiver.received[-1].verified(new)
    with pytest.raises(WebhookVerificationError):
        receiver.received[-1].verified(old)


def test_a_secret_that_leaked_stops_signing_at_once(receiver: Receiver) -> None:
    endpoint, first = subscribe(receiver)
    second = endpoints.rotate_secret(endpoint, actor=TESTS)
    third = endpoints.rotate_secret(endpoint, actor=TESTS, at_once=True)
    happen()
    drain()
    (request,) = receiver.received
    assert request.verified(third)
    for leaked in (first, second):
        with pytest.raises(WebhookVerificationError):
            request.verified(leaked)


def test_when_secret_key_changes_nothing_is_sent_with_a_wrong_signature_and_no_attempt_is_lost(
    receiver: Receiver, settings: Any
) -> None:
    endpoint, _ = subscribe(receiver)
    happen()
    settings.SECRET_KEY = "another key, fifty characters long or more, of whatever"
    assert delivery.deliver() == 0
    endpoint.refresh_from_db()
    assert "SECRET_KEY was changed" in endpoint.last_error
    assert endpoint.failing_since
    assert Delivery.objects.get().n_attempts == 0
    assert receiver.received == []
    new = endpoints.rotate_secret(endpoint, actor=TESTS)
    assert drain() == 1
    assert receiver.received[0].verified(new)


def test_without_a_lasting_key_no_endpoint_is_made(receiver: Receiver, settings: Any) -> None:
    settings.SECRET_KEY_IS_TEMPORARY = True
    with pytest.raises(PermanentError, match="SECRET_KEY"):
        subscribe(receiver)
    assert not Endpoint.objects.exists()


def test_a_secret_is_nowhere_but_in_the_answer(receiver: Receiver, caplog: Any) -> None:
    with caplog.at_level(logging.DEBUG):
        endpoint, first = subscribe(receiver)
        second = endpoints.rotate_secret(endpoint, actor=TESTS)
        receiver.replies.append(Reply(500))
        happen()
        drain()
        let_time_pass()
        drain()
    assert receiver.received[-1].verified(second)
    with connection.cursor() as cursor:
        dump = ""
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t')
            dump += "".join(row[0] for row in cursor.fetchall())
    assert str(endpoint.pk) in dump
    rows = serializers.serialize("json", [*Secret.objects.all(), *Endpoint.objects.all()])
    for secret in (first, second):
        raw = base64.b64decode(secret.removeprefix("whsec_"))
        for form in (secret, secret.removeprefix("whsec_"), raw.hex()):
            assert form not in caplog.text + dump + rows


def test_a_database_without_the_key_signs_nothing(receiver: Receiver) -> None:
    """What stands in the table is no key: neither the salt nor its bytes verify anything."""
    subscribe(receiver)
    happen()
    drain()
    salt = Secret.objects.get().salt
    for guess in (salt, bytes.fromhex(salt)):
        with pytest.raises(WebhookVerificationError):
            Webhook(guess).verify(receiver.received[0].body, receiver.received[0].headers)


def test_a_disabled_endpoint_is_left_alone_and_gets_what_waited_when_it_is_enabled(receiver: Receiver) -> None:
    endpoint, _ = subscribe(receiver)
    waiting = happen()
    with pytest.raises(PermanentError, match="reason"):
        endpoints.disable_endpoint(endpoint, actor=TESTS, reason=" ")
    endpoints.disable_endpoint(endpoint, actor=TESTS, reason="moving house")
    with pytest.raises(StaleState):
        endpoints.disable_endpoint(Endpoint.objects.get(), actor=TESTS, reason="again")
    with pytest.raises(PermanentError, match="disabled"):
        endpoints.send_test(endpoint, actor=TESTS)
    assert drain() == 0
    endpoints.enable_endpoint(endpoint, actor=TESTS)
    assert drain() == 1
    assert receiver.ids == [waiting.pk]


def test_a_test_event_goes_to_that_endpoint_alone_whatever_it_subscribed_to(start_receiver: Any) -> None:
    mine, other = start_receiver(), start_receiver()
    endpoint, secret = subscribe(mine, "request.failed")
    subscribe(other)
    admin = people.administrator()
    endpoints.send_test(endpoint, actor=admin)
    drain()
    payload = mine.received[0].verified(secret)
    assert payload["type"] == "endpoint.test"
    assert payload["data"]["asked_by"] == f"user:{admin.pk}"
    assert other.received == []
