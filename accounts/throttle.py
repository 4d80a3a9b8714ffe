"""How often somebody may try to sign in: wrong tries are counted by account and by address, and lock for a while.

A try is counted before the password is looked at, and given back when it was right: whoever sends a hundred at once
gets no more of them than one after the other, and what is locked costs no hash. Where an account is at home only what
was wrong is counted, for a program of its owner may well send a hundred right ones at once.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.addresses import network_of
from accounts.models import Tries
from audit import ledger
from core.actors import SystemActor, require_permission
from core.exceptions import EcomsiteError
from core.refs import ref

# For each wrong try that one account may have from one address: so many from anywhere, so many of one address at all.
# The first are what many machines together get at one account; the second what a whole office mistypes in the morning.
FROM_ANYWHERE, OF_ONE_ADDRESS = 4, 6
# Whoever signed in from an address so lately is not locked out there by what others try elsewhere.
KNOWN_FOR = dt.timedelta(days=30)
COUNT = """
INSERT INTO accounts_tries AS t (account, address, n, since) SELECT u.account, u.address, 1, %(now)s
FROM unnest(%(accounts)s::text[], %(addresses)s::text[]) AS u (account, address)
ON CONFLICT (account, address) DO UPDATE SET
    n = CASE WHEN t.since < %(begin)s OR t.locked_until <= %(now)s THEN 1 ELSE t.n + 1 END,
    since = CASE WHEN t.since < %(begin)s OR t.locked_until <= %(now)s THEN %(now)s ELSE t.since END,
    locked_until = CASE WHEN t.locked_until <= %(now)s THEN NULL ELSE t.locked_until END
