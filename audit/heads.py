"""Signed heads: the only writer of them, and how they get to the second place.

A head over n lines costs as much as the lines that are new since the last one. Nothing is signed that was not checked,
and nothing while the database and the second place disagree.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from audit import anchors, high_water, keys, ledger
from audit.merkle import Frontier
from audit.models import TreeHead
from audit.signing import Head
from core.actors import require_permission
from core.exceptions import PermanentError
from core.reasons import require_reason

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from core.actors import SystemActor

GONE = "the second place is gone: its file is not where it was"
EMPTY = "the second place was emptied: its file has no head"


def _head(row: TreeHead, first: int) -> Head:
    return Head(
        size=row.size,
        first=first,
        root=row.root_hash,
        entry=row.head_hash,
        at=row.at.isoformat(),
        key=row.key_id,
        leaves=bytes(row.leaves),
        signature=row.signature,
    )


def stored(*, after: int = 0) -> list[Head]:
    """Return the heads of the table over more than `after` lines, by size. Their signatures are not checked yet."""
    rows = TreeHead.objects.filter(size__gt=after).order_by("size")
    # A head says how many lines it added by how long its record is.
    return [_head(row, row.size - len(row.leaves) // 8) for row in rows.iterator(chunk_size=500)]


def newest_stored(n: int, *, after: int) -> list[Head]:
    """Return the last `n` heads of the table over more than `after` lines, by size."""
    rows = TreeHead.objects.filter(size__gt=after).order_by("-size")[:n]
    return [_head(row, row.size - len(row.leaves) // 8) for row in reversed(rows)]


def find(size: int) -> Head | None:
    """Return the head of the table over exactly `size` lines."""
    row = TreeHead.objects.filter(size=size).first()
    return _head(row, row.size - len(row.leaves) // 8) if row else None


def newest() -> tuple[Head, Frontier] | None:
    """Return the last head of the table and the tree under it, or None.

    Raises `PermanentError` when they do not fit.
    """
    row = TreeHead.objects.order_by("-size").first()
    if row is None:
        return None
    try:
        tree = Frontier(row.size, [bytes.fromhex(node) for node in row.frontier.split()])
    except ValueError:
        tree = Frontier()
    if tree.root().hex() != row.root_hash:
        raise PermanentError(f"the tree stored with the head of {row.size:,} lines does not have its root")
    return _head(row, row.size - len(row.leaves) // 8), tree


def sign(tree: Frontier, *, entry: str, leaves: bytes) -> Head:
    """Sign the tree over all lines so far, whose last has the hash `entry`, and keep the head.

    `leaves` are the first 8 bytes of the hash of each line since the last head. The caller has checked those lines and
    is alone, and brings the head to the second place after. Raises `PermanentError` without the right key.
    """
    with transaction.atomic():
        key, key_id = keys.signing_key()
        plain = Head(
            size=tree.size,
            first=tree.size - len(leaves) // 8,
            root=tree.root().hex(),
            entry=entry,
            at=timezone.now().isoformat(),
            key=key_id,
            leaves=leaves,
        )
        head = dataclasses.replace(plain, signature=key.sign(plain.statement()).hex())
        TreeHead.objects.create(
            size=head.size,
            root_hash=head.root,
            head_hash=entry,
            at=head.at,
            key_id=key_id,
            signature=head.signature,
            leaves=leaves,
            frontier=" ".join(node.hex() for node in tree.nodes),
        )
    return head


def place_problem(vouched: int, before: int) -> str:
    """Return what is wrong when the second place vouches for `vouched` lines, and did for `before`;
    empty when nothing is.
    """
    if vouched >= before:
        return ""
    if not vouched:
        return EMPTY if anchors.exists() else GONE
    return f"the second place was cut back: it vouched for {before:,} lines, and does for {vouched:,}"


def bring_to_second_place() -> int:
    """Append to the second place what it does not have yet, and return how many heads that were."""
    last = anchors.last()
    late = stored(after=last.size if last else 0)
    if late:
        known = keys.recorded() if last is None or {head.key for head in late} != {last.key} else []
        anchors.append([*(key.as_line() for key in known), *(head.as_line() for head in late)])
    return len(late)


def restart_anchors(*, actor: User | SystemActor, reason: str) -> int:
    """Begin a new second place with every head of the table, after a restore or when the old one is lost.

    The old file, if there is one, is put aside under its name and the time, as the high-water mark is: both stay
    evidence, and the next check sets a new mark. Needs
    audit.rotate_ledger_key and a reason, which become a line of the ledger. Returns how many heads were written.
    """
    require_permission(actor, "audit.rotate_ledger_key")
    reason = require_reason(reason, act="Beginning a new second place", hint="Say what became of the old one.")
    with keys.alone():
        where, before = anchors.path(), anchors.read().heads
        with transaction.atomic():
            ledger.append(
                high_water.RESTARTED,
                subject="audit.treehead:all",
                actor=actor,
                payload={
                    "anchored_before": before[-1].size if before else 0,
                    "signature_before": before[-1].signature if before else "",
                    "reason": ledger.typed(reason, by=actor),
                },
            )
            if where.exists():
                where.rename(where.with_name(f"{where.name}.until-{timezone.now():%Y%m%dT%H%M%S}"))
            high_water.put_aside()
        return bring_to_second_place()
