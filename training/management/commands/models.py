"""`manage.py models`: list what is registered and which names point where."""

from __future__ import annotations

import io
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.table import Table

from inference import artifacts
from inference.models import ModelVersion
from training.roles import roles


class Command(BaseCommand):
    help = "List the registered models, the aliases that point at them, and whether their artefact is in the store."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--role", choices=roles())

    def handle(self, *args: Any, **options: Any) -> None:
        table = Table("Role", "Version", "Name", "Alias", "Languages", "Back end", "Artefact", "Source")
        versions = ModelVersion.objects.prefetch_related("aliases").order_by("role", "number")
        for version in versions.filter(role=options["role"]) if options["role"] else versions:
            table.add_row(
                version.role,
                f"v{version.number}",
                version.name,
                ", ".join(sorted(alias.name for alias in version.aliases.all())),
                ", ".join(version.locales),
                version.backend,
                _artefact(version),
                version.source,
            )
        # A pipe has no width; without one rich would cut the columns at 80.
        console = Console(file=io.StringIO(), width=None if sys.stdout.isatty() else 200)
        with console.capture() as drawn:
            console.print(table)
        self.stdout.write(drawn.get().rstrip())


def _artefact(version: ModelVersion) -> str:
    if not version.artifact_hash:
        return "endpoint"
    there = artifacts.path_for(version.artifact_hash).is_dir()
    return version.artifact_hash[:12] + ("" if there else " (missing)")
