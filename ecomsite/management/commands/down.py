"""Stop the local stack."""

from __future__ import annotations

import os
import signal
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ecomsite.env import VAR_DIR
from ecomsite.stack.state import is_locked, read_state


class Command(BaseCommand):
    help = "Stop the running stack in order (as Ctrl-C does) and wait until everything has ended."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--timeout", type=float, default=120, help="Seconds to wait (default: %(default)s).")

    def handle(self, *args: Any, **options: Any) -> None:
        state = read_state(VAR_DIR)
        if state is None:
            self.stdout.write("Not running.")
            return
        if not state.pid:
            raise CommandError("It has only just been started; try again in a second.")
        began = time.monotonic()
        os.kill(state.pid, signal.SIGTERM)
        while is_locked(VAR_DIR):
            if time.monotonic() - began > options["timeout"]:
                raise CommandError(f"Still running after {options['timeout']:.0f} s (pid {state.pid}).")
            time.sleep(0.1)
        self.stdout.write(f"Stopped in {time.monotonic() - began:.1f} s.")
