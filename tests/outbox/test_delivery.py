"""What is sent, tried again, given up and replayed; on real HTTP, in turns taken here."""

from __future__ import annotations

import datetime as dt
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from audit.models import LedgerEntry
from core.exceptions import PermanentError, StaleState
from outbox import delivery, replay
from outbox.events import emit
from outbox.models import Delivery, Endpoint, Event
from tests.outbox.conftest import TESTS, drain, happen, let_time_pass, subscribe
from tests.outbox.receiver import Receiver, Reply

pytestmark = pytest.mark.django_db


def lines(action: str) -> list[LedgerEntry]:
    return list(LedgerEntry.objects.filter(action=action))


def test_a_receiver_that_was_away_gets_it_once_it_is_back(receiver: Receiver, start_receiver: Any) -> None:
    endpoint, secret = subscribe(receiver)
    receiver.close()
    happen()
    assert drain() == 1
    row = Delivery.objects.get()
    assert (row.status, row.n_attempts, row.response_status) == ("pending", 1, None)
    assert "cannot be reached" in row.last_error
    assert dt.timedelta(seconds=4) < row.due_at - timezone.now() < dt.timedelta(seconds=6)
    endpoint.refresh_from_db()
    assert endpoint.failing_since
    again = start_receiver(port=receiver.port)
    let_time_pass()
    assert drain() == 1
    assert drain() == 0
    assert [request.verified(secret)["type"] for request in again.received] == ["copy.published"]
    row.refresh_from_db()
    assert (row.status, row.response_status, row.last_error) == ("delivered", 204, "")
    endpoint.refresh_from_db()
    assert (endpoint.n_attempts, endpoint.failing_since, endpoint.lease_token) == (0, None, None)


def test_every_try_has_the_same_id_and_bytes_and_a_time_and_signature_of_its_own(receiver: Receiver) -> None:
    _, secret = subscribe(receiver)
    event = happen()
    receiver.replies.append(Reply(500))
    drain()
    time.sleep(1.1)
    let_time_pass()
    drain()
    first, second = receiver.received
    assert first.id == second.id == event.pk
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert first.verified(secret) == second.verified(secret)


def test_after_the_whole_schedule_it_is_a_dead_letter_that_can_be_replayed(receiver: Receiver) -> None:
    subscribe(receiver)
    receiver.usual = Reply(500, b"<b>no</b>\0 stock table")
    event = happen()
    for _ in range(5):
        drain()
        let_time_pass()
    row = Delivery.objects.get()
    assert (row.status, row.n_attempts, row.response_status) == ("dead", 3, 500)
    assert row.response_excerpt == "<b>no</b>\ufffd stock table"
    assert len(receiver.received) == 3
    (line,) = lines("outbox.delivery.dead")
    assert line.payload == {"from": "pending", "event": event.pk, "type": "copy.published", "attempts": 3}
    receiver.usual = Reply(200)
    replay.replay_delivery(row, actor=TESTS)
    with pytest.raises(StaleState):
        replay.replay_delivery(Delivery.objects.get(), actor=TESTS)
    let_time_pass()
    assert drain() == 1
    row.refresh_from_db()
    assert (row.status, row.n_attempts) == ("delivered", 1)
    assert receiver.ids == [event.pk] * 4
    assert len(lines("outbox.delivery.replayed")) == 1


def test_all_dead_letters_of_a_range_of_time_are_replayed_and_those_of_others_are_not(start_receiver: Any) -> None:
    (mine, _), (other, _) = [subscribe(start_receiver()) for _ in range(2)]
    for hours in range(4):
        event = happen()
        Event.objects.filter(pk=event.pk).update(created_at=timezone.now() - dt.timedelta(hours=hours))
    Delivery.objects.update(status="dead", n_attempts=3)
    since, until = (timezone.now() - dt.timedelta(hours=h) for h in (2.5, 0.5))
    assert replay.replay_endpoint(mine, actor=TESTS, since=since, until=until) == 2
    assert replay.replay_endpoint(mine, actor=TESTS, since=since, until=until) == 0
    assert Delivery.objects.filter(status="pending", endpoint=mine).count() == 2
    assert Delivery.objects.filter(status="dead", endpoint=other).count() == 4
    (line,) = lines("outbox.endpoint.replayed")
    assert line.payload["n_deliveries"] == 2
    assert drain() == 2


