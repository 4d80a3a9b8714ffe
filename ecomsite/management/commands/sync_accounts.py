"""Match our users with the accounts of Label Studio."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.exceptions import EcomsiteError
from labeling.accounts import sync_accounts


class Command(BaseCommand):
    help = "Match our users with the accounts of Label Studio by e-mail, so that decisions carry the right name."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sync_accounts()
        except EcomsiteError as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write("Done.")
