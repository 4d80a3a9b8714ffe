"""`manage.py verify_ledger`: recompute the hash chain of the ledger and compare it with all signed heads."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.progress import Progress

from audit.checks import verify_now
from audit.models import LedgerEntry
from core.command_line import BAR, actor_from, add_by, console_on


class Command(BaseCommand):
    help = (
        "Recompute the hash chain of the audit ledger and compare it with the signed heads, the second place and the "
        "time stamps; exit 1 and name the first bad line if it was tampered with. Who verified is recorded."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--expected-head", default="", help="a head hash kept elsewhere that must be in the chain")
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        total = LedgerEntry.objects.order_by("-seq").values_list("seq", flat=True).first()
        console = console_on(self.stdout)
        with Progress(*BAR, console=console, disable=not self.stdout.isatty(), transient=True) as progress:
            bar = progress.add_task("lines", total=total)
            try:
                result = verify_now(
                    actor=actor_from(options["by"]),
                    expected_head=options["expected_head"],
                    on_progress=lambda n: progress.update(bar, completed=n, description=f"{n:,} lines"),
                )
            except PermissionDenied as exc:
                raise CommandError(str(exc)) from exc
        if not result.is_intact:
            where = f"is broken at line {result.bad_seq}" if result.bad_seq is not None else "does not hold"
            raise CommandError(f"The ledger {where}: {result.reason}.", returncode=1)
        self.stdout.write(
            f"{result.n_heads:,} signed heads compared; the second place vouches for {result.anchored_size:,} lines."
        )
        if result.note:
            self.stdout.write(self.style.WARNING(result.note))
        self.stdout.write(f"root {result.root_hash}")
        self.stdout.write(self.style.SUCCESS(f"{result.n_entries} lines verified, head {result.head_hash}"))
