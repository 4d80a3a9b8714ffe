"""What people typed, sealed under a key of their own: deleting the key erases the words, and the chain still holds.

AES-256-GCM (NIST SP 800-38D) with a random key for each person. That key is stored wrapped by one from outside of the
database, so a dump of the database alone tells nothing. A line holds `{"sealed": "<key>.<base64 of nonce and text>"}`,
and its hash is over that.
"""

from __future__ import annotations

import base64
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import transaction

from audit import secrets
from audit.models import SubjectKey
from core.actors import COMMAND_LINE, SystemActor, require_permission
from core.exceptions import PermanentError

if TYPE_CHECKING:
    from django.contrib.auth.models import User

NONCE = 12
ERASED, HIDDEN, UNREADABLE = "erased", "sealed", "sealed, and its key is not at hand"


@dataclass(frozen=True)
class Sealed:
    """Text that a person typed. The ledger seals it under the key of `by`, or of who acts."""

    text: str
    by: str = ""


def typed(text: str, *, by: User | SystemActor) -> Sealed | str:
    """Return a reason as it goes into a payload: sealed if a person gave it, plain if a part of the system did.

    The command line is a person too, only an unknown one.
    """
    is_system = isinstance(by, SystemActor) and by != COMMAND_LINE
    return text if is_system else Sealed(text)


def _wrapping_key(*, may_make: bool) -> AESGCM:
    value = secrets.secret(
        given=settings.LEDGER.sealing_key,
        path=settings.LEDGER.sealing_key_file,
        make=(lambda: os.urandom(32).hex()) if may_make else None,
        name="The key that seals the ledger",
    )
    return AESGCM(_parsed(value))


def _parsed(value: str) -> bytes:
    try:
        key = bytes.fromhex(value)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise PermanentError(
            "The key that seals the ledger is no key.", hint="It is 64 hex digits: openssl rand -hex 32"
        )
    return key


def _encrypt(cipher: AESGCM, data: bytes, about: bytes) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + cipher.encrypt(nonce, data, about)


def _decrypt(cipher: AESGCM, data: bytes, about: bytes) -> bytes:
    return cipher.decrypt(data[:NONCE], data[NONCE:], about)


def people_in(payloads: Iterable[Mapping[str, Any]], *, actor: str) -> list[str]:
    """Return whose keys it takes to seal `payloads`."""
    values = (value for payload in payloads for value in payload.values())
    return sorted({value.by or actor for value in values if isinstance(value, Sealed)})


class Sealer:
    """Seals for one append. Used while the chain's lock is held, so no two make a key for the same person."""

    def __init__(self, keys: Iterable[tuple[str, uuid.UUID, bytes]]) -> None:
        """Take up the keys that there are: person, id, wrapped key."""
        self._ciphers: dict[str, tuple[str, AESGCM]] = {}
        for person, key_id, wrapped in keys:
            key = _unwrapped(str(key_id), bytes(wrapped), _wrapping_key(may_make=False))
            self._ciphers[person] = str(key_id), AESGCM(key)

    def seal(self, text: str, *, person: str) -> dict[str, str]:
        """Return `text` as it goes into a line."""
        if person not in self._ciphers:
            self._ciphers[person] = self._new_key(person)
        key_id, cipher = self._ciphers[person]
        sealed = _encrypt(cipher, text.encode(), key_id.encode())
        return {"sealed": f"{key_id}.{base64.b64encode(sealed).decode()}"}

    def payload(self, payload: Mapping[str, Any], *, actor: str) -> dict[str, Any]:
        """Return `payload` with what is `Sealed` in it sealed."""
        return {
            name: self.seal(value.text, person=value.by or actor) if isinstance(value, Sealed) else value
            for name, value in payload.items()
        }

    @staticmethod
    def _new_key(person: str) -> tuple[str, AESGCM]:
        wrapping = _wrapping_key(may_make=not SubjectKey.objects.exists())
        key, key_id = os.urandom(32), uuid.uuid4()
        SubjectKey.objects.create(id=key_id, person=person, wrapped=_encrypt(wrapping, key, str(key_id).encode()))
        return str(key_id), AESGCM(key)


