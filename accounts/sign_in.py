"""Signing in, whichever way: the first step, the second factor where there is one, and the session at the end."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme

from accounts import factors, recovery, throttle, totp
from accounts.addresses import client_address
from accounts.sessions import PENDING
from audit import ledger
from core.exceptions import PermanentError
from core.refs import ref

BACKEND = "accounts.backends.ThrottledPasswords"
# Between the password and the second factor.
PENDING_S = 600
# Second factors are changed only by who signed in so lately: an open desk is not enough.
FRESH_S = 900
SINCE = "accounts.signed_in_at"
# Set in a session that was begun with two factors.
STRONG = "accounts.two_factors"


def enter(request: HttpRequest, person: User, *, is_enough: bool = False, next_page: str = "") -> bool:
    """Sign `person` in, who gave one proof of who they are; returns whether that was all.

    Where they have a second factor it is owed, unless the proof `is_enough`, as a passkey is.
    """
    if is_enough or not factors.has_any(person):
        _sign_in(request, person, is_strong=is_enough)
        return True
    request.session.flush()
    request.session[PENDING] = {
        "account": person.pk,
        "hash": person.get_session_auth_hash(),
        "at": time.time(),
        "next": next_page,
    }
    return False


def _sign_in(request: HttpRequest, person: User, *, is_strong: bool) -> None:
    request.session.pop(PENDING, None)
    request.session.cycle_key()
    login(request, person, backend=BACKEND)
    request.session[SINCE], request.session[STRONG] = time.time(), is_strong


def require_account(person: User) -> None:
    """Raise `PermanentError` unless the account of `person` may sign in to the console."""
    if not (person.is_active and person.is_staff):
        raise PermanentError("Your account here is switched off.", hint="An administrator can switch it on.")


def owes_second_factor(request: HttpRequest) -> bool:
    """Whether a role asks for a second factor of who is signed in, and this session was begun without one."""
    if not settings.ACCOUNTS.second_factor_roles or request.session.get(STRONG):
        return False
    return factors.are_required(request.user)  # type: ignore[arg-type]


def has_second_factor_now(request: HttpRequest) -> None:
    """Note that who is signed in has just shown a second factor, by setting it up."""
    request.session[STRONG] = True


def pending(request: HttpRequest) -> User | None:
    """Return who owes a second factor in this browser; None when nobody does, or not any more."""
    owed: dict[str, Any] = request.session.get(PENDING, {})
    if not owed or time.time() - owed["at"] > PENDING_S:
        return None
    person = User.objects.filter(pk=owed["account"], is_active=True).first()
    # Another password was set meanwhile: begin again.
    return person if person and constant_time_compare(owed["hash"], person.get_session_auth_hash()) else None


def next_after(request: HttpRequest) -> str:
    """Return where a pending sign-in was on its way to; empty when to nowhere of ours."""
    return safe_next(request, request.session.get(PENDING, {}).get("next", ""))


def safe_next(request: HttpRequest, address: str) -> str:
    """Return `address` if it is one of ours, else an empty text."""
    is_ours = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if is_ours else ""


def enter_code(request: HttpRequest, person: User, code: str) -> bool:
    """Finish the pending sign-in of `person` by a code of the app, or a recovery code. Raises `throttle.Locked`.

    Returns whether it was one.
    """
    if "\0" in code:
        return False
    a_try = throttle.begin_try(throttle.for_factor(person, client_address(request)))
    if totp.use(person, code) is None and not _recover(person, code):
        throttle.was_wrong(a_try)
        return False
    throttle.was_right(a_try)
    _sign_in(request, person, is_strong=True)
    return True


def _recover(person: User, code: str) -> bool:
    with transaction.atomic():
        if not recovery.use(person, code):
            return False
        left = recovery.n_left(person)
        ledger.append("accounts.recovery.used", subject=ref(person), actor=person, payload={"left": left})
    return True


def is_fresh(request: HttpRequest) -> bool:
    """Whether this session signed in within the last quarter of an hour."""
    since: float = request.session.get(SINCE, 0.0)
    return time.time() - since < FRESH_S
