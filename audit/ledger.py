"""The only writer of the ledger.

`append` runs inside the caller's transaction: the state change and its line commit together or not at all. The chain
needs one order, so a line takes an advisory lock that is held until the caller commits: append *last* in a
transaction, and use `append_many` for bulk moves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils import timezone

from audit.models import LedgerEntry
from core.actors import SystemActor, actor_ref
from core.hashing import canonical_json

if TYPE_CHECKING:
    import datetime as dt

    from django.contrib.auth.models import User

GENESIS_HASH = "0" * 64
CHAIN_LOCK = 0x6C6564676572  # "ledger": key of the advisory lock that gives the chain its order


@dataclass(frozen=True)
class Line:
    """What a caller wants recorded. `action` is namespaced (`moderation.candidate.approved`), `subject` a reference."""

    action: str
    subject: str
    payload: Mapping[str, Any] = field(default_factory=dict)


def entry_hash(
    *, seq: int, at: dt.datetime, actor: str, action: str, subject: str, payload: Mapping[str, Any], prev_hash: str
) -> str:
    """Return the SHA-256 over the canonical JSON of a line and the hash before it (64 hex digits)."""
    body = canonical_json(
        {
            "seq": seq,
            "at": at.isoformat(),
            "actor": actor,
            "action": action,
            "subject": subject,
            "payload": payload,
            "prev": prev_hash,
        }
    )
    return hashlib.sha256(body.encode()).hexdigest()


def append_many(lines: Sequence[Line], *, actor: User | SystemActor) -> list[LedgerEntry]:
    """Append `lines` in order in the current transaction and return the entries. Raises if called outside `atomic`."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("the ledger is written inside the transaction it records")
    if not lines:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
    last = LedgerEntry.objects.order_by("-seq").values_list("seq", "entry_hash").first()
    seq, prev_hash = last if last else (0, GENESIS_HASH)
    who, now = actor_ref(actor), timezone.now()
    entries = []
    for line in lines:
        seq += 1
        values: dict[str, Any] = {
            "seq": seq,
            "at": now,
            "actor": who,
            "action": line.action,
            "subject": line.subject,
            "payload": dict(line.payload),
            "prev_hash": prev_hash,
        }
        prev_hash = entry_hash(**values)
        entries.append(LedgerEntry(**values, entry_hash=prev_hash))
    return LedgerEntry.objects.bulk_create(entries)


def append(
    action: str, *, subject: str, actor: User | SystemActor, payload: Mapping[str, Any] | None = None
) -> LedgerEntry:
    """Append one line in the current transaction. `payload` must be JSON and hold no personal data."""
    return append_many([Line(action, subject, payload or {})], actor=actor)[0]
