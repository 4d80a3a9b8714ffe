"""A worker does not grow with the tasks it has done, failing ones included."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from celery import current_app
from django.conf import settings

from tests.warm import WarmProcess
from tests.workers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
MUST_MB = 2.0  # per 10,000 tasks
SHORT_MUST_MB = 10.0  # over a thousand tasks a single page more is half a megabyte
QUEUE = "default"
Start = Callable[..., WarmProcess]


def rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def slope(start_worker: Start, *, tasks: int, warm_up: int, seconds: float) -> float:
    """Have one worker do `tasks` tasks and return by how many MB it grew for each 10,000 after `warm_up`."""
    broker = redis.Redis.from_url(settings.CELERY_BROKER_URL)
    worker = start_worker(QUEUE)
    with current_app.producer_pool.acquire(block=True) as producer:
        for number in range(tasks):
            current_app.send_task("tests.look_and_fail", args=[number], queue=QUEUE, producer=producer)
    samples: list[tuple[int, float]] = []

    def is_done() -> bool:
        left = int(broker.llen(QUEUE))
        samples.append((tasks - left, rss_mb(worker.pid)))
        return left == 0

    started = time.monotonic()
    wait_for(is_done, seconds=seconds, what=f"{tasks} tasks")

    def all_failed() -> bool:  # the last one is taken from the queue before it is done
        return Path(worker.log).read_text().count("RuntimeError: the task") >= tasks // 2

    wait_for(all_failed, what="the last task to fail")
    worker.terminate()
    worker.wait(60)
    warm = [sample for sample in samples if sample[0] > warm_up]
    found, _ = statistics.linear_regression(*zip(*warm, strict=True))
    print(  # noqa: T201
        f"\n  {tasks} tasks, half of them failing, in {time.monotonic() - started:.0f} s: "
        f"{warm[0][1]:.1f} MB after {warm[0][0]}, {warm[-1][1]:.1f} MB at the end, {found * 10_000:+.2f} MB per 10,000"
    )
    return found * 10_000


@pytest.mark.slow("2,000 tasks: fewer do not show a leak")
@pytest.mark.timeout(700)
def test_a_worker_does_not_grow_with_its_tasks(start_worker: Start) -> None:
    # A leak shows each time; a page that happens to be asked for in the middle does not.
    assert any(slope(start_worker, tasks=2_000, warm_up=1_000, seconds=240) <= SHORT_MUST_MB for _ in range(2))


@pytest.mark.faults
@pytest.mark.timeout(700)
def test_a_worker_does_not_grow_with_5_000_tasks(start_worker: Start) -> None:
    assert any(slope(start_worker, tasks=5_000, warm_up=2_000, seconds=240) <= MUST_MB for _ in range(2))


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_a_worker_does_not_grow_with_50_000_tasks(start_worker: Start) -> None:
    assert slope(start_worker, tasks=50_000, warm_up=10_000, seconds=1_200) <= MUST_MB
