"""The key that signs the ledger: found or made, replaced, and the ring of those that are believed.

The private half is never in the database: whoever can rewrite the ledger there cannot sign what they wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import ledger, secrets
from audit.models import LedgerKey, TreeHead
from audit.signing import Keyring, SigningKey, key_id_of
from core.actors import require_permission
from core.exceptions import PermanentError, TransientError
from core.locks import try_advisory_lock
from core.reasons import require_reason

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from core.actors import SystemActor

CHECKING = "audit.check_new"  # the name of the lock under which heads are signed


def _pem(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode().strip()


def parse_private(pem: str) -> Ed25519PrivateKey:
    """Return the private key in `pem`. Raises `PermanentError` when it is no Ed25519 key."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as exc:
        raise PermanentError(
            "The ledger's signing key cannot be read.", hint="It is a PEM file without password."
        ) from exc
    if not isinstance(key, Ed25519PrivateKey):
        raise PermanentError(
            "The ledger's signing key is of another kind.", hint="Make one: openssl genpkey -algorithm ed25519"
        )
    return key


def public_of(key: Ed25519PrivateKey) -> str:
    """Return the public half as hex."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def _load(*, may_make: bool) -> Ed25519PrivateKey:
    pem = secrets.secret(
        given=settings.LEDGER.key,
        path=settings.LEDGER.key_file,
        make=(lambda: _pem(Ed25519PrivateKey.generate())) if may_make else None,
        name="The key that signs the ledger",
    )
    return parse_private(pem)


def recorded() -> list[SigningKey]:
    """Return the public keys of the table, oldest first. Nobody vouches for them yet."""
    return [
        SigningKey(
            public=row.public_key,
            first=row.first_size,
            at=row.at.isoformat(),
            predecessor=row.predecessor,
            by_predecessor=row.by_predecessor,
            by_successor=row.by_successor,
        )
        for row in LedgerKey.objects.all()
        if _is_named(row)
    ]


def trouble(anchored: Iterable[SigningKey]) -> str:
    """Return what is wrong with the recorded keys, compared with those of the second place; empty when nothing is."""
    for row in LedgerKey.objects.all():
        if not _is_named(row):
            return f"the recorded public key {row.key_id} was changed"
    here = set(recorded())
    missing = next((key for key in anchored if key not in here), None)
    return f"the public key {missing.key_id} stands in the second place and is not recorded so" if missing else ""


def _is_named(row: LedgerKey) -> bool:
    try:
        return key_id_of(row.public_key) == row.key_id
    except ValueError:
        return False


def _record(key: SigningKey) -> None:
    LedgerKey.objects.create(
        key_id=key.key_id,
        public_key=key.public,
        first_size=key.first,
        at=key.at,
        predecessor=key.predecessor,
        by_predecessor=key.by_predecessor,
        by_successor=key.by_successor,
    )


def signing_key() -> tuple[Ed25519PrivateKey, str]:
    """Return the private key and its short name. The very first call makes it and records its public half.

    Raises `PermanentError` when it is missing or not the one recorded last.
    """
    known = recorded()
    if known:
        _finish_rotation(known[-1].key_id)
    key = _load(may_make=not known)
    public = public_of(key)
    if not known:
        _record(SigningKey(public=public, first=0, at=timezone.now().isoformat()))
    elif known[-1].public != public:
        raise PermanentError(
            f"The signing key at hand is {key_id_of(public)}, the one recorded last is {known[-1].key_id}.",
            hint="Bring that one back, or replace it with `manage.py ledger rotate-key`.",
        )
    return key, key_id_of(public)


def _finish_rotation(key_id: str) -> None:
    """Put a new key in the place of the old one, if the process that replaced it died in between."""
    path = settings.LEDGER.key_file
    pending = path.with_suffix(".new")
    if pending.is_file() and key_id_of(public_of(parse_private(pending.read_text()))) == key_id:
        pending.replace(path)


def keyring(others: Iterable[SigningKey] = ()) -> tuple[Keyring, str]:
    """Return the keys that are believed, and what a reader should know about why; empty when the key is at hand.

    `others` were found elsewhere, and may have been removed from the table. Where the private key is not at hand, the
    recorded keys are believed as they stand.
    """
    known = recorded()
    try:
        roots, note = [public_of(_load(may_make=False))], ""
    except PermanentError as exc:
        roots = [key.public for key in known]
        note = f"{exc.message} The recorded public keys were believed as they stand." if known else ""
    return Keyring([*others, *known], roots=roots), note


@contextmanager
def alone() -> Iterator[None]:
    """Keep the continuous check out while keys or places change. Raises `TransientError` when it is at work."""
    with try_advisory_lock(CHECKING) as is_alone:
        if not is_alone:
            raise TransientError("The ledger is being checked just now.", hint="Run the command again.")
        yield


def rotate(
    *, actor: User | SystemActor, reason: str, new: Ed25519PrivateKey | None = None, is_lost: bool = False
) -> SigningKey:
    """Replace the signing key; the old one's heads go on to count. Needs audit.rotate_ledger_key and a reason.

    Without `new` one is made and put into the file. With a key from the environment pass the `new` one, and set it
    there next. `is_lost`: the old key is gone and cannot vouch for the new one; auditors must be given that by hand.
    """
    require_permission(actor, "audit.rotate_ledger_key")
    reason = require_reason(reason, act="Replacing the key")
    if new is None and settings.LEDGER.key:
        raise PermanentError(
            "The key comes from the environment.", hint="Make a new one yourself and pass --new-key FILE."
        )
    old = None if is_lost else signing_key()[0]
    key = new or Ed25519PrivateKey.generate()
    pending = settings.LEDGER.key_file.with_suffix(".new")
    if not settings.LEDGER.key:
        secrets.write(pending, _pem(key), replace=True)
    with alone(), transaction.atomic():
        known = recorded()
        if public_of(key) in {one.public for one in known}:
            raise PermanentError("This key is recorded already.", hint="A key that was replaced does not come back.")
        last = TreeHead.objects.order_by("-size").values_list("size", flat=True).first() or 0
        plain = SigningKey(
            public=public_of(key),
            first=last,
            at=timezone.now().isoformat(),
            predecessor=known[-1].key_id if known else "",
        )
        made = SigningKey(
            public=plain.public,
            first=plain.first,
            at=plain.at,
            predecessor=plain.predecessor,
            by_predecessor=old.sign(plain.statement()).hex() if old else "",
            by_successor=key.sign(plain.statement()).hex(),
        )
        _record(made)
        ledger.append(
            "audit.key.rotated",
            subject=f"audit.ledgerkey:{made.key_id}",
            actor=actor,
            payload={
                "predecessor": made.predecessor,
                "is_lost": is_lost,
                "reason": ledger.typed(reason, by=actor),
            },
        )
    _finish_rotation(made.key_id)
    return made