def test_410_disables_the_endpoint_and_keeps_what_waits(receiver: Receiver) -> None:
    endpoint, _ = subscribe(receiver)
    happen(), happen()
    receiver.replies.append(Reply(410))
    drain()
    let_time_pass()
    assert drain() == 0
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.disabled_reason) == ("disabled", "it answered 410 Gone")
    assert Delivery.objects.filter(status="pending").count() == 2
    assert len(receiver.received) == 1
    assert lines("outbox.endpoint.disabled")[0].actor == "system:outbox.delivery"
    Delivery.objects.update(status="dead")
    with pytest.raises(PermanentError, match="disabled"):
        replay.replay_endpoint(endpoint, actor=TESTS)


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured_by_the_delivery_and_the_endpoint(receiver: Receiver, form: str) -> None:
    endpoint, _ = subscribe(receiver)
    happen(), happen()
    later = (timezone.now() + dt.timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    receiver.replies.append(Reply(429, headers={"Retry-After": "90" if form == "seconds" else later}))
    assert drain() == 1, "the second waits too: the receiver asked for less"
    endpoint.refresh_from_db()
    tried = Delivery.objects.get(n_attempts=1)
    for due in (tried.due_at, endpoint.lease_expires_at):
        assert dt.timedelta(seconds=85) < due - timezone.now() <= dt.timedelta(seconds=91)


@pytest.mark.parametrize("value", ["soon", "-5", "", "999999999999999999999", "Wed, 99 Nov", "\u00b2"])
def test_a_retry_after_that_is_nonsense_or_endless_is_bounded(receiver: Receiver, value: str) -> None:
    subscribe(receiver)
    happen()
    receiver.replies.append(Reply(503, headers={"Retry-After": value.encode().decode("latin-1")}))
    drain()
    assert Delivery.objects.get().due_at < timezone.now() + dt.timedelta(days=1, minutes=1)


def test_an_endpoint_that_fails_has_one_try_at_once_and_rests_longer_each_time(receiver: Receiver) -> None:
    endpoint, _ = subscribe(receiver)
    for _ in range(4):
        happen()
    receiver.usual = Reply(500)
    rests = []
    for _ in range(7):
        assert delivery.deliver() == 1
        endpoint.refresh_from_db()
        rests.append((endpoint.lease_expires_at - timezone.now()).total_seconds())
        Endpoint.objects.update(lease_expires_at=None)
        Delivery.objects.filter(n_attempts__gt=0).update(n_attempts=1, due_at=timezone.now())
    assert [round(rest) for rest in rests] == [2, 4, 8, 16, 32, 60, 60]
    assert endpoint.n_attempts == 7


def test_one_delivery_that_is_refused_does_not_hold_up_the_others(receiver: Receiver) -> None:
    subscribe(receiver)
    refused, *others = [happen() for _ in range(4)]
    receiver.replies.append(Reply(422))
    drain()
    Endpoint.objects.update(lease_expires_at=None)  # two seconds later
    assert drain() == 3
    assert {row.event for row in Delivery.objects.filter(status="delivered")} == set(others)
    assert Delivery.objects.get(status="pending").event == refused


def test_what_was_put_off_while_the_receiver_was_away_is_due_when_it_is_back(receiver: Receiver) -> None:
    subscribe(receiver)
    receiver.usual = Reply(503)
    for _ in range(4):
        happen()
    for _ in range(4):  # each is tried once, and put off
        assert delivery.deliver() == 1
        Endpoint.objects.update(lease_expires_at=None)
    receiver.usual = Reply(204)
    happen()
    assert drain() == 5
    assert not Delivery.objects.exclude(status="delivered").exists()


def test_an_endpoint_that_takes_nothing_for_days_is_disabled(receiver: Receiver) -> None:
    endpoint, _ = subscribe(receiver)
    receiver.usual = Reply(500)
    happen()
    drain()
    Endpoint.objects.update(failing_since=timezone.now() - dt.timedelta(days=6), lease_expires_at=None)
    let_time_pass()
    drain()
    endpoint.refresh_from_db()
    assert endpoint.status == "disabled"
    assert "taken nothing since" in endpoint.disabled_reason
    assert Delivery.objects.get().status == "pending"


@pytest.mark.django_db(transaction=True)
def test_a_slow_receiver_holds_one_turn_and_others_are_served_meanwhile(start_receiver: Any, settings: Any) -> None:
    settings.OUTBOX = replace(settings.OUTBOX, timeout_s=60)
    slow, quick = start_receiver(), start_receiver()
    subscribe(slow, "copy.published"), subscribe(quick, "copy.retired")
    answer = threading.Event()
    slow.usual = Reply(204, hold=answer)
    for _ in range(5):
        happen()

    def turn() -> int:
        try:
            return drain()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(turn)
        while not slow.received:
            time.sleep(0.01)
        for _ in range(5):
            happen("copy.retired")
        began = time.monotonic()
        assert drain() == 5
        assert time.monotonic() - began < 10
        assert len(quick.received) == 5
        assert len(slow.received) == 1, "nobody else goes to the slow one meanwhile"
        answer.set()
        held.result()
    assert not Delivery.objects.exclude(status="delivered").exists()


def test_a_backlog_does_not_come_before_others(start_receiver: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(delivery, "TURN_S", 0.05)
    busy, quiet = start_receiver(), start_receiver()
    subscribe(busy, "copy.published"), subscribe(quiet, "copy.retired")
    busy.usual = Reply(204, delay_s=0.05)
    for _ in range(6):
        happen()
    delivery.deliver()
    happen("copy.retired")
    delivery.deliver()
    assert len(quiet.received) == 1
    assert len(busy.received) < 6


def test_a_turn_that_was_overtaken_writes_nothing(receiver: Receiver) -> None:
    subscribe(receiver)
    happen()
    drain()
    row = Delivery.objects.get()
    Delivery.objects.update(status="pending", n_attempts=2)
    delivery._note(row, delivery.Answer(status=500, error="late news"))
    row.refresh_from_db()
    assert (row.status, row.last_error) == ("pending", "")


def test_one_that_kills_its_worker_each_time_is_a_dead_letter_in_the_end(receiver: Receiver) -> None:
    subscribe(receiver)
    event, other = happen(), happen()
    event.deliveries.update(n_attempts=3)  # its last try was counted, and nobody noted what came of it
    assert drain() == 1
    row = event.deliveries.get()
    assert (row.status, row.last_error) == ("dead", "its worker died or stalled at the last try")
    assert receiver.ids == [other.pk]
    assert len(lines("outbox.delivery.dead")) == 1


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_not_committed_yet_does_not_hide_its_endpoint(receiver: Receiver) -> None:
    subscribe(receiver)
    waiting = happen()

    def turn() -> int:
        try:
            return drain()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        emit("copy.published", {})
        assert pool.submit(turn).result(timeout=10) == 1
    assert receiver.ids == [waiting.pk]


def test_what_was_delivered_long_ago_is_forgotten_and_dead_letters_are_not(receiver: Receiver) -> None:
    subscribe(receiver)
    for status, days in (("delivered", 31), ("delivered", 1), ("dead", 400), ("pending", 400)):
        event = happen()
        Event.objects.filter(pk=event.pk).update(created_at=timezone.now() - dt.timedelta(days=days))
        event.deliveries.update(status=status)
    assert delivery.forget_delivered() == 1
    assert sorted(Delivery.objects.values_list("status", flat=True)) == ["dead", "delivered", "pending"]
