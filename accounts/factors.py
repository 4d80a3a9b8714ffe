"""Second factors of a person: which there are, who has to have one, adding and removing; each goes into the ledger."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from accounts import recovery, totp
from accounts.models import Factor
from accounts.tickets import Ticket
from audit import ledger
from core.exceptions import PermanentError
from core.refs import ref

Kind = Factor.Kind
MOST_PASSKEYS = 10


def of(person: User) -> QuerySet[Factor]:
    """Return the app and the passkeys of `person`; recovery codes alone are no second factor."""
    return Factor.objects.filter(user=person).exclude(kind=Kind.RECOVERY)


def has_any(person: User) -> bool:
    """Whether `person` set up a second factor."""
    return of(person).exists()


def are_required(person: User) -> bool:
    """Whether a role of `person` asks for a second factor (`SECOND_FACTOR_ROLES`)."""
    roles = settings.ACCOUNTS.second_factor_roles
    return bool(roles) and person.groups.filter(name__in=roles).exists()


def needs_more_than_password(person: User) -> bool:
    """Whether a password alone does not let `person` in."""
    return has_any(person) or are_required(person)


def add_app(person: User, *, key: str, code: str, ticket: Ticket) -> list[str]:
    """Set up the authenticator app of `person` that has `key`, as `code` shows.

    Returns recovery codes, if these are the first.

    Raises `PermanentError` for a wrong code, and for a `ticket` that was used.
    """
    with transaction.atomic():
        _lock(person)
        ticket.use()
        if totp.add(person, key=key, code=code) is None:
            raise PermanentError("That is not the code.", hint="Take the six digits that the app shows now.")
        return _added(person, Kind.TOTP)


def add_passkey(person: User, **fields: Any) -> list[str]:
    """Keep a passkey of `person` that `accounts.passkeys` has verified. Returns recovery codes, if these are the first.

    Raises `PermanentError` when there are many already, `IntegrityError` when this one is known.
    """
    with transaction.atomic():
        _lock(person)
        if of(person).filter(kind=Kind.PASSKEY).count() >= MOST_PASSKEYS:
            raise PermanentError(f"You have {MOST_PASSKEYS} passkeys already.", hint="Remove one you do not use.")
        Factor.objects.create(user=person, kind=Kind.PASSKEY, **fields)
        return _added(person, Kind.PASSKEY)


def _lock(person: User) -> None:
    """One change at a time, so that of two removals at once the second sees what is left."""
    User.objects.select_for_update(no_key=True).get(pk=person.pk)


def _added(person: User, kind: str) -> list[str]:
    codes = [] if recovery.n_left(person) else recovery.make(person)
    ledger.append("accounts.factor.added", subject=ref(person), actor=person, payload={"kind": kind})
    return codes


def new_recovery_codes(person: User) -> list[str]:
    """Return fresh recovery codes in place of those from before. Raises `PermanentError` without a second factor."""
    with transaction.atomic():
        _lock(person)
        if not has_any(person):
            raise PermanentError("There is nothing to recover yet.", hint="Set up a second factor first.")
        codes = recovery.make(person)
        ledger.append("accounts.recovery.renewed", subject=ref(person), actor=person)
    return codes


def remove(person: User, pk: int) -> None:
    """Remove a second factor of one's own. Raises `PermanentError` for the last one where a role asks for one."""
    with transaction.atomic():
        _lock(person)
        factor = of(person).filter(pk=pk).first()
        if factor is None:
            raise PermanentError("There is no such second factor any more.")
        is_last = of(person).count() == 1
        if is_last and are_required(person):
            raise PermanentError("Your role asks for a second factor.", hint="Set up another one, then remove this.")
        factor.delete()
        if is_last:
            Factor.objects.filter(user=person).delete()
        ledger.append("accounts.factor.removed", subject=ref(person), actor=person, payload={"kind": factor.kind})
