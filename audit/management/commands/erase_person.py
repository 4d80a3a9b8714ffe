"""`manage.py erase_person USERNAME`: erase a person and keep the chain."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.erasure import erase_person
from core.command_line import actor_from, add_by
from core.exceptions import EcomsiteError

LEFT = """What this does not reach:
- backups of the database that are older: with the sealing key they still open what was written. Delete them when their
  time is up, or run `manage.py ledger rewrap`, after which the keys in them open nothing.
- the account in Label Studio, and comments in answers there and here: remove them in Label Studio.
- what other people wrote about this person, and lines of the ledger from before words were sealed.
- texts that models learn from, in snapshots under `var/artifacts`: they name nobody who works here, and stay as
  they were frozen.
- logs hold `user:<id>` and no name."""


class Command(BaseCommand):
    help = (
        "Erase a person: delete the key of what they wrote into the ledger, empty their account and switch it off. "
        "Cannot be undone. The ledger still verifies; decisions stay those of user:<id>."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--reason", required=True, help="one sentence for the ledger, without a name")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['username']}.")
        if not options["yes"] and input(f"Erase user:{user.pk} for good? Type yes: ").strip() != "yes":
            raise CommandError("Nothing was erased.")
        try:
            result = erase_person(user, actor=actor_from(options["by"]), reason=options["reason"])
        except (EcomsiteError, PermissionDenied) as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(self.style.SUCCESS(f"{result.person} is erased."))
        for sentence in result.done:
            self.stdout.write(sentence)
        self.stdout.write(LEFT)
