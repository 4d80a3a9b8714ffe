"""Show the parts of the local stack."""

from __future__ import annotations

import datetime as dt
import os
import socket
import time
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from ecomsite.env import VAR_DIR
from ecomsite.stack.state import read_state

DEFAULT_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "postgres": 5432, "redis": 6379, "amqp": 5672}


class Command(BaseCommand):
    help = "Show each part of the running stack: state, pid, uptime, port and log file. Fails when one is down."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        state = read_state(VAR_DIR)
        if state is None:
            raise CommandError("Not running. `manage.py up` starts it.")
        table = Table("part", "state", "pid", "uptime", "port", "log", box=None)
        down = []
        for part in state.parts:
            alive = _runs(part["pid"]) and (part["port"] is None or _answers("127.0.0.1", part["port"]))
            if not alive:
                down.append(part["name"])
            uptime = dt.timedelta(seconds=int(time.time() - part["started_at"])) if alive else ""
            restarts = f" ({part['restarts']} restarts)" if part["restarts"] else ""
            table.add_row(
                part["name"],
                f"[green]up[/green]{restarts}" if alive else f"[red]down[/red]{restarts}",
                str(part["pid"] or ""),
                str(uptime),
                str(part["port"] or ""),
                os.path.relpath(part["log_file"]),
            )
        for name, address in state.external.items():
            url = urlsplit(address)
            alive = _answers(url.hostname or "", url.port or DEFAULT_PORTS.get(url.scheme, 0))
            if not alive:
                down.append(name)
            table.add_row(name, "[green]external[/green]" if alive else "[red]down[/red]", "", "", "", address)
        console = Console(highlight=False)
        # A line that the terminal breaks can still be copied; one that is cut short cannot.
        console.width = max(console.width, 120)
        console.print(table)
        for note in state.notes:
            self.stdout.write(note)
        self.stdout.write(f"{state.console}  Label Studio: {state.label_studio}  (pid {state.pid})")
        if not state.ready:
            raise CommandError("Still starting, or stopping.")
        if down:
            raise CommandError(f"Down: {', '.join(down)}.")


def _runs(pid: int | None) -> bool:
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=2):
            return True
    except OSError:
        return False
