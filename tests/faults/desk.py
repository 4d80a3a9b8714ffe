"""A whole desk of real processes on free ports, looked after by the product's own supervisor, for faults to hit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from ecomsite.env import BASE_DIR
from ecomsite.stack.commands import beat_command, worker_command
from ecomsite.stack.label_studio import LabelStudio, Person
from ecomsite.stack.ports import free_port
from ecomsite.stack.postgres import Postgres
from ecomsite.stack.processes import Child, Program, Supervisor, stop_together
from tests.faults.brokers import Server

TOKEN = "0" * 40
APP = "tests.faults.app"


@dataclass
class Desk:
    """PostgreSQL (fsync on), a broker, two model workers, two prefork workers, two beats; Label Studio if asked for."""

    root: Path
    broker: Server
    settings: dict[str, str] = field(default_factory=dict)
    supervisor: Supervisor = field(default_factory=lambda: Supervisor(report=lambda line: None))
    gpu: list[Child] = field(default_factory=list)
    prefork: list[Child] = field(default_factory=list)
    beats: list[Child] = field(default_factory=list)
    label_studio: LabelStudio | None = None
    # Looked at again and again while one waits: a fault in there is a fault of the run.
    watch: Callable[[], None] = lambda: None
    _view: psycopg.Connection | None = None

    def start_stores(self, *, label_studio: bool) -> dict[str, str]:
        """Start PostgreSQL, the broker and, if asked, Label Studio. Returns the environment of everything else."""
        self.root.chmod(0o755)
        self.postgres = Postgres(self.root / "postgres", free_port())
        self.postgres.start(launch=self.supervisor.launch)
        self.postgres.create_database("ecomsite")
        self.broker.start(launch=self.supervisor.launch)
        self.environment = {
            **os.environ,
            "DATABASE_URL": self.postgres.url("ecomsite"),
            "CELERY_BROKER_URL": self.broker.url(),
            "ECOMSITE_VAR": str(self.root / "var"),
            # Read by the process that draws up the account too, which knows its own var/ from before.
            "LEDGER_ANCHOR_FILE": str(self.root / "var" / "anchors" / "ledger.jsonl"),
            "LEDGER_MARK_FILE": str(self.root / "var" / "keys" / "ledger-high-water.json"),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "PYTHONPATH": str(BASE_DIR),
            "SECRET_KEY": "only-for-tests-0123456789-0123456789-0123456789-abcdef",
            "LABEL_STUDIO_WEBHOOK_SECRET": "only-for-tests",
            "LABEL_STUDIO_DOOR_KEY": "only-for-tests",
            "LABEL_STUDIO_WEBHOOK_URL": "http://127.0.0.1:9",
            "LABEL_STUDIO_URL": "http://127.0.0.1:9",
            "LABEL_STUDIO_TOKEN": TOKEN,
            # Nobody answers here: drafting would pause when people cannot keep up.
            "REVIEW_MAX_WAITING": "0",
            **self.settings,
        }
        if label_studio:
            self.postgres.create_database("labelstudio")
            server = LabelStudio(self.root / "label-studio", free_port(), self.postgres.url("labelstudio"), TOKEN)
            server.start(
                [Person("admin@example.com", "only-for-tests", "3" * 40, is_admin=True)], launch=self.supervisor.launch
            )
            server.wait_until_ready()
            self.label_studio = server
            self.environment["LABEL_STUDIO_URL"] = server.url
        return self.environment

    def manage(self, *arguments: str) -> None:
        """Run one management command."""
        command = [sys.executable, str(BASE_DIR / "manage.py"), *arguments]
        subprocess.run(command, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def start_processes(self, *, gpu: int = 2, beats: int = 2) -> None:
        """Start workers and beats, and wait until they are at work."""
        self.gpu = [self._launch(f"gpu-{n}", worker_command("gpu", name=f"gpu-{n}", app=APP)) for n in range(gpu)]
        self.prefork = [
            self._launch(queue, worker_command(queue, name=queue, app=APP)) for queue in ("default", "external")
        ]
        self.beats = [
            self._launch(f"beat-{n}", beat_command(self.root / f"schedule-{n}", app=APP)) for n in range(beats)
        ]
        self.wait(self.at_work, seconds=120, what="workers and beats")

    def _launch(self, name: str, command: list[str | Path]) -> Child:
        log = self.root / "log" / f"{name}.log"
        return self.supervisor.launch(Program(name, command, log, environment=self.environment, folder=BASE_DIR))

    @property
    def workers(self) -> list[Child]:
        return [*self.gpu, *self.prefork]

    def at_work(self) -> bool:
        """Whether every worker and every beat runs and has said so."""
        return all(child.running and " ready." in child.output() for child in self.workers) and all(
            child.running and "beat: Starting" in child.output() for child in self.beats
        )

    def wait(
        self, condition: Callable[[], object], *, seconds: float, what: str, every: float = 0.1, look: bool = True
    ) -> float:
        """Look after the processes until `condition` holds, and return how long that took; fail after `seconds`."""
        started = time.monotonic()
        while not condition():
            if time.monotonic() - started > seconds:
                raise AssertionError(f"waited {seconds:g} s in vain for {what}")
            if look:
                self.supervisor.look()
                self.watch()
            time.sleep(every)
        return time.monotonic() - started

    def rest(self, seconds: float) -> None:
        """Look after the processes for some time: for measuring, never for hoping."""
        until = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() >= until, seconds=seconds + 60, what="time to pass")

    def deploy(self) -> None:
        """Stop all workers and beats as a deployment does (SIGTERM, warm shutdown), and start them anew."""
        everybody = [*self.beats, *self.workers]
        stop_together(everybody)
        for child in everybody:
            child.start()

    def sessions(self) -> list[tuple[str, str]]:
        """Return (application, state) of every open transaction of our processes, as PostgreSQL sees it."""
        if self._view is None or self._view.closed:
            self._view = psycopg.connect(self.postgres.url("ecomsite"), autocommit=True, connect_timeout=3)
        try:
            return self._view.execute(
                "SELECT application_name, state FROM pg_stat_activity "
                "WHERE application_name LIKE 'pid-%' AND xact_start IS NOT NULL"
            ).fetchall()  # type: ignore[return-value]
        except psycopg.OperationalError:
            self._view.close()
            raise

    def stop(self) -> None:
        """End everything; what was paused first has to be woken."""
        for child in self.supervisor.children:
            if child.pid:
                os.killpg(child.pid, signal.SIGCONT)
        stop_together([*self.beats, *self.workers])
        if self.label_studio:
            self.label_studio.stop()
        for server in (self.broker.child, self.postgres.child):
            if server:
                stop_together([server])


def children_of(pid: int) -> list[int]:
    """Return the pids of the processes that `pid` started."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
