"""Who stands behind a command: the person named with `--by`, else the command line itself."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from core.actors import SystemActor


def add_by(parser: CommandParser) -> None:
    """Add the option `--by USERNAME`."""
    parser.add_argument(
        "--by", metavar="USERNAME", help="the person who does this, for the ledger; their permissions are checked"
    )


def actor_from(username: str | None) -> User | SystemActor:
    """Return the user called `username`, or the command line when none is named."""
    if not username:
        return SystemActor("command line")
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(f"There is no user {username}.")
    return user
