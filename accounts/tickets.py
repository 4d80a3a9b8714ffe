"""Tickets: what was begun in a browser and is finished there within minutes, once. A row only when it is used."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from accounts.models import UsedTicket
from core.exceptions import PermanentError

LIFE_S = 600
PATH = "/console/"


@dataclass(frozen=True)
class Ticket:
    """One that came back."""

    number: str
    data: dict[str, Any]

    def use(self) -> None:
        """Use it up. Raises `PermanentError` when it was used already."""
        _, is_new = UsedTicket.objects.get_or_create(number=self.number)
        if not is_new:
            raise PermanentError("This was used already.", hint="Begin again.")


def _cookie(kind: str) -> str:
    return f"ecomsite_{kind}"


def give(response: HttpResponse, kind: str, data: dict[str, Any]) -> None:
    """Put a ticket of `kind` that remembers `data` into the browser.

    Signed, not secret: the browser's owner can read it.
    """
    value = signing.dumps({"number": secrets.token_urlsafe(24), "data": data}, salt=f"accounts.ticket.{kind}")
    response.set_cookie(
        _cookie(kind),
        value,
        max_age=LIFE_S,
        path=PATH,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def read(request: HttpRequest, kind: str) -> Ticket:
    """Return the ticket of `kind` that the browser brings. Raises `PermanentError` when it has none that is valid."""
    try:
        found = signing.loads(request.COOKIES.get(_cookie(kind), ""), salt=f"accounts.ticket.{kind}", max_age=LIFE_S)
        return Ticket(found["number"], found["data"])
    except (signing.BadSignature, KeyError, TypeError) as exc:
        raise PermanentError("This took too long, or began in another browser.", hint="Begin again.") from exc


def drop(response: HttpResponse, kind: str) -> None:
    """Take the ticket of `kind` out of the browser."""
    response.delete_cookie(_cookie(kind), path=PATH, samesite="Lax")
