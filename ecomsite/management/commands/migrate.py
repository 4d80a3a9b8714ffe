"""Django's `migrate`, as the owner of the tables where there is one, who then grants the desk what it needs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections

from core.exceptions import PermanentError
from core.migrating import HOW, half_replaced
from ecomsite import table_rights, upgrade


class Command(migrate.Command):
    help = (
        f"{migrate.Command.help} Runs as the role of DATABASE_OWNER_URL, if that is set, and lets the role of "
        "DATABASE_URL read and write rows."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        try:
            with table_rights.as_owner(connection) as desk:
                changes = not options["plan"] and not options["check_unapplied"]
                if apps := half_replaced(connection):
                    if not changes:
                        raise PermanentError(f"The database is from before the squash of {', '.join(apps)}.", hint=HOW)
                    upgrade.bring_along(connection)
                    self.stdout.write("The database of 6c052e0 came along to where the squashed migrations begin.")
                super().handle(*args, **options)
                if desk is not None and changes:
                    table_rights.grant(connection, desk=desk)
        except PermanentError as exc:
            raise CommandError(str(exc)) from exc
