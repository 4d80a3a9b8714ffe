"""In whose hands an account is: for a day, who set its password or changed its address counts as its person.

They could sign in as that person. So the two are not each other's second person meanwhile, and neither are two people
whose accounts one and the same administrator set up. What was done stands in the ledger, where nobody can take it back.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.contrib.auth.models import User
from django.utils import timezone

from audit.models import LedgerEntry

# A line with one of these says that its actor took the account of its subject in hand.
ADDED = "accounts.user.added"
PASSWORD_SET = "accounts.password.set"  # noqa: S105
ADDRESS_CHANGED = "accounts.address.changed"
SIGN_IN_RESET = "accounts.sign_in.reset"
TAKEN = (ADDED, PASSWORD_SET, ADDRESS_CHANGED, SIGN_IN_RESET)
FOR = dt.timedelta(days=1)


def held_with(person: User) -> frozenset[int]:
    """Return the keys of the accounts that are, or within the last day were, in the same hands as that of `person`."""
    setters: defaultdict[int, set[int]] = defaultdict(set)
    accounts: defaultdict[int, set[int]] = defaultdict(set)
    lines = LedgerEntry.objects.filter(action__in=TAKEN, at__gt=timezone.now() - FOR)
    for actor, subject, payload in lines.values_list("actor", "subject", "payload"):
        # Whoever had the same address before it was changed was the same person until then.
        for hand in (actor, *payload.get("same_address", ())):
            if (one := _key(hand)) is not None and (other := _key(subject)) is not None and one != other:
                setters[other].add(one)
                accounts[one].add(other)
    above = _reached({person.pk}, setters)
    return frozenset(_reached(above, accounts) - {person.pk})


def _reached(begin: Iterable[int], edges: Mapping[int, set[int]]) -> set[int]:
    found, ahead = set(begin), list(begin)
    while ahead:
        fresh = edges.get(ahead.pop(), set()) - found
        found |= fresh
        ahead += fresh
    return found


def _key(reference: str) -> int | None:
    """The key in `user:5` or `auth.user:5`; None for a part of the system, and for the command line."""
    kind, _, key = reference.partition(":")
    return int(key) if kind in ("user", "auth.user") and key.isdecimal() else None
