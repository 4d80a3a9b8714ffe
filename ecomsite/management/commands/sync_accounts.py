"""Give our users their accounts in Label Studio."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from core.actors import COMMAND_LINE
from core.exceptions import EcomsiteError
from labeling import accounts


class Command(BaseCommand):
    help = (
        "Bind our users to the accounts that we made for them in Label Studio, so that answers carry the right name. "
        "An account that somebody else made is bound only where you say whose it is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", metavar="USERNAME=ID", help="Bind a user to the account with this id there.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["bind"]:
                self._bind(options["bind"])
            else:
                accounts.sync_accounts()
        except EcomsiteError as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write("Done.")

    def _bind(self, pair: str) -> None:
        username, _, ls_user_id = pair.rpartition("=")
        user = User.objects.filter(username=username).first()
        if user is None or not ls_user_id.isdecimal() or not 0 < int(ls_user_id) < 2**31:
            raise CommandError("Say who, and the number of the account: --bind robin@example.com=17")
        accounts.bind(user, int(ls_user_id), actor=COMMAND_LINE)
