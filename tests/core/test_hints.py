"""Hints: sent soon, never waited for."""

from __future__ import annotations

import datetime as dt
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from core.hints import STALE_AFTER_S, hint
from ecomsite.celery import app
from monitoring.models import Heartbeat
from tests.workers import environment, wait_for


def test_who_hints_waits_for_no_broker_and_hints_that_wait_are_one() -> None:
    code = (
        "import django, time; django.setup()\n"
        "from core.hints import hint\n"
        "began = time.perf_counter()\n"
        "for _ in range(500): hint('labeling.process_webhooks')\n"
        "print(time.perf_counter() - began)\n"
        "time.sleep(2)\n"
    )
    # A broker that takes connections and never says a word.
    with socket.create_server(("127.0.0.1", 0), backlog=64) as frozen:
        url = f"redis://127.0.0.1:{frozen.getsockname()[1]}/0"
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**environment(), "CELERY_BROKER_URL": url},
            check=True,
            timeout=60,
            capture_output=True,
            text=True,
        )
        took = time.perf_counter() - began
        frozen.settimeout(0.2)
        connections = list(iter(lambda: _next_connection(frozen), None))
        for connection in connections:
            connection.close()

    assert float(done.stdout) < 0.5
    assert len(connections) == 1
    assert took < 30  # a process that ends gives its last hint a moment, not the broker's whole time-out


def _next_connection(server: socket.socket) -> socket.socket | None:
    try:
        return server.accept()[0]
    except TimeoutError:
        return None


@pytest.mark.django_db(transaction=True)
def test_a_process_that_ends_sends_its_last_hint(start_worker: Callable[..., Any]) -> None:
    start_worker("gpu")
    code = (
        "import django; django.setup()\n"
        "from celery import current_app\n"
        "from core.hints import hint\n"
        "current_app.conf.task_routes['monitoring.record_heartbeat'] = {'queue': 'gpu'}\n"
        "hint('monitoring.record_heartbeat')\n"
    )

    def is_heard() -> bool:
        # On a busy machine a hint may go stale, as any may: then the next process gives its own.
        subprocess.run([sys.executable, "-c", code], env=environment(), check=True, timeout=60)
        return Heartbeat.objects.exists()

    wait_for(is_heard, what="the hint of a process that is gone")


@pytest.mark.django_db(transaction=True)
def test_a_forked_process_hints_too(start_worker: Callable[..., Any]) -> None:
    start_worker("gpu")
    code = (
        "import django, os, time; django.setup()\n"
        "from celery import current_app\n"
        "from core import hints\n"
        "current_app.conf.task_routes['monitoring.record_heartbeat'] = {'queue': 'gpu'}\n"
        "hints._sender.lock.acquire()\n"  # as if the parent were in the middle of it
        "if os.fork() == 0:\n"
        "    hints.hint('monitoring.record_heartbeat')\n"
        "    hints._sender.finish()\n"
        "    os._exit(0)\n"
        "os._exit(os.waitstatus_to_exitcode(os.wait()[1]))\n"
    )

    def is_heard() -> bool:
        subprocess.run([sys.executable, "-c", code], env=environment(), check=True, timeout=60)
        return Heartbeat.objects.exists()

    wait_for(is_heard, what="the hint of a forked process")


def test_a_hint_that_waits_longer_than_half_a_beat_interval_is_dropped(settings: Any) -> None:
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.delete("training")
        hint("training.tests_only")
        (message,) = wait_for(lambda: client.lrange("training", 0, -1), what="the hint")  # type: ignore[misc]
        client.delete("training")
    expires = dt.datetime.fromisoformat(json.loads(message)["headers"]["expires"])
    assert expires - dt.datetime.now(dt.UTC) <= dt.timedelta(seconds=STALE_AFTER_S)


def test_ticks_outlive_hints_so_that_a_busy_queue_starves_none_of_them() -> None:
    assert min(entry["options"]["expires"] for entry in app.conf.beat_schedule.values()) >= 3 * STALE_AFTER_S