def _unwrapped(key_id: str, wrapped: bytes, wrapping: AESGCM) -> bytes:
    try:
        return _decrypt(wrapping, wrapped, key_id.encode())
    except InvalidTag:
        raise PermanentError(
            "The key that seals the ledger is another one than before.", hint="Bring that one back from your copy."
        ) from None


def _token(value: object) -> str:
    """The sealed text in a value of a payload; empty when it is something else."""
    if isinstance(value, dict) and value.keys() == {"sealed"} and isinstance(value["sealed"], str):
        return str(value["sealed"])
    return ""


def opened(payloads: Sequence[Mapping[str, Any]], *, reader: User | SystemActor) -> list[dict[str, Any]]:
    """Return `payloads` with sealed words in the clear for who may read them (audit.read_sealed), else `sealed`.

    Words whose key was deleted are `erased`, for everybody.
    """
    tokens = {token for payload in payloads for value in payload.values() if (token := _token(value))}
    may_read = isinstance(reader, SystemActor) or reader.has_perm("audit.read_sealed")
    ciphers = _ciphers({token.partition(".")[0] for token in tokens}, may_read=may_read)
    return [
        {name: _clear(token, ciphers) if (token := _token(value)) else value for name, value in payload.items()}
        for payload in payloads
    ]


def _ciphers(key_ids: Iterable[str], *, may_read: bool) -> dict[str, AESGCM | str]:
    """Key → its cipher, or why there is none."""
    ciphers: dict[str, AESGCM | str] = {}
    rows = list(SubjectKey.objects.filter(pk__in=[key for key in key_ids if _is_uuid(key)]))
    if not may_read:
        return {str(row.pk): HIDDEN for row in rows}
    try:
        wrapping = _wrapping_key(may_make=False) if rows else None
    except PermanentError:
        wrapping = None
    for row in rows:
        try:
            ciphers[str(row.pk)] = (
                AESGCM(_unwrapped(str(row.pk), bytes(row.wrapped), wrapping)) if wrapping else UNREADABLE
            )
        except PermanentError:
            ciphers[str(row.pk)] = UNREADABLE
    return ciphers


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _clear(token: str, ciphers: Mapping[str, AESGCM | str]) -> str:
    key_id, _, data = token.partition(".")
    cipher = ciphers.get(key_id, ERASED)
    if isinstance(cipher, str):
        return cipher
    try:
        return _decrypt(cipher, base64.b64decode(data), key_id.encode()).decode()
    except (InvalidTag, ValueError):
        return UNREADABLE


def shred(person: str, *, actor: User | SystemActor) -> int:
    """Delete the key of `person` (`user:<id>`): what they wrote into the ledger is gone. Needs audit.erase_person.

    Returns how many keys there were, 0 or 1. Call inside the transaction that records it.
    """
    require_permission(actor, "audit.erase_person")
    return SubjectKey.objects.filter(person=person).delete()[0]


def rewrap(*, actor: User | SystemActor, new: str = "") -> int:
    """Wrap all keys anew under another key, so that those in old backups, of erased people too, open nothing any more.

    Needs audit.erase_person. `new`, 64 hex digits, where the present one comes from the environment: set it there next.
    Returns how many were wrapped.
    """
    require_permission(actor, "audit.erase_person")
    if settings.LEDGER.sealing_key and not new:
        raise PermanentError(
            "The sealing key comes from the environment.", hint="Make a new one and pass --new-key FILE."
        )
    old = _wrapping_key(may_make=not SubjectKey.objects.exists())
    value = new or os.urandom(32).hex()
    wrapping, path = AESGCM(_parsed(value)), settings.LEDGER.sealing_key_file
    if not settings.LEDGER.sealing_key:
        secrets.write(path.with_suffix(".new"), value, replace=True)
    with transaction.atomic():
        rows = list(SubjectKey.objects.select_for_update(no_key=True))
        for row in rows:
            row.wrapped = _encrypt(wrapping, _unwrapped(str(row.pk), bytes(row.wrapped), old), str(row.pk).encode())
        SubjectKey.objects.bulk_update(rows, ["wrapped"], batch_size=1000)
    if not settings.LEDGER.sealing_key:
        path.with_suffix(".new").replace(path)
    return len(rows)
