"""`manage.py prepare_models`: make the shipped models ready."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from core.exceptions import EcomsiteError
from training import preparation


class Command(BaseCommand):
    help = (
        "Convert, store and register the models that come with the requirements, and make each the champion of its "
        "role where there is none. Takes about a minute the first time and does nothing when all is there."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        console = Console()
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:

            def show(text: str) -> None:
                for task in progress.task_ids:
                    progress.remove_task(task)
                progress.add_task(text, total=None)
                if not console.is_terminal:
                    self.stdout.write(f"{text} …")

            try:
                made = preparation.prepare(on_step=show)
            except EcomsiteError as exc:
                raise CommandError(str(exc)) from exc
        for version in made:
            self.stdout.write(f"{version} ready")
        for version in preparation.lost():
            words = f"{version} serves, and its files are not in the store: put them back, or let another version in."
            self.stderr.write(self.style.WARNING(words))
        said = f"{len(made)} models prepared" if made else "Every model is ready"
        self.stdout.write(self.style.SUCCESS(f"{said} ({time.monotonic() - started:.1f} s)"))
