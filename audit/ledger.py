"""The only writer of the ledger.

`append` runs inside the caller's transaction: the state change and its line commit together or not at all. The chain
needs one order, so a line takes an advisory lock that is held until the caller commits: append *last* in a
transaction, and use `append_many` for bulk moves.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils import timezone

from audit import sealing
from audit.models import LedgerEntry
from audit.sealing import Sealed, typed
from core.actors import SystemActor, actor_ref
from core.hashing import canonical_json

if TYPE_CHECKING:
    import datetime as dt

    from django.contrib.auth.models import User

__all__ = ["Line", "Sealed", "append", "append_many", "entry_hash", "typed"]
GENESIS_HASH = "0" * 64
CHAIN_LOCK = 0x6C6564676572  # "ledger": key of the advisory lock that gives the chain its order
COLUMNS = ("seq", "at", "actor", "action", "subject", "payload", "prev_hash", "entry_hash")
INSERT = (
    f"INSERT INTO audit_ledgerentry ({', '.join(COLUMNS)}) "  # noqa: S608
    "SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], "
    "%s::text[], %s::text[], %s::text[], %s::jsonb[], %s::text[], %s::text[])"
)
LAST_LINE_AND_KEYS = """
SELECT line.seq, line.entry_hash, key.person, key.id, key.wrapped FROM (SELECT) AS one
LEFT JOIN (SELECT seq, entry_hash FROM audit_ledgerentry ORDER BY seq DESC LIMIT 1) AS line ON true
LEFT JOIN audit_subjectkey AS key ON key.person = ANY(%s)
"""


@dataclass(frozen=True)
class Line:
    """What a caller wants recorded. `action` is namespaced (`moderation.candidate.approved`), `subject` a reference.

    What a person typed goes into `payload` as `typed(text, by=actor)`, so that it can be erased (`audit.sealing`).
    """

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


def _storable(value: Any) -> Any:
    """Return `value` as PostgreSQL gives it back: jsonb knows no 1e+16, which is a whole number there, and no -0.0."""
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if abs(value) >= 1e16 else value + 0.0
    if isinstance(value, Mapping):
        return {name: _storable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(one) for one in value]
    return value


def append_many(lines: Sequence[Line], *, actor: User | SystemActor) -> list[LedgerEntry]:
    """Append `lines` in order in the current transaction and return the entries. Raises if called outside `atomic`."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("the ledger is written inside the transaction it records")
    if not lines:
        return []
    who, now = actor_ref(actor), timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
        # A statement of its own: what it sees has to begin after the lock was got.
        cursor.execute(LAST_LINE_AND_KEYS, [sealing.people_in((line.payload for line in lines), actor=who)])
        found = cursor.fetchall()
    seq, prev_hash = found[0][:2] if found[0][0] is not None else (0, GENESIS_HASH)
    sealer, entries = sealing.Sealer(row[2:] for row in found if row[2] is not None), []
    for line in lines:
        seq += 1
        values: dict[str, Any] = {
            "seq": seq,
            "at": now,
            "actor": who,
            "action": line.action,
            "subject": line.subject,
            "payload": _storable(sealer.payload(line.payload, actor=who)),
            "prev_hash": prev_hash,
        }
        prev_hash = entry_hash(**values)
        entries.append(LedgerEntry(**values, entry_hash=prev_hash))
    _insert(entries)
    return entries


def _insert(entries: Sequence[LedgerEntry]) -> None:
    """Write new lines in one statement with an array for each column: a quarter of what bulk_create takes."""
    columns = [[getattr(entry, name) for entry in entries] for name in COLUMNS]
    columns[COLUMNS.index("payload")] = [canonical_json(entry.payload) for entry in entries]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, columns)
    for entry in entries:
        entry._state.adding, entry._state.db = False, connection.alias


def append(
    action: str, *, subject: str, actor: User | SystemActor, payload: Mapping[str, Any] | None = None
) -> LedgerEntry:
    """Append one line in the current transaction. `payload` is JSON, typed words in it `Sealed`."""
    return append_many([Line(action, subject, payload or {})], actor=actor)[0]
