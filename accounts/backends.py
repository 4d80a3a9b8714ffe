"""Passwords: Django's own check, behind the throttle (settings.AUTHENTICATION_BACKENDS)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts import throttle
from accounts.addresses import client_address
from accounts.throttle import Locked


class ThrottledPasswords(ModelBackend):
    """Looks at a password only while tries are left, so that whoever is locked out costs no hash."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Return whose name and password these are, or None. A lock stops everything and is left on the request."""
        if not username or password is None or "\0" in username or "\0" in password:
            return None
        address = client_address(request) if request is not None else ""
        try:
            a_try = throttle.begin_try(throttle.for_name(username, address))
            user: User | None = super().authenticate(request, username, password, **kwargs)
            if user is None:
                throttle.was_wrong(a_try)
        except Locked as exc:
            if request is not None:
                request.locked = exc  # type: ignore[attr-defined]
            raise PermissionDenied(str(exc)) from exc
        if user is not None:
            throttle.was_right(a_try)
        return user


def lock_on(request: HttpRequest) -> Locked | None:
    """Return the lock that a sign-in of this request ran into, if any."""
    return getattr(request, "locked", None)
