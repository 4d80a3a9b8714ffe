"""Child processes that end with us, and a supervisor that restarts those that die.

A child gets a signal from the kernel when the process that started it dies (Linux, PR_SET_PDEATHSIG), so even `kill -9`
of the supervisor leaves no orphan. The kernel watches the *thread* that started the child: start children from a thread
that lives as long as they shall, which for the supervisor is the main one.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
LOG_LIMIT_BYTES = 20_000_000
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
# A child that ran this long before it died is started again at once, as if for the first time.
STEADY_S = 60.0


def die_with_parent(sig: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
    """Return a `preexec_fn` that has the kernel send `sig` to the child when its parent dies (Linux only)."""
    parent = os.getpid()
    # Loaded here: between fork and exec a child should do as little as it can.
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def set_death_signal() -> None:
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, sig)
            if os.getppid() != parent:
                # The parent died before we asked for the signal: it will never come.
                os._exit(1)

    return set_death_signal


@dataclass(frozen=True)
class Program:
    """What to run, where its output goes, and how it wants to be stopped."""

    name: str
    command: Sequence[str | Path]
    log_file: Path
    # Stopped from the highest tier to the lowest; programs of one tier together.
    tier: int = 0
    port: int | None = None
    # None: ours, inherited.
    environment: Mapping[str, str] | None = None
    folder: Path | None = None
    # None: whoever we are.
    user: pwd.struct_passwd | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout: float = 30
    # What the kernel sends when we die without stopping it.
    death_signal: signal.Signals = signal.SIGKILL


@dataclass
class Child:
    """A program that was started."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restarts: int = 0
    pause: float = 0.0
    restart_at: float | None = None
    log_offset: int = 0

    def start(self) -> None:
        """Start the program in a session of its own: Ctrl-C in our terminal is ours to hand on, in order."""
        program = self.program
        program.log_file.parent.mkdir(parents=True, exist_ok=True)
        _rotate(program.log_file)
        options: dict[str, Any] = {}
        if program.user is not None:
            options = {"user": program.user.pw_uid, "group": program.user.pw_gid, "extra_groups": []}
        with program.log_file.open("ab") as log:
            self.log_offset = log.tell()
            self.process = subprocess.Popen(  # noqa: S603  (a fixed command of ours, no shell)
                [str(part) for part in program.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=None if program.environment is None else dict(program.environment),
                cwd=program.folder,
                start_new_session=True,
                preexec_fn=die_with_parent(program.death_signal),
                **options,
            )
        self.started_at = time.time()
        self.restart_at = None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process is not None and self.running else None

    def output(self) -> str:
        """Return what it has written since it was last started."""
        try:
            with self.program.log_file.open("rb") as log:
                log.seek(self.log_offset)
                return log.read().decode(errors="replace")
        except FileNotFoundError:
            return ""

    def last_lines(self, count: int = 5) -> str:
        """Return the end of its output, for error messages."""
        return "\n".join(self.output().strip().splitlines()[-count:])

    def stop(self) -> None:
        """Ask it to stop, wait, and kill what is left of its process group."""
        stop_together([self])

    def kill_group(self) -> None:
        """Kill whatever still runs in the session it leads, such as worker processes that outlived it."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                return


def launch(program: Program) -> Child:
    """Start `program` without supervision."""
    child = Child(program)
    child.start()
    return child


def stop_together(children: Sequence[Child], *, hurry: threading.Event | None = None) -> None:
    """Ask all of them to stop, wait for each as long as its program allows (or until `hurry`), then kill the rest."""
    asked = time.monotonic()
    for child in children:
        child.restart_at = None
        if child.process is not None and child.running:
            child.process.send_signal(child.program.stop_signal)
    for child in children:
        while child.running and time.monotonic() < asked + child.program.stop_timeout:
            if hurry is not None and hurry.is_set():
                break
            time.sleep(0.05)
        child.kill_group()
        if child.process is not None:
            child.process.wait(10)


@dataclass
class Supervisor:
    """Runs children, starts again those that die, stops them in order. Used from one thread."""

    # Called with a sentence when a child died or came back, and after every change of the set.
    report: Callable[[str], None] = print
    on_change: Callable[[], None] = lambda: None
    children: list[Child] = field(default_factory=list)
    # Set while stopping to stop waiting and kill.
    hurry: threading.Event = field(default_factory=threading.Event)

    def launch(self, program: Program) -> Child:
        """Start `program` and look after it from now on."""
        child = launch(program)
        self.adopt(child)
        return child

    def adopt(self, child: Child) -> None:
        """Look after a child that was started elsewhere in this thread."""
        self.children.append(child)
        self.on_change()

    def watch(self, stopping: threading.Event, *, every: float = 0.5) -> None:
        """Look after the children until `stopping` is set."""
        while not stopping.wait(every):
            self.look()

    def look(self) -> None:
        """Plan a restart for each child that died, and carry out the restarts that are due."""
        now = time.time()
        for child in self.children:
            if child.running or child.process is None:
                continue
            if child.restart_at is None:
                steady = now - child.started_at > STEADY_S
                child.pause = FIRST_PAUSE_S if steady or not child.pause else min(child.pause * 2, LONGEST_PAUSE_S)
                child.restart_at = now + child.pause
                child.kill_group()
                code = child.process.returncode
                reason = signal.Signals(-code).name if code < 0 else f"exit status {code}"
                self.report(
                    f"{child.program.name} ended ({reason}); starting it again in {child.pause:.1f} s. "
                    f"Log: {child.program.log_file}"
                )
                self.on_change()
            elif now >= child.restart_at:
                child.restarts += 1
                child.start()
                self.on_change()

    def stop(self) -> None:
        """Stop everything, the highest tier first. `hurry` set on the way kills instead of waiting."""
        for tier in sorted({child.program.tier for child in self.children}, reverse=True):
            members = [child for child in self.children if child.program.tier == tier]
            stop_together(members, hurry=self.hurry)
            self.on_change()
        self.children.clear()

    def snapshot(self) -> list[dict[str, Any]]:
        """Return one plain record per child, for `status`."""
        return [
            {
                "name": child.program.name,
                "pid": child.pid,
                "started_at": child.started_at,
                "restarts": child.restarts,
                "port": child.program.port,
                "log_file": str(child.program.log_file),
            }
            for child in self.children
        ]


def _rotate(log_file: Path) -> None:
    """Keep one older log of at most the limit: enough to look back, not enough to fill a disk."""
    if log_file.exists() and log_file.stat().st_size > LOG_LIMIT_BYTES:
        log_file.replace(log_file.with_suffix(".log.1"))
