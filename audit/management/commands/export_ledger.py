"""`manage.py export_ledger FILE`: take the ledger out, for the offline verifier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.progress import Progress

from audit.export import export_ledger
from core.command_line import BAR, actor_from, add_by, console_on
from core.exceptions import EcomsiteError


class Command(BaseCommand):
    help = (
        "Write lines, signed heads and public keys of the ledger into a JSONL file, up to the newest head. Up to the "
        "same head it is the same file. Verify it anywhere: python audit/offline_verifier.py FILE --key PUBLIC_KEY."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--up-to", type=int, metavar="LINES", help="up to the head over so many lines")
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        console = console_on(self.stdout)
        with Progress(*BAR, console=console, disable=not self.stdout.isatty(), transient=True) as progress:
            bar = progress.add_task(options["file"].name, total=None)
            try:
                result = export_ledger(
                    options["file"],
                    actor=actor_from(options["by"]),
                    up_to=options["up_to"],
                    on_progress=lambda n, total: progress.update(bar, completed=n, total=total),
                )
            except (EcomsiteError, PermissionDenied) as exc:
                raise CommandError(str(exc)) from exc
        words = f"{result.n_entries:,} lines exported under {result.n_heads:,} signed heads"
        self.stdout.write(self.style.SUCCESS(words) + f", sha256 {result.file_hash}.")
