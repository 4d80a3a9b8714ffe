"""Faults of our own processes. Each waits until something is in flight, hits, and says what it hit."""

from __future__ import annotations

import os
import random
import signal

from tests.faults import work
from tests.faults.desk import Desk, children_of
from tests.faults.in_flight import PATIENCE_S, InFlight, catch, in_flight, wait_for_work


def _catch_gpu_worker(desk: Desk) -> int:
    """Freeze a model worker that holds a lease: each has at most one, so when there is one for each, it has."""

    def holds(pid: int) -> bool:
        return work.live_tokens() >= len([worker for worker in desk.gpu if worker.running])

    return catch(desk, lambda: [worker.pid for worker in desk.gpu if worker.pid], holds, "a busy model worker")


def _catch_child(desk: Desk) -> int:
    """Freeze a process of the prefork pool that is inside a transaction."""

    def in_transaction(pid: int) -> bool:
        return f"pid-{pid}" in {name for name, _ in desk.sessions()}

    def children() -> list[int]:
        return [child for worker in desk.prefork if worker.pid for child in children_of(worker.pid)]

    return catch(desk, children, in_transaction, "a busy pool process")


def kill_model_worker(desk: Desk, rng: random.Random) -> InFlight:
    """kill -9 of a model worker"""
    pid = _catch_gpu_worker(desk)
    found = in_flight(desk)
    os.kill(pid, signal.SIGKILL)
    return found


def kill_prefork_worker(desk: Desk, rng: random.Random) -> InFlight:
    """kill -9 of a prefork worker"""
    pid = _catch_child(desk)
    found = in_flight(desk)
    parent = next(worker for worker in desk.prefork if worker.pid and pid in children_of(worker.pid))
    os.kill(parent.pid, signal.SIGKILL)  # type: ignore[arg-type]
    parent.process.wait(10)  # type: ignore[union-attr]
    os.kill(pid, signal.SIGCONT)
    return found


def kill_pool_child(desk: Desk, rng: random.Random) -> InFlight:
    """kill -9 of a pool process"""
    pid = _catch_child(desk)
    found = in_flight(desk)
    os.kill(pid, signal.SIGKILL)
    return found


def kill_beats(desk: Desk, rng: random.Random) -> InFlight:
    """kill -9 of both beats"""
    found = wait_for_work(desk)
    for beat in desk.beats:
        beat.kill_group()
    return found


def deploy(desk: Desk, rng: random.Random) -> InFlight:
    """SIGTERM deploy, warm"""
    found = wait_for_work(desk)
    desk.deploy()
    return found


def soft_shutdown(desk: Desk, rng: random.Random) -> InFlight:
    """SIGQUIT of all workers, soft"""
    found = wait_for_work(desk)
    for worker in desk.workers:
        os.kill(worker.pid, signal.SIGQUIT)  # type: ignore[arg-type]
    desk.wait(
        lambda: not any(worker.running for worker in desk.workers), seconds=60, what="the workers to end", look=False
    )
    return found


def pause_past_lease(desk: Desk, rng: random.Random) -> InFlight:
    """SIGSTOP past the lease"""
    pid = _catch_gpu_worker(desk)
    found = in_flight(desk)
    desk.wait(
        lambda: work.are_done(found.requests, found.reviews),
        seconds=PATIENCE_S,
        what="somebody else to do what the paused one held",
    )
    os.kill(pid, signal.SIGCONT)
    return found


FAULTS = (
    kill_model_worker,
    kill_pool_child,
    kill_prefork_worker,
    kill_beats,
    deploy,
    soft_shutdown,
    pause_past_lease,
)
