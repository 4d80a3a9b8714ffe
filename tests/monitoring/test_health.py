"""Health, with servers that are really there or really absent."""

from __future__ import annotations

import datetime as dt
import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from celery import current_app
from django.test import Client
from django.utils import timezone

from labeling.models import CompletenessProof, LabelingProject, WebhookEvent
from moderation.models.predictions import Scoring
from moderation.models.queues import QueuePolicy
from monitoring import health, heartbeats, quarantine, runners
from monitoring.models import Heartbeat
from monitoring.parts import in_words
from tests import factories as make
from tests.workers import wait_for

pytestmark = pytest.mark.django_db
RULES = {"reservation_minutes": 15, "sla_minutes": 60, "ageing_minutes": 60, "max_waiting": 10}


@pytest.fixture(autouse=True)
def _no_kept_report() -> None:
    health._latest = None
    quarantine._forget_count()


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
        settings.LABELING = replace(settings.LABELING, url=f"http://127.0.0.1:{server.server_port}")
        yield
        server.shutdown()


@pytest.fixture
def absent_servers(settings: Any) -> Iterator[None]:
    settings.LABELING = replace(settings.LABELING, url="http://127.0.0.1:9")
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
    settings.LABELING = replace(settings.LABELING, url=settings.LABELING.url + "/elsewhere")
    assert "404" in health.check_label_studio().words


def test_fresh_heartbeats_mean_that_work_gets_through() -> None:
    for name in (heartbeats.BEAT, *heartbeats.QUEUES):
        heartbeats.record(name)
    assert {part.state for part in runners.check(broker_is_up=True)} == {"ok"}


def test_a_heartbeat_that_never_came_or_stopped_is_told_apart() -> None:
    Heartbeat.objects.create(queue="default", at=timezone.now() - dt.timedelta(minutes=7))
    parts = {part.name: part for part in runners.check(broker_is_up=True)}
    assert parts["worker_default"].state == "down"
    assert "last got through 7 minutes ago" in parts["worker_default"].words
    assert "no work has ever got through" in parts["worker_external"].words


def test_a_worker_that_is_writing_a_batch_is_busy_and_not_down() -> None:
    make.generation_request(status="generating", lease_expires_at=timezone.now() + dt.timedelta(minutes=5))
    parts = {part.name: part for part in runners.check(broker_is_up=True)}
    assert parts["worker_gpu"].state == "busy"
    assert parts["worker_gpu"].is_ok


def test_a_dead_broker_is_blamed_once_and_not_the_workers() -> None:
    parts = runners.check(broker_is_up=False)
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
def test_beat_and_workers_are_told_apart_by_name(start_worker: Callable[..., Any]) -> None:
    start_worker("gpu")
    current_app.send_task("monitoring.record_heartbeat", args=["gpu"], queue="gpu")
    wait_for(lambda: Heartbeat.objects.filter(queue="gpu").exists(), what="the heartbeat")
    parts = {part.name: part for part in runners.check(broker_is_up=True)}
    assert parts["beat"].state == "down"
    assert "was never heard of" in parts["beat"].words
    assert "celery -A ecomsite beat" in parts["beat"].hint
    assert parts["worker_gpu"].state == "ok"
    assert "no worker answers" in parts["worker_default"].words
    Heartbeat.objects.filter(queue="gpu").update(at=timezone.now() - dt.timedelta(minutes=5))

    def gpu_says(words: str) -> Callable[[], bool]:  # it has less than a second to answer, each time
        return lambda: words in {part.name: part for part in runners.check(broker_is_up=True)}["worker_gpu"].words

    wait_for(gpu_says("a worker answers; without beat nobody asks"))
    heartbeats.record(heartbeats.BEAT)
    parts = {part.name: part for part in runners.check(broker_is_up=True)}
    assert parts["beat"].state == "ok"
    wait_for(gpu_says("a worker answers, but work last got through 5 minutes ago"))


@pytest.mark.django_db(transaction=True)
def test_a_real_beat_is_heard(start_worker: Callable[..., Any]) -> None:
    start_worker("default", beat=True)
    wait_for(lambda: Heartbeat.objects.filter(queue=heartbeats.BEAT).exists(), what="beat's own mark")
    assert runners.check(broker_is_up=True)[0].state == "ok"


def test_a_dead_broker_says_when_work_last_got_through() -> None:
    Heartbeat.objects.create(queue="gpu", at=timezone.now() - dt.timedelta(minutes=9))
    assert all("last got through 9 minutes ago" in part.words for part in runners.check(broker_is_up=False))


def test_an_absent_label_studio_says_when_it_was_last_reached(absent_servers: None) -> None:
    make.labeling_project()
    LabelingProject.objects.update(reconciled_at=timezone.now() - dt.timedelta(minutes=12))
    part = next(part for part in health.report().parts if part.name == "label_studio")
    assert "It was last reached 12 minutes ago." in part.words


def test_webhooks_that_nobody_follows_or_that_are_not_ours_are_told() -> None:
    assert health.check_webhooks().state == "ok"
    for _ in range(health.MANY_IGNORED):
        WebhookEvent.objects.create(action="TASKS_CREATED", body_hash="0", status="ignored")
    assert "about nothing of ours" in health.check_webhooks().words
    WebhookEvent.objects.create(action="ANNOTATION_CREATED", body_hash="0", status="processed")
    assert health.check_webhooks().state == "ok"
    event = WebhookEvent.objects.create(action="ANNOTATION_CREATED", body_hash="0")
    WebhookEvent.objects.filter(pk=event.pk).update(received_at=timezone.now() - dt.timedelta(minutes=20))
    assert "not been followed for 20 minutes" in health.check_webhooks().words


def test_what_is_in_quarantine_is_counted_and_nothing_is_down_for_it() -> None:
    assert health.check_quarantine().state == "ok"
    Scoring.objects.create(question="sentiment", subject="tests:1", quarantined_at=timezone.now())
    part = health.check_quarantine()
    assert "1 of “What models are to answer”" in part.words
    assert part.is_ok


def test_a_queue_that_is_not_fed_is_told_by_name() -> None:
    assert {part.state for part in health.check_queues()} == {"ok"}
    QueuePolicy.objects.create(question="copy_verdict", **RULES, paused_at=timezone.now())
    part = {part.name: part for part in health.check_queues()}["queue_copy_verdict"]
    assert part.state == "busy"
    assert "Drafting is paused" in part.words
    assert "more than 10 items" in part.words
    assert "below 8" in part.words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (59, "59 seconds"),
        (119, "1 minute"),
        (120, "2 minutes"),
        (7200, "2 hours"),
        (400_000, "4 days"),
    ],
)
def test_lengths_of_time_are_said_in_their_largest_unit(seconds: int, words: str) -> None:
    assert in_words(dt.timedelta(seconds=seconds)) == words


def test_receivers_that_take_nothing_and_dead_letters_are_told() -> None:
    assert health.check_receivers().state == "ok"
    endpoint = make.webhook_endpoint(n_attempts=4, failing_since=timezone.now())
    make.webhook_delivery(endpoint, status="dead")
    part = health.check_receivers()
    assert part.state == "busy"
    assert "nothing gets through to shop.example.com; 1 dead letter" in part.words
    assert "T0KEN" not in part.words
