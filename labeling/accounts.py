"""Whose Label Studio account is whose: that which we made for them, by its id, once and for good.

An e-mail address proves nothing there: anybody who finds a way to sign up can have a senior's.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction

from audit import ledger
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError
from core.refs import ref
from labeling import administration, client
from labeling.models import Annotator
from labeling.remote import RemoteUser

log = logging.getLogger(__name__)
ACTOR = SystemActor("labeling.accounts")


def sync_accounts() -> int:
    """Bind each of our active people to an account of Label Studio that we made; returns how many are new.

    Those that the embedded Label Studio made at its start stand in a file; for whom there is none there, one is made.
    Where somebody else made one with that address nothing is bound, and `labeling.drift` says so. A binding never
    changes.
    """
    users = list(
        get_user_model().objects.filter(is_active=True, is_staff=True, annotator=None).exclude(email="").order_by("pk")
    )
    if not users:
        return 0
    made, taken = made_by_the_stack(), {user.email.casefold() for user in administration.list_users()}
    bound = set(Annotator.objects.values_list("ls_user_id", flat=True))
    n_new = 0
    for user in users:
        email = user.email.casefold()
        ls_user_id = made.get(email)
        if ls_user_id is None and email not in taken:
            ls_user_id = _make(user)
            taken.add(email)
        if ls_user_id is None or ls_user_id in bound:
            continue
        bound.add(ls_user_id)
        n_new += _bind(user, ls_user_id)
    return n_new


def bind(user: User, ls_user_id: int, *, actor: User | SystemActor) -> None:
    """Bind `user` to an account that we did not make: an administrator who knows whose it is says so, on the machine.

    Needs auth.change_user. Raises `PermanentError` when either is bound already.
    """
    require_permission(actor, "auth.change_user")
    if Annotator.objects.filter(user=user).exists() or Annotator.objects.filter(ls_user_id=ls_user_id).exists():
        raise PermanentError("One of the two is bound already.", hint="A binding is for good.")
    _bind(user, ls_user_id, actor=actor)


def _bind(user: User, ls_user_id: int, *, actor: User | SystemActor = ACTOR) -> int:
    with transaction.atomic():
        annotator, is_new = Annotator.objects.get_or_create(user=user, defaults={"ls_user_id": ls_user_id})
        if is_new:
            payload = {"user": f"user:{user.pk}", "ls_user_id": ls_user_id}
            ledger.append("labeling.account.bound", subject=ref(annotator), actor=actor, payload=payload)
    return int(is_new)


def _make(user: User) -> int | None:
    try:
        return administration.create_user(user.email)
    except client.Unauthorized:
        raise
    except PermanentError as exc:
        log.warning("no account could be made in Label Studio for user:%s: %s", user.pk, type(exc).__name__)
        return None


def made_by_the_stack() -> dict[str, int]:
    """Return e-mail → id of the accounts that the embedded Label Studio made; empty with a Label Studio of your own."""
    file: Path | None = settings.LABELING.accounts_file
    if file is None or not file.exists():
        return {}
    held = json.loads(file.read_text())
    return {str(email).casefold(): int(ls_user_id) for email, ls_user_id in held.items()}


def are_ours_alone() -> bool:
    """Whether nobody but us makes accounts there: it is the embedded Label Studio."""
    return bool(made_by_the_stack())


def strangers() -> list[RemoteUser]:
    """Return the accounts there that are neither ours nor anybody's whom we know."""
    ours = {
        administration.own_id(),
        *made_by_the_stack().values(),
        *Annotator.objects.values_list("ls_user_id", flat=True),
    }
    return [user for user in administration.list_users() if user.id not in ours]


def has_address_of_ours(user: RemoteUser) -> bool:
    """Whether one of our people has the address that this account claims."""
    return get_user_model().objects.filter(email__iexact=user.email).exclude(email="").exists()


def unknown(ls_user_ids: Iterable[int]) -> set[int]:
    """Return those accounts that are bound to nobody."""
    wanted = set(ls_user_ids)
    return wanted - set(Annotator.objects.filter(ls_user_id__in=wanted).values_list("ls_user_id", flat=True))


def user_id_of(ls_user_id: int | None) -> int | None:
    """Return the id of our user with that account, if any."""
    if ls_user_id is None:
        return None
    return Annotator.objects.filter(ls_user_id=ls_user_id).values_list("user_id", flat=True).first()
