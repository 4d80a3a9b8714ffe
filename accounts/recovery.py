"""Recovery codes: ten, for the day on which the phone is lost. Each works once; only hashes are kept."""

from __future__ import annotations

import secrets

from django.contrib.auth.models import User
from django.db import transaction

from accounts.models import Factor
from accounts.secrets_at_rest import keyed_hash

N_CODES = 10
# Without letters and digits that look alike; 12 of 32 are 60 bits.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
LENGTH = 12


def make(person: User) -> list[str]:
    """Return fresh codes of `person`, to be shown once; those from before work no more."""
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for _ in range(N_CODES)]
    with transaction.atomic():
        Factor.objects.filter(user=person, kind=Factor.Kind.RECOVERY).delete()
        Factor.objects.bulk_create(
            Factor(user=person, kind=Factor.Kind.RECOVERY, secret=_kept(person, code)) for code in codes
        )
    return [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in codes]


def _kept(person: User, code: str) -> str:
    return keyed_hash(f"{person.pk}:{code}")


def use(person: User, code: str) -> bool:
    """Use up a code of `person`; returns whether it was one. Of two who bring the same, one is let in."""
    typed = code.strip().casefold().replace("-", "").replace(" ", "")
    if len(typed) != LENGTH:
        return False
    n, _ = Factor.objects.filter(user=person, kind=Factor.Kind.RECOVERY, secret=_kept(person, typed)).delete()
    return bool(n)


def n_left(person: User) -> int:
    """Return how many codes of `person` were not used yet."""
    return Factor.objects.filter(user=person, kind=Factor.Kind.RECOVERY).count()
