"""Takes the ledger out for somebody who trusts neither this server nor its database: lines, signed heads, public keys.

JSON Lines in a fixed order and form: up to the same head it is the same file, byte for byte. A head stands before the
lines it adds, so that whoever reads it in order can say of each line whether it is the one that was signed for.
`audit/offline_verifier.py` reads it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit import heads, keys
from audit.models import LedgerEntry
from audit.signing import Head
from core.actors import require_permission
from core.exceptions import PermanentError
from core.hashing import canonical_json

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from core.actors import SystemActor

AT_ONCE = 2000


@dataclass(frozen=True)
class Exported:
    """What was written: `n_entries` lines under `n_heads` heads, and the SHA-256 of the file."""

    n_entries: int
    n_heads: int
    file_hash: str


def export_ledger(
    path: Path,
    *,
    actor: User | SystemActor,
    up_to: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Exported:
    """Write the ledger up to the newest signed head, or the one over `up_to` lines. Needs audit.verify_ledger.

    What people typed stays sealed. The file appears once it is whole. Raises `PermanentError` when there is no such
    head.
    """
    require_permission(actor, "audit.verify_ledger")
    signed = [head for head in heads.stored() if up_to is None or head.size <= up_to]
    if not signed or up_to not in (None, signed[-1].size):
        raise PermanentError(
            "There is no such signed head.", hint="Heads are made every minute: `manage.py ledger sign`."
        )
    size, digest, part = signed[-1].size, hashlib.sha256(), path.with_name(f"{path.name}.part")
    with part.open("wb") as stream:
        for n, line in enumerate(_lines(signed, size)):
            data = canonical_json(line).encode() + b"\n"
            digest.update(data)
            stream.write(data)
            if on_progress and n % AT_ONCE == 0:
                on_progress(min(n, size), size)
    part.replace(path)
    return Exported(size, len(signed), digest.hexdigest())


def _lines(signed: list[Head], size: int) -> Iterator[dict[str, Any]]:
    yield {"type": "ledger", "version": 1, "n_entries": size, "head_hash": signed[-1].entry}
    for key in keys.recorded():
        if key.first < size:  # a later key says nothing about these lines
            yield key.as_line()
    waiting = iter([*signed, None])
    head = next(waiting)
    entries = LedgerEntry.objects.filter(seq__lte=size).order_by("seq").iterator(chunk_size=AT_ONCE)
    for entry in entries:
        while head is not None and entry.seq > head.first:
            yield head.as_line()
            head = next(waiting)
        yield {
            "type": "entry",
            "seq": entry.seq,
            "at": entry.at.isoformat(),
            "actor": entry.actor,
            "action": entry.action,
            "subject": entry.subject,
            "payload": entry.payload,
            "prev": entry.prev_hash,
            "hash": entry.entry_hash,
        }
    while head is not None:  # lines are missing: the reader will see of which head
        yield head.as_line()
        head = next(waiting)
