"""A worker that is killed or stopped costs an order no attempt, and the drafts that it had finished stay."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from audit.models import LedgerEntry
from audit.verification import verify
from core.actors import SystemActor
from core.hints import hint
from inference import loader
from inference.models import ModelVersion
from moderation.drafting import generation, ordering, requests
from moderation.models.candidates import Candidate, GenerationRequest
from tests import factories
from tests.moderation.conftest import GOOD
from tests.warm import WarmProcess
from tests.workers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def order(n: int = 1, *, drafts: int = 3, title: str = "Harbour mug 1", **script: Any) -> list[GenerationRequest]:
    if not ModelVersion.objects.filter(role="copywriter").exists():
        factories.model_version(backend="scripted", artifact_hash="", options={"texts": [GOOD], **script})
    products = [factories.product(title=title) for _ in range(n)]
    return list(
        ordering.request_copy(
            products, channels=["description"], locales=["en"], actor=SystemActor("tests"), n_candidates=drafts
        ).created
    )


def taken() -> object:
    """Whether a worker is at the order; asks for one each time it is not."""
    return GenerationRequest.objects.filter(status="generating").exists() or hint("moderation.drain_generation")


def run_out() -> None:
    """Let the leases that are held run out, and have what was lost with them queued again."""
    GenerationRequest.objects.filter(lease_token__isnull=False).update(lease_expires_at=timezone.now())
    requests.reap_requests()


def drafts() -> dict[Any, str]:
    return dict(Candidate.objects.values_list("pk", "text"))


def each_was_written_once() -> None:
    lines = Counter(LedgerEntry.objects.values_list("action", "subject"))
    for action in ("moderation.request.completed", "moderation.candidate.generated"):
        assert {n for (name, _), n in lines.items() if name == action} == {1}
    assert verify().is_intact


def kill(worker: WarmProcess) -> None:
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait(10)


@pytest.mark.slow("two workers start one after the other, and drafts take their seconds")
def test_a_killed_worker_leaves_what_it_had_finished_and_the_next_one_writes_the_rest(
    start_worker: Callable[..., WarmProcess],
) -> None:
    (request,) = order(drafts=4, each_seconds=1)
    worker = start_worker("gpu", WORK_LEASE_S="30")
    wait_for(lambda: Candidate.objects.count() >= 2 or (taken() and False), what="two drafts")
    kill(worker)
    kept = drafts()
    assert 2 <= len(kept) < 4
    run_out()
    request.refresh_from_db()
    assert (request.status, request.n_attempts, request.n_losses) == ("queued", 0, 1)
    ModelVersion.objects.update(options={"texts": ["Another text."]})
    start_worker("gpu")
    wait_for(
        lambda: (
            Candidate.objects.filter(screened_at__isnull=False).count() == 4
            or (hint("moderation.drain_generation") and False)
        ),
        what="the rest",
    )
    assert kept.items() <= drafts().items()
    assert Counter(drafts().values())[GOOD] == len(kept)
    each_was_written_once()


def test_a_worker_that_is_asked_to_end_stops_within_a_draft_and_gives_back_what_is_not_finished(
    start_worker: Callable[..., WarmProcess],
) -> None:
    order(3, drafts=4, each_seconds=2)
    worker = start_worker("gpu", WORK_LEASE_S="60")
    wait_for(lambda: Candidate.objects.exists() or (taken() and False), what="the first draft")
    asked = time.monotonic()
    worker.terminate()
    assert worker.wait(30) == 0
    assert time.monotonic() - asked < 15, "all of it would have taken 24 s"
    kept = drafts()
    assert 1 <= len(kept) < 12
    states = set(GenerationRequest.objects.values_list("status", "n_attempts", "n_losses", "lease_token"))
    assert states == {("queued", 0, 0, None)}
    assert generation.leases.claimable(GenerationRequest.objects.all()).count() == 3, "due at once"
    ModelVersion.objects.update(options={"texts": [GOOD]})
    start_worker("gpu")
    wait_for(
        lambda: Candidate.objects.count() == 12 or (hint("moderation.drain_generation") and False), what="the rest"
    )
    assert kept.keys() <= drafts().keys()
    wait_for(lambda: not GenerationRequest.objects.exclude(status="completed").exists(), what="the end of the orders")
    each_was_written_once()


@pytest.fixture
def drafter(settings: Any) -> Callable[[], int]:
    """Return a function that has one batch drafted by a forked process and gives its pid: much faster than a worker."""
    scripted = {"scripted": "tests.backends.Scripted"}
    settings.INFERENCE = replace(settings.INFERENCE, backends={**settings.INFERENCE.backends, **scripted})
    loader.forget()

    def start() -> int:
        connections.close_all()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                # Each process of a test would draw the same ones.
                Candidate._meta.pk._get_default = uuid.uuid4  # type: ignore[union-attr]
                generation.drain_generation()
                status = 0
            finally:
                os._exit(status)  # not our parent's exit handlers
        return pid

    return start


def end_of(pid: int) -> int:
    """Wait for a process, and return how it ended: below zero, the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_processes_killed_more_often_than_an_order_has_attempts_do_not_fail_it(
    drafter: Callable[[], int], settings: Any
) -> None:
    settings.LEASES = replace(settings.LEASES, max_attempts=2)
    (request,) = order(seconds=60)
    for n in range(1, 9):
        pid = drafter()
        wait_for(GenerationRequest.objects.filter(status="generating").exists, what="the order to be taken")
        os.kill(pid, signal.SIGKILL)
        assert end_of(pid) == -signal.SIGKILL
        run_out()
        request.refresh_from_db()
        assert (request.status, request.n_attempts, request.n_losses) == ("queued", 0, n)
    ModelVersion.objects.update(options={"texts": [GOOD]})
    assert end_of(drafter()) == 0
    request.refresh_from_db()
    assert (request.status, request.n_attempts, request.n_losses) == ("completed", 0, 0)
    assert Candidate.objects.count() == 3
    each_was_written_once()


def test_an_order_that_kills_each_worker_ends_in_quarantine_and_takes_no_other_with_it(
    drafter: Callable[[], int], settings: Any
) -> None:
    (cursed,) = order(title="Cursed mug 1", deadly="Cursed")
    others = order(4)
    ends = []
    while GenerationRequest.objects.filter(status="queued").exists():
        ends.append(end_of(drafter()))
        run_out()
        assert len(ends) < 30
    assert ends.count(-signal.SIGKILL) == settings.LEASES.max_losses
    cursed.refresh_from_db()
    assert (cursed.status, cursed.n_attempts) == ("failed", 0)
    assert "died or stalled, 10 times in a row" in cursed.last_error
    for other in others:
        other.refresh_from_db()
        assert (other.status, other.n_attempts, other.candidates.count()) == ("completed", 0, 3)
    each_was_written_once()
