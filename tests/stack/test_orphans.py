"""Killing the supervisor leaves nothing behind, grandchildren included."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal exists on Linux alone")


@pytest.fixture
def supervisor(folder: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Return a function that starts the supervisor of tests/stack/supervise.py and waits until all of it runs."""

    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.stack.supervise", str(folder)],
            cwd=ROOT,
            env={**os.environ, "ECOMSITE_VAR": str(folder / "var")},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_nothing_is_left_running_when_the_supervisor_is_killed(
    supervisor: Callable[[], subprocess.Popen[str]],
    folder: Path,
    running_in: Callable[[Path], dict[int, str]],
    wait_until: Callable[..., None],
) -> None:
    process = supervisor()
    before = running_in(folder)
    # PostgreSQL with its helpers, the broker, a worker with two children, a web server with two.
    for name, at_least in {"postgres": 4, "valkey": 1, "celery": 3, "gunicorn": 3}.items():
        assert sum(name in command for command in before.values()) >= at_least, (name, before)
    process.kill()
    process.wait()
    wait_until(lambda: not running_in(folder), seconds=90)
    assert "database system is shut down" in (folder / "postgres" / "postgres.log").read_text()
