"""Health, with servers that are really there or really absent."""

from __future__ import annotations

import datetime as dt
import http.server
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import current_app
from django.test import Client
from django.utils import timezone

from labeling.models import CompletenessProof
from monitoring import health, heartbeats
from monitoring.models import Heartbeat
from tests import factories as make
from tests.workers import wait_for

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_kept_report() -> None:
    health._latest = None


class LabelStudioHealth(http.server.BaseHTTPRequestHandler):
    """Answers /health as Label Studio does."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
        self.wfile.write(b'{"status": "UP"}')

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def healthy_label_studio(settings: Any) -> Iterator[None]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), LabelStudioHealth) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.LABELING = {**settings.LABELING, "URL": f"http://127.0.0.1:{server.server_port}"}
        yield
        server.shutdown()


@pytest.fixture
def absent_servers(settings: Any) -> Iterator[None]:
    settings.LABELING = {**settings.LABELING, "URL": "http://127.0.0.1:9"}
    before = current_app.conf.broker_url, current_app.conf.broker_write_url
    current_app.conf.broker_url = current_app.conf.broker_write_url = "redis://:s3cret-pass@127.0.0.1:9/0"
    yield
    current_app.conf.broker_url, current_app.conf.broker_write_url = before


def test_healthz_answers_without_the_database(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer = Client().get("/healthz")
    assert answer.json() == {"status": "up"}


def test_readyz_is_503_and_says_what_is_missing_without_secrets(absent_servers: None) -> None:
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    parts = answer.json()["parts"]
    assert parts["database"]["state"] == "ok"
    assert parts["broker"]["state"] == "down"
    assert "CELERY_BROKER_URL" in parts["broker"]["hint"]
    assert parts["label_studio"]["state"] == "down"
    assert "s3cret-pass" not in answer.content.decode()


def test_readyz_answers_soon_when_everything_is_absent(absent_servers: None) -> None:
    began = timezone.now()
    Client().get("/readyz")
    assert timezone.now() - began < dt.timedelta(seconds=6)


def test_a_label_studio_that_is_up_is_seen(healthy_label_studio: None) -> None:
    assert health.check_label_studio().state == "ok"


def test_a_label_studio_that_answers_with_an_error_is_down(healthy_label_studio: None, settings: Any) -> None:
    settings.LABELING = {**settings.LABELING, "URL": settings.LABELING["URL"] + "/elsewhere"}
    assert "404" in health.check_label_studio().words


def test_fresh_heartbeats_mean_that_work_gets_through() -> None:
    for queue in heartbeats.QUEUES:
        heartbeats.record(queue)
    assert {part.state for part in health.check_workers(broker_is_up=True)} == {"ok"}


def test_a_heartbeat_that_never_came_or_stopped_is_told_apart() -> None:
    Heartbeat.objects.create(queue="default", at=timezone.now() - dt.timedelta(minutes=7))
    parts = {part.name: part for part in health.check_workers(broker_is_up=True)}
    assert parts["worker_default"].state == "down"
    assert "not for 7 minutes" in parts["worker_default"].words
    assert "never yet" in parts["worker_external"].words


def test_a_worker_that_is_writing_a_batch_is_busy_and_not_down() -> None:
    make.generation_request(status="generating", lease_expires_at=timezone.now() + dt.timedelta(minutes=5))
    parts = {part.name: part for part in health.check_workers(broker_is_up=True)}
    assert parts["worker_gpu"].state == "busy"
    assert parts["worker_gpu"].is_ok


def test_a_dead_broker_is_blamed_once_and_not_the_workers() -> None:
    parts = health.check_workers(broker_is_up=False)
    assert all("broker" in part.words for part in parts)


def test_recording_twice_keeps_one_row() -> None:
    heartbeats.record("gpu")
    heartbeats.record("gpu")
    assert Heartbeat.objects.count() == 1


def test_beat_sends_a_canary_through_every_queue() -> None:
    schedule = current_app.conf.beat_schedule.values()
    canaries = [entry for entry in schedule if entry["task"] == "monitoring.record_heartbeat"]
    assert {entry["options"]["queue"] for entry in canaries} == set(heartbeats.QUEUES)
    assert all(list(entry["args"]) == [entry["options"]["queue"]] for entry in canaries)


def test_tasks_that_label_studio_refused_are_told(healthy_label_studio: None) -> None:
    assert health.check_traffic().state == "ok"
    make.labeling_task("moderation.reviewitem:1", status="open", last_error="no such project")
    part = health.check_traffic()
    assert part.state == "busy"
    assert "1 labelling task" in part.words


def test_the_last_proof_is_told_and_a_bad_or_late_one_is_a_trouble() -> None:
    assert "Nothing" in health.check_completeness().words
    task = make.labeling_task("moderation.reviewitem:1")
    assert health.check_completeness().state == "ok"  # sent just now: nothing is overdue
    now, values = timezone.now(), {"project": task.project, "n_tasks": 1204, "words": "1,203 of 1,204 accounted for."}
    proof = CompletenessProof.objects.create(**values, n_accounted=1204, finished_at=now - dt.timedelta(hours=3))
    part = health.check_completeness()
    assert (part.state, part.words) == ("ok", "1,204 of 1,204 tasks in Label Studio accounted for, 3 hours ago.")

    CompletenessProof.objects.create(**values)  # one that was broken off says nothing
    assert health.check_completeness().state == "ok"
    CompletenessProof.objects.filter(pk=proof.pk).update(finished_at=now - dt.timedelta(hours=27))
    part = health.check_completeness()
    assert (part.state, part.is_ok) == ("busy", True)
    assert "not compared with Label Studio for more than a day" in part.words
    CompletenessProof.objects.create(**values, n_accounted=1203, finished_at=now)
    part = health.check_completeness()
    assert part.state == "busy"
    assert "1,203 of 1,204" in part.words
    assert "manage.py prove_completeness" in part.hint


def test_a_proof_that_was_never_made_is_overdue() -> None:
    make.labeling_task("moderation.reviewitem:1", pushed_at=timezone.now() - dt.timedelta(hours=27))
    assert health.check_completeness().state == "busy"


def test_a_broker_that_is_there_is_seen() -> None:
    assert health.check_broker().state == "ok"


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_passes_the_canary_on(start_worker: Callable[..., Any]) -> None:
    start_worker("gpu")
    current_app.send_task("monitoring.record_heartbeat", args=["gpu"], queue="gpu")
    wait_for(lambda: Heartbeat.objects.filter(queue="gpu").exists(), what="the heartbeat")
    parts = {part.name: part for part in health.check_workers(broker_is_up=True)}
    assert parts["worker_gpu"].state == "ok"
    # The worker answers a ping though nothing came through the other queues: it is beat, or their workers, that lack.
    assert "1 worker(s) answer" in parts["worker_default"].words
