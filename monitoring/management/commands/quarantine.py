"""`manage.py quarantine`: show what failed too often, or let it out."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.command_line import actor_from, add_by
from core.exceptions import EcomsiteError
from monitoring import quarantine
from monitoring.parts import in_words

SHOWN = 20


class Command(BaseCommand):
    help = "Show what is in quarantine after too many failures; with --readmit, let a kind or one row of it out."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--readmit",
            metavar="KIND",
            choices=[kind.key for kind in quarantine.KINDS],
            help=f"one of {', '.join(kind.key for kind in quarantine.KINDS)}",
        )
        parser.add_argument("--id", metavar="ID", help="with --readmit: this row alone")
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["readmit"]:
            self._show()
            return
        kind, actor = quarantine.kind_called(options["readmit"]), actor_from(options["by"])
        try:
            n = (
                self._readmit_one(kind, options["id"], actor)
                if options["id"]
                else quarantine.readmit_all(kind, actor=actor)
            )
        except (EcomsiteError, PermissionDenied) as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(self.style.SUCCESS(f"{n} of “{kind.title}” let out"))

    def _readmit_one(self, kind: quarantine.Kind, pk: str, actor: Any) -> int:
        try:
            row = kind.rows.filter(pk=pk).first()
        except (ValueError, ValidationError):
            row = None
        if row is None:
            raise CommandError(f"There is no {kind.key} {pk} in quarantine.")
        quarantine.readmit(row, actor=actor)
        return 1

    def _show(self) -> None:
        for kind, n in quarantine.counts():
            self.stdout.write(f"{kind.title} ({kind.key}): {n or 'none'}")
            for row in kind.rows[:SHOWN]:
                since = in_words(timezone.now() - row.quarantined_at)
                self.stdout.write(f"  {row.pk}  {row.n_attempts} attempts, since {since}: {row.last_error[:200]!r}")
            if n > SHOWN:
                self.stdout.write(f"  … and {n - SHOWN:,} more")
