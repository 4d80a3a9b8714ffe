"""Erases a person and keeps the chain: their words in the ledger, their name and address in the account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import transaction

from audit import ledger, sealing
from audit.signals import person_erased
from core.actors import actor_ref, require_permission
from core.exceptions import PermanentError
from core.reasons import require_reason
from core.refs import ref

if TYPE_CHECKING:
    from core.actors import SystemActor


@dataclass(frozen=True)
class Erasure:
    """What was done, in words, one sentence each."""

    person: str
    done: tuple[str, ...]


def erase_person(user: User, *, actor: User | SystemActor, reason: str) -> Erasure:
    """Erase `user`: delete the key of their words in the ledger, empty the account and switch it off, for good.

    `user:<id>` stays everywhere, because decisions have to have been somebody's; nothing leads from it to a name any
    more. Needs audit.erase_person and a reason. Raises `PermanentError` for oneself and for the last administrator.
    """
    require_permission(actor, "audit.erase_person")
    hint = "Say who asked for it and when, without a name."
    reason = require_reason(reason, act="Erasing a person", hint=hint)
    person = actor_ref(user)
    if person == actor_ref(actor):
        raise PermanentError("Nobody erases themselves.", hint="Another administrator has to.")
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        n_keys = sealing.shred(person, actor=actor)
        user.username, user.first_name, user.last_name, user.email = f"erased-{user.pk}", "", "", ""
        user.is_active = user.is_staff = user.is_superuser = False
        user.set_unusable_password()
        user.save()
        user.groups.clear()
        user.user_permissions.clear()
        answers = [answer for _, answer in person_erased.send(sender=User, user=user)]
        ledger.append(
            "audit.person.erased",
            subject=ref(user),
            actor=actor,
            payload={"keys": n_keys, "reason": ledger.typed(reason, by=actor)},
        )
    words = (
        "The key of their words in the ledger was deleted: nobody can read them any more, and the chain still holds."
        if n_keys
        else "They had written nothing into the ledger."
    )
    account = "Name, e-mail address, password and roles of the account are gone, and it is switched off."
    return Erasure(person, (words, account, *(answer for answer in answers if answer)))
