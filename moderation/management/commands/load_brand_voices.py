"""`manage.py load_brand_voices`: compare a file of brand voices with those in force, and put it in force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError, CommandParser

from core.actors import SystemActor
from core.command_line import WithExamples, actor_from, add_by
from core.exceptions import EcomsiteError
from moderation import brand_voices
from moderation.policy.brand_voices import read_voices

HELP = """Compare a YAML file of brand voices (preferred and forbidden terms, tone, length of sentences) with those in
force, and put it in force in their place (docs/policies.md). They are part of the policy: every version is kept as it
was, and manage.py load_policies --activate N brings one back with the rules of then.

  manage.py load_brand_voices voices.yaml --dry-run                         what would change
  manage.py load_brand_voices voices.yaml --by kim --reason "new terms"     put the file in force
"""


class Command(WithExamples):
    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="all voices of all brands, in YAML")
        parser.add_argument("--dry-run", action="store_true", help="show what would change, change nothing")
        parser.add_argument("--reason", default="", help="why the voices change; needed to put them in force")
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._load(options)
        except (EcomsiteError, PermissionDenied) as exc:
            raise CommandError(str(exc)) from exc

    def _load(self, options: dict[str, Any]) -> None:
        voices = read_voices(options["file"])
        lines = brand_voices.difference(voices)
        for line in lines:
            self.stdout.write(f"  {line}")
        if not lines:
            self.stdout.write("Nothing differs from the brand voices in force.")
            return
        if options["dry_run"]:
            self.stdout.write(f"{len(lines)} differences from the brand voices in force. Nothing was changed.")
            return
        actor = actor_from(options["by"])
        if isinstance(actor, SystemActor):
            raise CommandError("Brand voices are changed by a person: say who with --by USERNAME.")
        version = brand_voices.load(voices, actor=actor, reason=options["reason"])
        if version is not None:
            self.stdout.write(
                self.style.SUCCESS(f"In force as policy {version.number}") + f" ({version.content_hash})."
            )
