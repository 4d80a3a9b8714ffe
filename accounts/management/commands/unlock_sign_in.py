"""`manage.py unlock_sign_in USERNAME`, or `--address ADDRESS`: let in whom wrong passwords have locked out."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import throttle
from core.command_line import actor_from, add_by


class Command(BaseCommand):
    help = "Forget wrong passwords and codes, so that sign-in is open again before the lock ends by itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", nargs="?", help="an account, from wherever it is locked")
        parser.add_argument("--address", help="a network address that is locked for everybody, e.g. 203.0.113.7")
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["username"]) == bool(options["address"]):
            raise CommandError("Name an account, or an --address.")
        actor = actor_from(options["by"])
        try:
            if options["address"]:
                was_any = throttle.let_in_address(options["address"], actor=actor)
            else:
                was_any = throttle.let_in(self._person(options["username"]), actor=actor)
        except PermissionDenied as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write("May try again." if was_any else "Was not kept out.")

    def _person(self, username: str) -> User:
        person = User.objects.filter(username=username).first()
        if person is None:
            raise CommandError(f"There is no user {username}.")
        return person
