"""`manage.py freeze_snapshot`: put what people said into files that never change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.command_line import actor_from, add_by
from core.exceptions import EcomsiteError
from training import exporting, snapshots
from training.models.datasets import tasks


class Command(BaseCommand):
    help = """Freeze the examples of a task; the same examples give the same snapshot. With --out the three parts are
    written to a folder, with a README that names their columns, as JSON Lines that `datasets.load_dataset(FOLDER)`
    reads."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("task", choices=tasks())
        parser.add_argument("--out", type=Path, help="copy it to this folder, as a data set of Hugging Face")
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            snapshot = snapshots.freeze(options["task"], actor=actor_from(options["by"]))
            if options["out"]:
                exporting.export(snapshot, into=options["out"])
        except (EcomsiteError, PermissionDenied) as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(
            f"{snapshot.artifact_hash}: {snapshot.n_train} to train on, {snapshot.n_validation} to validate, "
            f"{snapshot.n_test} to test."
        )
        for reason, n in sorted(snapshot.manifest["excluded"].items()):
            self.stdout.write(f"  left out: {n} ({reason})")
        if options["out"]:
            self.stdout.write(f"Written to {options['out']}.")
