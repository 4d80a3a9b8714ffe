"""Whose Label Studio account is whose: by e-mail, once, and then by id for good."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth import get_user_model
from django.db import transaction

from labeling import client
from labeling.models import Annotation, Annotator


def sync_accounts() -> int:
    """Bind accounts of Label Studio to our active users with the same e-mail; returns how many are new.

    A binding never changes: people can change their e-mail in Label Studio, and must not become somebody else by it.
    Annotations that came from a then unknown account get their annotator.
    """
    remote = {user.email.casefold(): user.id for user in client.list_users() if user.email}
    users = get_user_model().objects.filter(is_active=True, annotator=None).exclude(email="")
    bound = set(Annotator.objects.values_list("ls_user_id", flat=True))
    made = []
    with transaction.atomic():
        for user in users:
            ls_user_id = remote.get(user.email.casefold())
            if ls_user_id is None or ls_user_id in bound:
                continue
            bound.add(ls_user_id)
            made.append(Annotator(user=user, ls_user_id=ls_user_id))
        Annotator.objects.bulk_create(made, ignore_conflicts=True)
        for annotator in made:
            Annotation.objects.filter(ls_user_id=annotator.ls_user_id, annotator=None).update(
                annotator=annotator.user_id
            )
    return len(made)


def unknown(ls_user_ids: Iterable[int]) -> set[int]:
    """Return those accounts that are bound to nobody."""
    wanted = set(ls_user_ids)
    return wanted - set(Annotator.objects.filter(ls_user_id__in=wanted).values_list("ls_user_id", flat=True))


def user_id_of(ls_user_id: int | None) -> int | None:
    """Return the id of our user with that account, if any."""
    if ls_user_id is None:
        return None
    return Annotator.objects.filter(ls_user_id=ls_user_id).values_list("user_id", flat=True).first()
