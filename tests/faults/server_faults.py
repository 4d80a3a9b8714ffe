"""Faults of the servers around us. Each waits until something is in flight, hits, mends what no supervisor would."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from ecomsite.stack.processes import Child, stop_together
from tests.faults import work
from tests.faults.desk import Desk
from tests.faults.in_flight import PATIENCE_S, InFlight, in_flight, wait_for_work


def _restart(desk: Desk, server: Child, answers: Callable[[], bool]) -> None:
    server.start()
    desk.wait(answers, seconds=120, what=f"{server.program.name} to answer")


def restart_broker(desk: Desk, rng: random.Random) -> InFlight:
    """broker restarted with its data"""
    found, server = wait_for_work(desk), desk.broker.child
    assert server is not None
    stop_together([server])
    time.sleep(2)
    _restart(desk, server, desk.broker.answers)
    return found


def lose_broker(desk: Desk, rng: random.Random) -> InFlight:
    """broker killed, data lost"""
    found, server = wait_for_work(desk), desk.broker.child
    assert server is not None
    server.kill_group()
    server.process.wait(10)  # type: ignore[union-attr]
    time.sleep(2)
    for folder in ("appendonlydir", "data"):
        shutil.rmtree(desk.broker.root / folder, ignore_errors=True)
    _restart(desk, server, desk.broker.answers)
    return found


def empty_broker(desk: Desk, rng: random.Random) -> InFlight:
    """broker emptied (FLUSHALL)"""
    found = wait_for_work(desk)
    desk.broker.empty()
    return found


def _postgres_answers(desk: Desk) -> bool:
    try:
        desk.sessions()
    except psycopg.OperationalError:
        return False
    return True


def restart_postgres(desk: Desk, rng: random.Random) -> InFlight:
    """PostgreSQL restarted (fast)"""
    found, server = wait_for_work(desk), desk.postgres.child
    assert server is not None
    stop_together([server])
    time.sleep(2)
    _restart(desk, server, lambda: _postgres_answers(desk))
    return found


def crash_postgres(desk: Desk, rng: random.Random) -> InFlight:
    """PostgreSQL killed (-9)"""
    found, server = wait_for_work(desk), desk.postgres.child
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)  # type: ignore[arg-type]
    server.process.wait(10)  # type: ignore[union-attr]
    desk.wait(lambda: _postgres_answers(desk), seconds=120, what="PostgreSQL to be started again")
    return found


def terminate_backend(desk: Desk, rng: random.Random) -> InFlight:
    """a transaction's backend terminated"""
    query = (
        "SELECT application_name, pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name LIKE 'pid-%' AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 1"
    )
    with psycopg.connect(desk.postgres.url("ecomsite"), autocommit=True) as connection:
        desk.wait(lambda: work.held()[0], seconds=PATIENCE_S, every=0.02, what="a lease")
        found, hit = in_flight(desk), []
        desk.wait(
            lambda: hit.append(connection.execute(query).fetchone()) or hit[-1],
            seconds=PATIENCE_S,
            every=0.005,
            what="a transaction",
        )
    return InFlight(f"{found.words}; a transaction of {hit[-1][0]}", found.requests, found.reviews, found.at)


def exhaust_connections(desk: Desk, rng: random.Random) -> InFlight:
    """connections exhausted for 5 s"""
    found, taken = wait_for_work(desk), []
    until = time.monotonic() + 5
    try:
        while time.monotonic() < until:
            try:
                taken.append(psycopg.connect(desk.postgres.url("ecomsite"), autocommit=True, connect_timeout=2))
            except psycopg.OperationalError:
                # All are taken, some by the workers: theirs are cut, and ours are there first.
                taken[0].execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pid-%'"
                )
                time.sleep(0.02)
    finally:
        for connection in taken:
            connection.close()
    return found


def label_studio_down(desk: Desk, rng: random.Random) -> InFlight:
    """Label Studio down for 20 s"""
    assert desk.label_studio is not None
    server = desk.label_studio.child
    assert server is not None
    desk.wait(work.open_tasks, seconds=PATIENCE_S, every=0.02, what="tasks on their way to Label Studio")
    found = in_flight(desk, about=f"{work.open_tasks()} tasks to push")
    stop_together([server])
    until = time.monotonic() + 20
    desk.wait(lambda: time.monotonic() > until, seconds=60, what="the outage to pass", look=False)
    server.start()
    desk.label_studio.wait_until_ready()
    return found


STORE = (
    "import sys, pathlib, django; django.setup()\n"
    "from inference import artifacts\n"
    "print(artifacts.store_directory(pathlib.Path(sys.argv[1])))"
)


def disk_full(desk: Desk, rng: random.Random) -> InFlight:
    """disk full under the artefacts"""
    source, store = desk.root / "model", desk.root / "var" / "artifacts"
    for folder in (source, store):
        folder.mkdir(parents=True, exist_ok=True)
    (source / "model.safetensors").write_bytes(rng.randbytes(8_000_000))
    command = [sys.executable, "-c", STORE, str(source)]
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(store)], check=True)
    try:
        found = wait_for_work(desk)
        refused = subprocess.run(command, env=desk.environment, capture_output=True, text=True, check=False)
        assert "There is no room for this model" in refused.stderr, refused.stderr
        assert not list(store.iterdir()), "something half-written was left"
        subprocess.run(["mount", "-o", "remount,size=64m", str(store)], check=True)
        stored = subprocess.run(command, env=desk.environment, capture_output=True, text=True, check=True)
        assert [path.name for path in store.iterdir()] == [stored.stdout.strip()]
    finally:
        subprocess.run(["umount", str(store)], check=True)
    return found


def can_fill_a_disk(folder: Path) -> bool:
    """Whether a small file system can be mounted here, which takes root."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode == 0:
        subprocess.run(["umount", str(folder)], check=True)
    return mounted.returncode == 0


FAULTS = (
    restart_broker,
    lose_broker,
    empty_broker,
    restart_postgres,
    crash_postgres,
    terminate_backend,
    exhaust_connections,
    disk_full,
    label_studio_down,
)
