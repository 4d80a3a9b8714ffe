"""`manage.py load_demo`: fill the catalogue with the demo shop."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.demo.loading import load_demo
from core.actors import SystemActor
from core.exceptions import EcomsiteError


class Command(BaseCommand):
    help = "Load the demo shop: products in English and Chinese, their pictures, and customer reviews. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            runs = load_demo(actor=SystemActor("catalog.load_demo"))
        except EcomsiteError as exc:
            raise CommandError(str(exc)) from exc
        for run in runs:
            self.stdout.write(
                f"{run.kind}: {run.n_created} created, {run.n_updated} updated, {run.n_unchanged} unchanged"
            )
        if not runs:
            self.stdout.write("the demo shop is there already")
