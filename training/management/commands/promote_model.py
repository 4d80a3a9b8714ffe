"""`manage.py promote_model ROLE NUMBER`: move an alias, or roll back."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.command_line import actor_from, add_by
from core.exceptions import EcomsiteError
from inference.models import ModelAlias, ModelVersion
from training import approvals, registry
from training.roles import roles


class Command(BaseCommand):
    help = "Make a registered version the champion (or challenger) of its role, or go back to the champion before."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", choices=roles())
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("number", nargs="?", type=int, help="the version's number, see `manage.py models`")
        what.add_argument("--roll-back", action="store_true", help="swap champion and previous champion")
        parser.add_argument("--alias", choices=["champion", "challenger"], default="champion")
        parser.add_argument("--reason", required=True, help="one sentence for the ledger; no personal data")
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            said = self._roll_back(options) if options["roll_back"] else self._promote(options)
        except (EcomsiteError, PermissionDenied) as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(self.style.SUCCESS(said))

    def _roll_back(self, options: dict[str, Any]) -> str:
        moved = registry.roll_back(options["role"], actor=actor_from(options["by"]), reason=options["reason"])
        return _serves(moved)

    def _promote(self, options: dict[str, Any]) -> str:
        version = ModelVersion.objects.filter(role=options["role"], number=options["number"]).first()
        if version is None:
            raise CommandError(f"There is no {options['role']} v{options['number']}; see `manage.py models`.")
        actor, reason = actor_from(options["by"]), options["reason"]
        if options["alias"] == registry.CHAMPION:
            moved = registry.promote_or_approve(version, actor=actor, reason=reason)
        else:
            moved = registry.promote(version, alias=options["alias"], actor=actor, reason=reason)
        return _serves(moved) if moved else approvals.in_words(version)


def _serves(moved: ModelAlias) -> str:
    return f"{moved.version} is the {moved.name} of {moved.role} now"