RETURNING account, address, n
"""


class Locked(EcomsiteError):
    """Sign-in is locked until `until`, for an account or for an address."""

    def __init__(self, until: dt.datetime, *, whose: str) -> None:
        self.until, self.seconds = until, max(math.ceil((until - timezone.now()).total_seconds()), 1)
        minutes = math.ceil(self.seconds / 60)
        length = "a minute" if minutes == 1 else f"{minutes} minutes"
        super().__init__(
            f"Too many wrong tries: sign-in is locked {whose} for {length}.",
            hint=f"Try again at {until:%H:%M} UTC. An administrator can let you in sooner: People, “Let in now”.",
        )


Row = tuple[str, str]


@dataclass(frozen=True)
class Place:
    """An account and an address, as the table knows them."""

    account: str
    address: str

    @property
    def rows(self) -> list[Row]:
        """The counts that a try is in, in the one order in which everybody locks them."""
        found = {(self.account, ""), (self.account, self.address), ("", self.address)}
        return sorted(row for row in found if any(row))


@dataclass(frozen=True)
class Try:
    """A try, the counts that may lock it, and whether it is in them already."""

    place: Place
    binding: tuple[Row, ...]
    is_counted: bool


def _hashed(kind: str, value: str) -> str:
    return salted_hmac(f"accounts.throttle.{kind}", value, algorithm="sha256").hexdigest() if value else ""


def for_name(name: str, address: str) -> Place:
    """Return where tries of a password are counted, for `name` as it was typed, from `address`."""
    return Place(_hashed("account", name.strip().casefold()), _hashed("address", address))


def for_factor(person: User, address: str) -> Place:
    """Return where tries of a second factor of `person` are counted."""
    return Place(_hashed("factor", str(person.pk)), _hashed("address", address))


def _limit(row: Row) -> int:
    tries: int = settings.ACCOUNTS.tries
    return tries if all(row) else tries * (FROM_ANYWHERE if row[0] else OF_ONE_ADDRESS)


def _any_of(rows: Iterable[Row]) -> Q:
    found = Q(pk__in=())
    for account, address in rows:
        found |= Q(account=account, address=address)
    return found


def _whose(row: Row) -> str:
    return "for this account" if row[0] else "for everybody at this address"


def begin_try(here: Place) -> Try:
    """Begin a try. Raises `Locked` when there were too many; then nothing else may be looked at."""
    now = timezone.now()
    found = {(row.account, row.address): row for row in Tries.objects.filter(_any_of(here.rows))}
    pair = found.get((here.account, here.address)) if here.address else None
    is_at_home = bool(pair and pair.succeeded_at and pair.succeeded_at > now - KNOWN_FOR)
    binding = tuple(row for row in here.rows if not (is_at_home and row == (here.account, "")))
    for row in binding:
        if row in found and (until := found[row].locked_until) and until > now:
            raise Locked(until, whose=_whose(row))
    if is_at_home:
        return Try(here, binding, is_counted=False)
    counted = _count(here, now)
    for row in binding:
        if counted[row] > _limit(row):  # others that came at the same moment had the last one
            raise Locked(now + settings.ACCOUNTS.lock, whose=_whose(row))
    return Try(here, binding, is_counted=True)


def _count(here: Place, now: dt.datetime) -> dict[Row, int]:
    """Count one more, lock what is full, and return how many there are now."""
    lock_for: dt.timedelta = settings.ACCOUNTS.lock
    accounts, addresses = zip(*here.rows, strict=True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            COUNT, {"accounts": list(accounts), "addresses": list(addresses), "now": now, "begin": now - lock_for}
        )
        counted = {(account, address): n for account, address, n in cursor.fetchall()}
        if full := [row for row, n in counted.items() if n >= _limit(row)]:
            Tries.objects.filter(_any_of(full), locked_until=None).update(locked_until=now + lock_for)
    return counted


def was_right(a_try: Try) -> None:
    """Give a try back: its password was right. The count of this account at this address begins anew."""
    here, now = a_try.place, timezone.now()
    pair = Tries.objects.filter(account=here.account, address=here.address)
    anew = {"n": 0, "locked_until": None, "succeeded_at": now}
    if not a_try.is_counted:
        pair.filter(Q(n__gt=0) | Q(succeeded_at__lt=now - KNOWN_FOR / 30)).update(**anew)
        return
    for account, address in here.rows:
        if (account, address) == (here.account, here.address):
            pair.update(**anew)
        else:
            row = Tries.objects.filter(account=account, address=address)
            row.update(n=Greatest(F("n") - 1, 0))
            row.filter(n__lt=_limit((account, address))).update(locked_until=None)


def was_wrong(a_try: Try) -> None:
    """Count a try that was not yet. Raises `Locked` if it was the last one for now."""
    if not a_try.is_counted:
        _count(a_try.place, timezone.now())
    locked = Tries.objects.filter(_any_of(a_try.binding), locked_until__gt=timezone.now()).order_by("-account")
    if row := locked.first():
        assert row.locked_until is not None  # noqa: S101  (the query says so)
        raise Locked(row.locked_until, whose=_whose((row.account, row.address)))


def _names(person: User) -> list[str]:
    return [for_name(person.get_username(), "").account, for_factor(person, "").account]


def locked_among(people: Iterable[User]) -> set[int]:
    """Return the keys of those of `people` for whom tries are locked, from anywhere or from one address."""
    whose = {name: person.pk for person in people for name in _names(person)}
    locked = Tries.objects.filter(account__in=whose, locked_until__gt=timezone.now())
    return {whose[account] for account in locked.values_list("account", flat=True)}


def let_in(person: User, *, actor: User | SystemActor) -> bool:
    """Forget all wrong tries for `person`, from wherever; returns whether there were any. Needs auth.change_user."""
    require_permission(actor, "auth.change_user")
    with transaction.atomic():
        n = _forget_wrong(Tries.objects.filter(account__in=_names(person)))
        if n:
            ledger.append("accounts.sign_in.unlocked", subject=ref(person), actor=actor)
    return bool(n)


def let_in_address(address: str, *, actor: User | SystemActor) -> bool:
    """Forget all wrong tries from `address`, a network address; returns whether there were any.

    Needs auth.change_user.
    """
    require_permission(actor, "auth.change_user")
    return bool(_forget_wrong(Tries.objects.filter(address=_hashed("address", network_of(address)))))


def _forget_wrong(tries: QuerySet[Tries]) -> int:
    """Where an account is at home stays known."""
    return tries.filter(Q(n__gt=0) | ~Q(locked_until=None)).update(n=0, locked_until=None)


def forget() -> int:
    """Delete counts that mean nothing any more. Returns how many."""
    now = timezone.now()
    begin = now - settings.ACCOUNTS.lock
    old = Q(since__lt=begin) & (Q(locked_until=None) | Q(locked_until__lt=now))
    n, _ = Tries.objects.filter(old, Q(succeeded_at=None) | Q(succeeded_at__lt=now - KNOWN_FOR)).delete()
    return n
