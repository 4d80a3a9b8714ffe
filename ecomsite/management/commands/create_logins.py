"""Create the first logins."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from ecomsite.env import VAR_DIR
from ecomsite.logins import create_logins


class Command(BaseCommand):
    help = "Create one login per role, with generated passwords in var/logins.txt. Accounts that exist are left alone."

    def handle(self, *args: Any, **options: Any) -> None:
        path = VAR_DIR / "logins.txt"
        created = create_logins(path)
        self.stdout.write(f"{len(created)} created: {', '.join(created) or 'none missing'}. Passwords: {path}")
