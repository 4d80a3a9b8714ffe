"""From the order to the draft in review, by real workers on a real broker; a message is only a hint."""

from __future__ import annotations

import os
import signal

import pytest
import redis
from django.conf import settings

from core.actors import SystemActor
from core.hints import hint
from inference.models import ModelVersion
from moderation.drafting import ordering
from moderation.models.candidates import Candidate, GenerationRequest
from tests import factories
from tests.moderation.conftest import GOOD
from tests.workers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def order(n: int = 3, **options: object) -> None:
    factories.model_version(backend="scripted", artifact_hash="", options={"texts": [GOOD], **options})
    products = [factories.product(title="Harbour mug 1") for _ in range(n)]
    ordering.request_copy(products, channels=["description"], locales=["en"], actor=SystemActor("tests"))


def in_review() -> int:
    return Candidate.objects.filter(status="in_review").count()


def test_an_order_wakes_the_workers_and_drafts_reach_review(start_worker) -> None:
    start_worker("gpu")
    start_worker("default,external")
    order()
    wait_for(lambda: in_review() == 3, what="three drafts in review")
    assert not GenerationRequest.objects.exclude(status="completed").exists()


def test_hints_that_the_broker_lost_cost_one_beat_interval_and_no_order(start_worker) -> None:
    order()
    redis.Redis.from_url(settings.CELERY_BROKER_URL).flushdb()
    start_worker("gpu")
    start_worker("default", beat=True)
    wait_for(lambda: in_review() == 3, what="beat to ask again")


def test_a_worker_killed_in_the_middle_loses_nothing(start_worker, settings) -> None:
    order(1, seconds=60)
    worker = start_worker("gpu", WORK_LEASE_S="3")

    def is_taken() -> object:
        return GenerationRequest.objects.filter(status="generating").exists() or hint("moderation.drain_generation")

    wait_for(is_taken, what="the worker to take it")
    os.kill(worker.pid, signal.SIGKILL)
    ModelVersion.objects.update(options={"texts": [GOOD]})
    start_worker("gpu")
    start_worker("default")
    start_worker("default", beat=True)
    wait_for(lambda: in_review() == 1, seconds=90, what="the second worker")
    assert Candidate.objects.count() == settings.MODERATION.drafts_per_request
