"""`manage.py train_starter_adapter`: train the adapter of the bundled copywriter anew."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.exceptions import EcomsiteError
from training import preparation
from training.starter import adapter


class Command(BaseCommand):
    help = """Train the adapter of the bundled copywriter from the starter pairs, with fixed seeds, and write it to
    --into. Nothing is registered; what ships is in training/starter/weights and has a pinned hash."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--into", type=Path, required=True, help="folder for the weights")

    def handle(self, *args: Any, **options: Any) -> None:
        def told(done: int, of: int, figures: Mapping[str, float]) -> None:
            said = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
            self.stdout.write(f"step {done} of {of} {said}".rstrip())

        try:
            with tempfile.TemporaryDirectory(prefix="ecomsite-starter-") as name:
                base = Path(name) / "base"
                base.mkdir()
                preparation.build_base(base)
                found = adapter.train(base, work=Path(name), into=options["into"], watch=told)
        except EcomsiteError as exc:
            raise CommandError(str(exc)) from exc
        same = "the one that ships" if found["sha256"] == adapter.SHA256 else "not the one that ships"
        self.stdout.write(f"{options['into']}: {found['sha256']}, {same}; loss {found['best_eval_loss']:.3f}.")
