"""`manage.py promote_model ROLE NUMBER`: move an alias, or roll back."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.command_line import actor_from, add_by
from core.exceptions import EcomsiteError
from inference.models import ModelVersion, Role
from training import registry


class Command(BaseCommand):
    help = "Make a registered version the champion (or challenger) of its role, or go back to the champion before."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", choices=Role.values)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("number", nargs="?", type=int, help="the version's number, see `manage.py models`")
        what.add_argument("--roll-back", action="store_true", help="swap champion and previous champion")
        parser.add_argument("--alias", choices=["champion", "challenger"], default="champion")
        parser.add_argument("--reason", required=True, help="one sentence for the ledger; no personal data")
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        actor, reason = actor_from(options["by"]), options["reason"]
        try:
            if options["roll_back"]:
                moved = registry.roll_back(options["role"], actor=actor, reason=reason)
            else:
                version = ModelVersion.objects.filter(role=options["role"], number=options["number"]).first()
                if version is None:
                    raise CommandError(f"There is no {options['role']} v{options['number']}; see `manage.py models`.")
                moved = registry.promote(version, alias=options["alias"], actor=actor, reason=reason)
        except (EcomsiteError, PermissionDenied) as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(self.style.SUCCESS(f"{moved.version} is the {moved.name} of {moved.role} now"))
