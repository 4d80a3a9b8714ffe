"""Proofs for somebody who holds a signed head: that a line is under it, and that a later head only added to it."""

from __future__ import annotations

import hashlib
from typing import Any

from audit import heads, merkle
from audit.models import LedgerEntry, TreeHead
from audit.reading import entry_hashes
from audit.signing import Head
from core.exceptions import PermanentError

AT_ONCE = 4096


def _range_root(start: int, end: int) -> bytes:
    """The root over the stored hashes of a range: read in one go, kept in pieces."""
    tree, piece = merkle.Frontier(), []
    for leaf in entry_hashes(start, end):
        piece.append(leaf)
        if len(piece) == AT_ONCE:
            tree.extend(piece)
            piece = []
    tree.extend(piece)
    return tree.root()


def inclusion(seq: int) -> dict[str, Any]:
    """Return the proof that line `seq` is under the first signed head that covers it (RFC 9162, 2.1.3).

    `path` are hashes as hex; `merkle.is_included` with index `seq` - 1 verifies it. Takes time in proportion to the
    size of that head. Raises `PermanentError` when no head covers the line yet.
    """
    size = TreeHead.objects.filter(size__gte=seq).order_by("size").values_list("size", flat=True).first()
    head = heads.find(size) if size and seq > 0 else None
    if head is None:
        raise PermanentError(
            f"No signed head covers line {seq} yet.", hint="The next one is made within a minute or so."
        )
    entry = LedgerEntry.objects.get(pk=seq)
    path = merkle.inclusion_path(seq - 1, head.size, _range_root)
    return {
        "seq": seq,
        "entry_hash": entry.entry_hash,
        "path": [node.hex() for node in path],
        "head": _shown(head),
    }


def consistency(old: int, new: int | None = None) -> dict[str, Any]:
    """Return the proof that the head of `new` lines (the newest) only added to that of `old` lines (RFC 9162, 2.1.4).

    Raises `PermanentError` when there are no such heads.
    """
    found = heads.newest() if new is None else None
    latest = found[0] if found else heads.find(new or 0)
    before = heads.find(old)
    if latest is None or before is None or before.size > latest.size:
        raise PermanentError("There are no two such heads.", hint="Signed heads are listed in the console.")
    path = merkle.consistency_path(before.size, latest.size, _range_root)
    return {"old": _shown(before), "new": _shown(latest), "path": [node.hex() for node in path]}


def _shown(head: Head) -> dict[str, Any]:
    """A head for a reader: all that is signed, with the hash of its record in the record's place."""
    line = head.as_line()
    return {**line, "leaves": None, "leaves_sha256": hashlib.sha256(head.leaves).hexdigest()}
