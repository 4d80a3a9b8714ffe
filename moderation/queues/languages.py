"""Which languages a person reads: texts in others are not offered to them (`moderation.queues.handing_out`)."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.db import transaction

from audit import ledger
from catalog.models import Locale
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError
from core.refs import ref
from moderation.models.reviewers import LanguageSkills

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def languages_of(user: User) -> list[str]:
    """Return the locales that `user` is offered texts in; none where nobody said which they read: every one."""
    return next(iter(LanguageSkills.objects.filter(user=user).values_list("locales", flat=True)), [])


def set_languages(user: User, *, locales: Collection[str], actor: User | SystemActor) -> None:
    """Say which languages `user` reads; none is every one. What they hold already stays theirs.

    Needs auth.change_user. Raises `PermanentError` for a locale that copy is not written in.
    """
    require_permission(actor, "auth.change_user")
    if unknown := sorted(set(locales) - set(Locale.values)):
        raise PermanentError(f"There is no such language: {', '.join(unknown)}; there are {', '.join(Locale.values)}.")
    wanted = [locale for locale in Locale.values if locale in locales]
    if wanted == languages_of(user):
        return
    with transaction.atomic():
        LanguageSkills.objects.update_or_create(user=user, defaults={"locales": wanted})
        ledger.append("moderation.reviewer.languages_set", subject=ref(user), actor=actor, payload={"locales": wanted})
