"""A command about a stored model that is not registered: named by its artefact, without a database."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.exceptions import EcomsiteError
from inference import loader
from inference.models import ModelVersion


class StoredModelCommand(BaseCommand):
    """Loads the model that its arguments name, has `answer` ask it something, and writes that as JSON."""

    requires_system_checks: list[str] = []
    backend = ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("artifact_hash", metavar="HASH", help="of the artefact, see `manage.py models`")
        parser.add_argument("--backend", default=self.backend, help="key of settings.INFERENCE.backends")
        parser.add_argument("--options", default="{}", help="for the back end, as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        version = ModelVersion(
            name="trial",
            backend=options["backend"],
            options=json.loads(options["options"]),
            artifact_hash=options["artifact_hash"],
        )
        try:
            found = self.answer(loader.build(version))
        except EcomsiteError as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(json.dumps(found, ensure_ascii=False))

    def answer(self, model: Any) -> Any:
        """Return what `model` says of standard input, as plain values."""
        raise NotImplementedError
