"""How a worker ends: warm (SIGTERM), soft (SIGQUIT), killed. Nothing is lost and nothing done twice, whichever pool it has."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest

from audit.models import LedgerEntry
from core.actors import SystemActor
from core.hints import hint
from moderation.drafting import ordering
from moderation.models.candidates import Candidate, GenerationRequest
from tests import factories
from tests.faults.desk import children_of
from tests.moderation.conftest import GOOD
from tests.workers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
N = 3


def a_worker_in_the_middle_of_a_batch(start_worker, pool: str, *, seconds: float):
    """Order copy and start a worker; returns it when it is at work on all of it."""
    factories.model_version(backend="scripted", artifact_hash="", options={"texts": [GOOD], "seconds": seconds})
    products = [factories.product(title="Harbour mug 1") for _ in range(N)]
    ordering.request_copy(products, channels=["description"], locales=["en"], actor=SystemActor("tests"))
    worker = start_worker("gpu", pool=("--pool", pool, "--concurrency", "1"), WORK_LEASE_S="3")

    def is_begun() -> object:
        is_so = GenerationRequest.objects.filter(status="generating").count() == N
        return is_so or hint("moderation.drain_generation")

    wait_for(is_begun, what="the batch to be begun")
    return worker


def each_was_done_once() -> None:
    assert Candidate.objects.filter(status="in_review").count() == N
    assert not GenerationRequest.objects.exclude(status="completed", lease_token=None).exists()
    lines = Counter(LedgerEntry.objects.values_list("action", "subject"))
    for action in ("moderation.request.completed", "moderation.candidate.generated", "moderation.candidate.in_review"):
        assert {n for (name, _), n in lines.items() if name == action} == {1}


@pytest.mark.parametrize("pool", ["solo", "prefork"])
@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGQUIT], ids=["warm", "soft"])
def test_a_worker_that_is_asked_to_end_finishes_its_batch(start_worker, pool: str, sig: signal.Signals) -> None:
    worker = a_worker_in_the_middle_of_a_batch(start_worker, pool, seconds=2)
    os.kill(worker.pid, sig)
    worker.wait(60)
    each_was_done_once()


@pytest.mark.parametrize("pool", ["solo", "prefork"])
def test_what_a_killed_worker_held_is_done_by_another_within_lease_and_beat(start_worker, pool: str) -> None:
    worker = a_worker_in_the_middle_of_a_batch(start_worker, pool, seconds=2)
    # Its pool with it, as the supervisor sees to: a child that outlives its worker would just finish.
    for pid in [worker.pid, *children_of(worker.pid)]:
        os.kill(pid, signal.SIGKILL)
    worker.wait(10)
    start_worker("gpu")
    start_worker("default")
    start_worker("default", beat=True, app="tests.faults.app", FAULTS_BEAT_PACE="5")
    wait_for(lambda: Candidate.objects.filter(status="in_review").count() == N, seconds=60, what="another worker")
    each_was_done_once()
