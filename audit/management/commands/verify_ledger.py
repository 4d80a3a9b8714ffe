"""`manage.py verify_ledger`: recompute the hash chain of the ledger."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.verification import verify


class Command(BaseCommand):
    help = "Recompute the hash chain of the audit ledger; exit 1 and name the first bad line if it was tampered with."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--expected-head", default="", help="a head hash kept elsewhere that must be in the chain")

    def handle(self, *args: Any, **options: Any) -> None:
        result = verify(expected_head=options["expected_head"])
        if not result.is_intact:
            raise CommandError(f"The ledger is broken at line {result.bad_seq}: {result.reason}.", returncode=1)
        self.stdout.write(self.style.SUCCESS(f"{result.n_entries} lines verified, head {result.head_hash}"))
