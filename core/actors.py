"""Who does something: a signed-in person or a named part of the system, and what each may do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(frozen=True)
class SystemActor:
    """A part of ecomsite acting on its own, e.g. `SystemActor("moderation.screening")`."""

    name: str


class AuthenticatedHttpRequest(HttpRequest):
    """A request whose sender has signed in.

    For types alone: views behind the sign-in are given a plain `HttpRequest`.
    """

    user: User


# Who acts by a command and names nobody.
COMMAND_LINE = SystemActor("command line")


def actor_ref(actor: User | SystemActor) -> str:
    """Return the pseudonymous reference written to the ledger: `user:<id>` or `system:<name>`;
    never a name or an e-mail.
    """
    if isinstance(actor, SystemActor):
        return f"system:{actor.name}"
    if actor.pk is None:
        raise TypeError("an actor is a saved user or a SystemActor")
    return f"user:{actor.pk}"


def user_keys(references: Iterable[str]) -> set[int]:
    """Return the keys of the users among `references`, which are as `actor_ref` writes them."""
    keys = (one.removeprefix("user:") for one in references if one.startswith("user:"))
    return {int(key) for key in keys if key.isdecimal()}


def require_permission(actor: User | SystemActor, permission: str) -> None:
    """Raise `PermissionDenied` unless `actor` holds `permission` (`app.codename`).

    A `SystemActor` passes: it can only be made by our own code. Checked in the function that acts, not only in
    the view, so that admin, API, commands and Label Studio all go through the same gate.
    """
    if isinstance(actor, SystemActor):
        return
    if not (actor.is_active and actor.has_perm(permission)):
        raise PermissionDenied(f"{actor_ref(actor)} lacks the permission {permission}")
