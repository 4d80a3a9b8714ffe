"""The session store (settings.SESSION_ENGINE): rows know their account, so that a person's can be ended at once."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Session

# Under this key stands who gave a right password and still owes the second factor (accounts.sign_in).
PENDING = "accounts.pending"


class SessionStore(DatabaseStore):
    """Django's database sessions in a table with the account, the half-made ones among them."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """The table."""
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """A row of `data`, with whose it is."""
        row: Session = super().create_model_instance(data)  # type: ignore[assignment]
        account = data.get(SESSION_KEY) or data.get(PENDING, {}).get("account")
        row.account_id = int(account) if account else None
        return row


def end_sessions(person: User) -> int:
    """End every session of `person`, wherever they are signed in. Returns how many there were."""
    n, _ = Session.objects.filter(account_id=person.pk).delete()
    return n


def others(request: HttpRequest, person: User) -> QuerySet[Session]:
    """Return the sessions of `person` but for the one of this request."""
    mine = Session.objects.filter(account_id=person.pk, expire_date__gt=timezone.now())
    return mine.exclude(session_key=request.session.session_key or "")
