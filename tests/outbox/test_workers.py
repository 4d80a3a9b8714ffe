"""Real workers, a real broker and a real receiver: hints, kills, and receivers that take their time."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings

from core.hints import hint
from ecomsite.stack.commands import WORKER_POOLS
from outbox.models import Delivery, Endpoint
from tests.outbox.conftest import happen, subscribe
from tests.outbox.receiver import Receiver, Reply
from tests.workers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
ENVIRONMENT = {
    "WEBHOOKS_ALLOW_PRIVATE": "1",
    "WEBHOOKS_RETRY_PAUSES": "1s,1s,1s,1s,1s,1s,1s,1s,1s",
    "WEBHOOKS_TIMEOUT_S": "5",
    "WORK_LEASE_S": "3",
}


@pytest.fixture
def work(start_worker: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that starts a worker as the local stack does."""
    return lambda **more: start_worker("webhooks", pool=WORKER_POOLS["webhooks"], **ENVIRONMENT | more)


def delivered() -> int:
    return Delivery.objects.filter(status="delivered").count()


def test_a_change_wakes_the_worker_and_the_receiver_is_told_within_a_second(receiver: Receiver, work: Any) -> None:
    _, secret = subscribe(receiver)
    work()

    def is_told_soon() -> (
        bool
    ):  # there is no beat: a hint alone wakes the worker, and on a busy machine one may be late
        event, until = happen(), time.monotonic() + 1
        while event.pk not in receiver.ids and time.monotonic() < until:
            time.sleep(0.02)
        return event.pk in receiver.ids

    wait_for(is_told_soon, what="a change that is told within a second")
    assert receiver.received[0].verified(secret)
    wait_for(lambda: hint("outbox.deliver") or delivered() == Delivery.objects.count())


def test_hints_that_the_broker_lost_cost_one_beat_interval(receiver: Receiver, work: Any, start_worker: Any) -> None:
    subscribe(receiver)
    happen()
    redis.Redis.from_url(django_settings.CELERY_BROKER_URL).flushdb()
    work()
    start_worker("", beat=True)
    wait_for(lambda: delivered() == 1)


def test_a_worker_killed_between_sending_and_noting_sends_again_under_the_same_id(
    receiver: Receiver, work: Any
) -> None:
    _, secret = subscribe(receiver)
    never = threading.Event()
    receiver.replies.append(Reply(204, hold=never))
    first = work()
    event = happen()
    wait_for(lambda: receiver.received, what="the first try to arrive")
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert Delivery.objects.get().status == "pending"
    assert Endpoint.objects.get().lease_token, "the fault hit something in flight"
    work()

    def is_told_again() -> bool:
        hint("outbox.deliver")  # as beat does
        return delivered() == 1

    wait_for(is_told_again, what="the second worker to take over")
    never.set()
    assert receiver.ids == [event.pk, event.pk]
    assert receiver.received[0].verified(secret) == receiver.received[1].verified(secret)
    assert Delivery.objects.get().n_attempts == 2


def test_a_warm_shutdown_ends_the_turn_and_loses_nothing(receiver: Receiver, work: Any) -> None:
    subscribe(receiver)
    receiver.usual = Reply(204, delay_s=0.3)
    worker = work()
    for _ in range(8):
        happen()
    wait_for(lambda: len(receiver.received) >= 2)
    worker.send_signal(signal.SIGTERM)
    worker.wait(30)
    assert not Endpoint.objects.exclude(lease_token=None).exists()
    assert delivered() == len(receiver.received), "what arrived is noted"
    hint("outbox.deliver")
    work()
    wait_for(lambda: hint("outbox.deliver") or delivered() == 8)
    assert len(set(receiver.ids)) == len(receiver.ids) == 8


def test_receivers_that_hang_do_not_hold_up_another(start_receiver: Any, work: Any) -> None:
    hanging = [start_receiver() for _ in range(3)]
    quick = start_receiver()
    hold = threading.Event()
    for receiver in hanging:
        receiver.usual = Reply(204, hold=hold)
        subscribe(receiver)
    subscribe(quick)
    work(WEBHOOKS_TIMEOUT_S="60")
    for _ in range(10):
        happen()
        time.sleep(0.1)
    wait_for(lambda: len(quick.received) == 10, what="the quick one, while each of the others hangs for a minute")
    assert all(len(receiver.received) == 1 for receiver in hanging)
    hold.set()


def test_a_receiver_that_is_down_gets_everything_once_it_is_up(start_receiver: Any, work: Any) -> None:
    receiver = start_receiver()
    subscribe(receiver)
    receiver.close()
    work()
    events = {happen().pk for _ in range(5)}
    wait_for(lambda: Endpoint.objects.get().n_attempts >= 1, what="a try that failed")
    back = start_receiver(port=receiver.port)
    wait_for(lambda: hint("outbox.deliver") or delivered() == 5)
    assert set(back.ids) == events
    assert len(back.ids) == 5
