"""Recompute the chain and say where, if anywhere, it breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from audit.ledger import GENESIS_HASH, entry_hash
from audit.models import LedgerEntry


@dataclass(frozen=True)
class Verification:
    """Outcome: `n_entries` read, the last good hash, and the first bad `seq` with the reason (None when all is well)."""

    n_entries: int
    head_hash: str
    bad_seq: int | None = None
    reason: str = ""

    @property
    def is_intact(self) -> bool:
        return self.bad_seq is None


def verify(*, expected_head: str = "", on_progress: Callable[[int], None] | None = None) -> Verification:
    """Stream the whole ledger in order; check numbering without gaps, the chain, and each line's own hash.

    `expected_head` is a head hash kept elsewhere: a chain cut off at the end, or rewritten as a whole, is only
    evident against it.
    """
    n, prev_hash, head_seen = 0, GENESIS_HASH, not expected_head
    for entry in LedgerEntry.objects.order_by("seq").iterator(chunk_size=2000):
        if entry.seq != n + 1:
            return Verification(n, prev_hash, n + 1, f"line {n + 1} is missing; the next one is {entry.seq}")
        if entry.prev_hash != prev_hash:
            return Verification(n, prev_hash, entry.seq, "it does not follow from the line before")
        recomputed = entry_hash(
            seq=entry.seq,
            at=entry.at,
            actor=entry.actor,
            action=entry.action,
            subject=entry.subject,
            payload=entry.payload,
            prev_hash=entry.prev_hash,
        )
        if recomputed != entry.entry_hash:
            return Verification(n, prev_hash, entry.seq, "its content does not match its hash")
        n, prev_hash = n + 1, entry.entry_hash
        head_seen = head_seen or prev_hash == expected_head
        if on_progress and n % 1000 == 0:
            on_progress(n)
    if not head_seen:
        return Verification(n, prev_hash, n + 1, "the expected head hash is not in the chain: it was cut or rewritten")
    return Verification(n, prev_hash)
