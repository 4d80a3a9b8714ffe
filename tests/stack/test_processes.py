"""Children are restarted, given pauses, stopped in order and cleared away with what they started."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ecomsite.stack.processes import LOG_LIMIT_BYTES, Program, Supervisor, launch

SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")


def program(name: str, folder: Path, command: tuple[str, ...] = SLEEP, **options: object) -> Program:
    return Program(name, command, folder / f"{name}.log", **options)  # type: ignore[arg-type]


def test_a_child_that_dies_is_started_again_and_the_death_reported(
    folder: Path, wait_until: Callable[..., None]
) -> None:
    said: list[str] = []
    supervisor = Supervisor(report=said.append)
    child = supervisor.launch(program("sleeper", folder))
    first = child.pid
    assert first
    os.kill(first, signal.SIGKILL)

    def is_back() -> bool:
        supervisor.look()
        return child.pid not in (None, first)

    wait_until(is_back)
    assert child.restarts == 1
    assert "sleeper ended (SIGKILL)" in said[0]
    supervisor.stop()


def test_a_child_that_keeps_dying_is_given_longer_and_longer_pauses(
    folder: Path, wait_until: Callable[..., None]
) -> None:
    supervisor = Supervisor(report=lambda sentence: None)
    child = supervisor.launch(program("failing", folder, (sys.executable, "-c", "raise SystemExit(3)")))
    pauses = []

    def has_died_thrice() -> bool:
        supervisor.look()
        if child.pause and child.pause not in pauses:
            pauses.append(child.pause)
        return len(pauses) == 3

    wait_until(has_died_thrice)
    assert pauses == [0.5, 1.0, 2.0]
    supervisor.stop()


def test_tiers_are_stopped_from_the_highest_down(folder: Path) -> None:
    order = folder / "order"
    script = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        f"    open({str(order)!r}, 'a').write(sys.argv[1])\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('set', flush=True)\n"
        "time.sleep(600)"
    )
    supervisor = Supervisor()
    children = [
        supervisor.launch(program(name, folder, (sys.executable, "-c", script, name), tier=tier))
        for name, tier in {"a": 0, "c": 2, "b": 1}.items()
    ]
    while not all("set" in child.output() for child in children):
        time.sleep(0.05)
    supervisor.stop()
    assert order.read_text() == "cba"


def test_a_child_that_ignores_the_signal_is_killed_with_all_it_started(
    folder: Path, wait_until: Callable[..., None]
) -> None:
    script = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True)\n"
        "time.sleep(600)"
    )
    child = launch(program("stubborn", folder, (sys.executable, "-c", script), stop_timeout=0.2))
    wait_until(lambda: child.output().strip())
    grandchild = int(child.output())
    child.stop()
    assert not child.running

    def is_gone() -> bool:
        try:
            return "\nState:\tZ" in Path(f"/proc/{grandchild}/status").read_text()
        except FileNotFoundError:
            return True

    wait_until(is_gone)


def test_asking_twice_kills_instead_of_waiting(folder: Path, wait_until: Callable[..., None]) -> None:
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('set', flush=True); time.sleep(600)"
    )
    supervisor = Supervisor()
    child = supervisor.launch(program("stubborn", folder, (sys.executable, "-c", script), stop_timeout=600))
    wait_until(lambda: "set" in child.output())
    threading.Timer(0.3, supervisor.hurry.set).start()
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 10


def test_a_log_that_has_grown_too_long_is_set_aside_at_the_start(folder: Path) -> None:
    log = folder / "sleeper.log"
    with log.open("wb") as file:
        file.truncate(LOG_LIMIT_BYTES + 1)
    child = launch(program("sleeper", folder))
    child.stop()
    assert log.stat().st_size == 0
    assert (folder / "sleeper.log.1").stat().st_size > LOG_LIMIT_BYTES


@pytest.mark.parametrize("returncode", [0, 7])
def test_a_child_that_ends_by_itself_is_reported_with_its_exit_status(folder: Path, returncode: int) -> None:
    said: list[str] = []
    supervisor = Supervisor(report=said.append)
    child = supervisor.launch(program("short", folder, (sys.executable, "-c", f"raise SystemExit({returncode})")))
    assert child.process is not None
    child.process.wait()
    supervisor.look()
    assert f"exit status {returncode}" in said[0]
