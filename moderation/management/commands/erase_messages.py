"""`manage.py erase_messages`: erase what a customer wrote to the shop."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.command_line import actor_from, add_by
from core.exceptions import EcomsiteError
from moderation.message_erasure import erase_messages

LEFT = """What this does not reach:
- backups of the database that are older, and files that messages came from: an import of one brings them back.
- what reviewers wrote about a message in comments.
- texts that models learn from, in snapshots under `var/artifacts`: they stay as they were frozen."""


class Command(BaseCommand):
    help = (
        "Erase all messages of a customer, or one: with what models said of them and people held of them, here and in "
        "Label Studio. Cannot be undone. The ledger keeps that it was done, and no word of them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--author", default="", help="who wrote them, as the imported file says")
        which.add_argument("--id", default="", help="the one with this external_id")
        parser.add_argument("--reason", required=True, help="one sentence for the ledger, without a name")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["yes"] and input("Erase them for good? Type yes: ").strip() != "yes":
            raise CommandError("Nothing was erased.")
        try:
            erased = erase_messages(
                author=options["author"],
                external_id=options["id"],
                actor=actor_from(options["by"]),
                reason=options["reason"],
            )
        except (EcomsiteError, PermissionDenied) as exc:
            raise CommandError(str(exc)) from exc
        done = (
            f"{erased.n_messages} messages are erased; {erased.n_tasks} labelling tasks show nothing of them any more."
        )
        self.stdout.write(self.style.SUCCESS(done))
        self.stdout.write(LEFT)
