"""What an administrator does to another's account: each leaves a ledger line and ends that person's sessions."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from accounts import hands, throttle
from accounts.models import Factor, Identity
from accounts.sessions import end_sessions
from audit import ledger
from core.actors import actor_ref, require_permission
from core.exceptions import PermanentError
from core.refs import ref


def password_was_set(person: User, *, actor: User) -> None:
    """Note that `actor` set the password of `person`, in the transaction that does so. Needs auth.change_user."""
    require_permission(actor, "auth.change_user")
    if actor.pk == person.pk:
        ledger.append("accounts.password.changed", subject=ref(person), actor=actor)
        return
    end_sessions(person)
    payload = {"usable": person.has_usable_password()}
    ledger.append(hands.PASSWORD_SET, subject=ref(person), actor=actor, payload=payload)


def address_was_changed(person: User, *, before: str, actor: User) -> None:
    """Note that `actor` changed the e-mail address, `before` until now, or the name that `person` signs in with.

    The other accounts with the address from before were one person's until now, so they are noted with it. In the
    transaction that changes it. Needs auth.change_user.
    """
    require_permission(actor, "auth.change_user")
    if actor.pk != person.pk:
        end_sessions(person)
    same = [other for other in User.objects.exclude(pk=person.pk) if address_of(other.email) == address_of(before)]
    payload = {"same_address": sorted(actor_ref(other) for other in same) if address_of(before) else []}
    ledger.append(hands.ADDRESS_CHANGED, subject=ref(person), actor=actor, payload=payload)


def address_of(email: str) -> str:
    """Return an e-mail address in the one form in which two of one person's are the same: no case, no `+tag`."""
    name, _, domain = email.casefold().partition("@")
    return f"{name.partition('+')[0]}@{domain}" if name else ""


def reset_sign_in(person: User, *, actor: User) -> None:
    """Remove the second factors and the single sign-on of another person, who lost them; forget their wrong tries.

    Needs auth.change_user. Raises `PermanentError` for oneself: a stolen session must not be able to.
    """
    require_permission(actor, "auth.change_user")
    if actor.pk == person.pk:
        raise PermanentError("Nobody resets their own sign-in.", hint="Another administrator has to.")
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=person.pk)
        n_factors, _ = Factor.objects.filter(user=person).exclude(kind=Factor.Kind.RECOVERY).delete()
        Factor.objects.filter(user=person).delete()
        n_identities, _ = Identity.objects.filter(user=person).delete()
        end_sessions(person)
        throttle.let_in(person, actor=actor)
        payload = {"factors": n_factors, "identities": n_identities}
        ledger.append(hands.SIGN_IN_RESET, subject=ref(person), actor=actor, payload=payload)


def was_switched_off(person: User) -> None:
    """End the sessions of an account that may not sign in any more."""
    end_sessions(person)
