"""Start the local stack and keep it running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from core.exceptions import PermanentError
from ecomsite import env
from ecomsite.logins import LOGINS, read_passwords
from ecomsite.stack.local import LocalStack, without_password
from ecomsite.stack.plan import Plan, choose_ports, read_plan
from ecomsite.stack.ports import is_free
from ecomsite.stack.processes import Supervisor
from ecomsite.stack.state import State, claim, read_state, write_state


class Stopped(BaseException):
    """Somebody asked us to stop while we were still starting. Not an error, so no `except Exception` may take it."""


class Command(BaseCommand):
    help = (
        "Start the whole desk on this machine and keep it running until Ctrl-C: PostgreSQL, broker, Label Studio, "
        "console and API, workers, beat. State, logs, secrets and logins live under var/ (ECOMSITE_VAR). Set "
        "DATABASE_URL, CELERY_BROKER_URL or LABEL_STUDIO_URL (with LABEL_STUDIO_TOKEN) to use servers of your own."
    )
    # The settings are read before the secrets they need exist; every step runs as a process of its own, with checks.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--no-demo", action="store_true", help="Do not load the demo shop on the first run (or set DEMO=0)."
        )
        parser.add_argument("--detach", action="store_true", help="Come back when everything works; `down` stops it.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            plan = read_plan()
            demo = not options["no_demo"] and env.boolean("DEMO", default=not plan.database_url)
            if options["detach"]:
                self._detach(plan, demo=demo)
            else:
                Foreground(plan, Console(highlight=False)).run(demo=demo)
        except PermanentError as exc:
            raise CommandError(f"{exc.message}\n{exc.hint}".strip()) from exc

    def _detach(self, plan: Plan, *, demo: bool) -> None:
        """Run `up` in a session of its own and wait until it says that it is ready."""
        log_file = plan.log("up")
        log_file.parent.mkdir(parents=True, exist_ok=True)
        with log_file.open("ab") as log:
            start = log.tell()
            child = subprocess.Popen(  # noqa: S603  (our own command)
                [sys.executable, sys.argv[0], "up", *([] if demo else ["--no-demo"])],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while child.poll() is None:
            state = read_state(plan.var)
            if state and state.ready and state.pid == child.pid:
                break
            time.sleep(0.2)
        self.stdout.write(log_file.read_bytes()[start:].decode(errors="replace"), ending="")
        if child.poll() is not None:
            raise CommandError(f"The stack did not start; see {log_file}.")


class Foreground:
    """The stack as a child of this terminal."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self.plan = plan
        self.console = console
        self.stopping = threading.Event()
        self.starting = True
        self.state = State(
            pid=os.getpid(),
            started_at=time.time(),
            console=f"{plan.site_url}/console/",
            label_studio=plan.label_studio_address,
            external={name: without_password(url) for name, url in plan.external.items()},
        )
        self.supervisor = Supervisor(report=self._report, on_change=self._save)

    def run(self, *, demo: bool) -> None:
        """Start, keep running until a signal, stop in order."""
        with claim(self.plan.var) as killed:
            self._save()
            for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(sig, self._on_signal)
            try:
                began = time.monotonic()
                if killed is not None:
                    self._wait_for_end_of(killed)
                self._choose_ports()
                LocalStack(self.plan, self.supervisor, self._step).start(demo=demo)
                self.starting = False
                self.console.print(self._summary(time.monotonic() - began))
                # Last: whoever waits for it (`up --detach`) then shows what was printed.
                self.state.ready = True
                self._save()
                self.supervisor.watch(self.stopping)
            except Stopped:
                pass
            finally:
                self.starting = False
                self.stopping.set()
                self.state.ready = False
                if self.supervisor.children:
                    with self._step("Stopped"):
                        self.supervisor.stop()

    def _wait_for_end_of(self, killed: State, *, timeout: float = 20) -> None:
        """Wait until the servers of a run that was killed, which the kernel has asked to end, let go of their ports.

        Otherwise we would take other ports, and PostgreSQL would not start beside the one that still shuts down.
        """
        ports = [part["port"] for part in killed.parts if part["port"]]
        deadline = time.monotonic() + timeout
        with self.console.status("Waiting for the end of the last run, which was killed …"):
            # On every address: ECOMSITE_HOST may have named any.
            while time.monotonic() < deadline and not all(is_free("0.0.0.0", port) for port in ports):  # noqa: S104
                time.sleep(0.1)

    def _choose_ports(self) -> None:
        self.plan, notes = choose_ports(self.plan)
        for note in notes:
            self._report(note)
        self.state.console = f"{self.plan.site_url}/console/"
        self.state.label_studio = self.plan.label_studio_address
        self.state.notes = notes
        self._save()

    def _on_signal(self, number: int, frame: object) -> None:
        if self.stopping.is_set():
            # Asked twice: whoever asks does not want to wait.
            self.supervisor.hurry.set()
            return
        self.stopping.set()
        self.console.print("Stopping; once more to stop at once.")
        if self.starting:
            raise Stopped

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        began = time.monotonic()
        with self.console.status(f"{title} …"):
            yield
        self.console.print(f"[green]✓[/green] {title:<28}{time.monotonic() - began:6.1f} s")

    def _report(self, sentence: str) -> None:
        self.console.print(f"[yellow]![/yellow] {sentence}")

    def _save(self) -> None:
        self.state.parts = self.supervisor.snapshot()
        write_state(self.plan.var, self.state)

    def _summary(self, seconds: float) -> Panel:
        table = Table.grid(padding=(0, 2))
        site = self.plan.site_url
        for name, address in {
            "Console": f"{site}/console/",
            "API": f"{site}/api/v1/",
            "Health": f"{site}/healthz  {site}/readyz",
            "Label Studio": self.plan.label_studio_address,
            "Logs": str(self.plan.log("*")),
        }.items():
            table.add_row(f"[bold]{name}[/bold]", address)
        for note in self.state.notes:
            table.add_row("[yellow]![/yellow]", note)
        table.add_row("", "")
        passwords = read_passwords(self.plan.var / "logins.txt")
        for email, (role, *_) in LOGINS.items():
            table.add_row(f"[bold]{role}[/bold]", f"{email}  {passwords.get(email, '')}")
        return Panel(table, title=f"ecomsite is up ({seconds:.0f} s)", subtitle="Ctrl-C stops it", expand=False)
