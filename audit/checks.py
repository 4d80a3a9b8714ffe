"""The checks that run by themselves, and the record of every check: by whom, how far, against what, the outcome."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.utils import timezone

from audit import anchors, heads, high_water, keys, verification
from audit.ledger import GENESIS_HASH
from audit.models import LedgerCheck, LedgerEntry
from audit.reading import lines_after
from audit.signing import Head, Keyring
from audit.verification import Verification, Walk
from core.actors import SystemActor, actor_ref, require_permission
from core.exceptions import EcomsiteError, PermanentError, TransientError
from core.locks import try_advisory_lock

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = logging.getLogger(__name__)
ACTOR = SystemActor("audit.checks")
WHOLE_EVERY = dt.timedelta(days=1)
# An idle desk is checked against the second place all the same; of those checks one an hour is kept.
NOTE_EVERY = dt.timedelta(hours=1)


def verify_now(
    *, actor: User | SystemActor, expected_head: str = "", on_progress: Callable[[int], None] | None = None
) -> Verification:
    """Verify the whole ledger and record who did. Needs audit.verify_ledger."""
    require_permission(actor, "audit.verify_ledger")
    started = time.monotonic()
    result = verification.verify(expected_head=expected_head, on_progress=on_progress)
    kind = LedgerCheck.Kind.HASH if expected_head else LedgerCheck.Kind.WHOLE
    _record(result, kind=kind, actor=actor, seconds=time.monotonic() - started)
    return result


def verify_if_due() -> bool:
    """Verify the whole ledger if that was not done for a day; returns whether it was.

    A failed one is repeated hourly.
    """
    recent = LedgerCheck.objects.filter(kind=LedgerCheck.Kind.WHOLE, at__gt=timezone.now() - WHOLE_EVERY)
    if recent.filter(is_intact=True).exists():
        return False
    with try_advisory_lock("audit.verify_whole") as is_alone:
        if is_alone:
            verify_now(actor=ACTOR)
        return is_alone


def check_new() -> Verification | None:
    """Check the lines since the last head, sign a head over them, bring it to the second place and raise the high-water
    mark.

    The last head is compared with both before: a database that went back in time is found here. Nothing is signed while
    anything is wrong. Returns None when another process is at it.
    """
    with try_advisory_lock(keys.CHECKING) as is_alone:
        if not is_alone:
            return None
        started = time.monotonic()
        result = _check_new()
        if not result.is_intact and not _is_known(result):
            whole = verification.verify()  # to name the line; once, not with every turn
            result = result if whole.is_intact else dataclasses.replace(whole, first=1)
        _record(result, kind=LedgerCheck.Kind.NEW, actor=ACTOR, seconds=time.monotonic() - started)
        return result


def _is_known(result: Verification) -> bool:
    """Whether the last turn found something wrong too, not long ago."""
    before = LedgerCheck.objects.filter(kind=LedgerCheck.Kind.NEW).first()
    return before is not None and not before.is_intact and before.at > timezone.now() - NOTE_EVERY


class _Trouble(Exception):
    """Something is wrong; `bad_seq` is the line where that is known already."""

    def __init__(self, words: str, bad_seq: int | None = None) -> None:
        super().__init__(words)
        self.bad_seq = bad_seq


def _check_new() -> Verification:
    n_heads = first = anchored = marked = 0
    walk, note, reason, bad_seq = Walk(), "", "", None
    try:
        found = _from_last_head()
        walk, anchored, marked = found.walk, found.anchored, found.mark.size
        first = walk.n + 1
        for lines in lines_after(walk.n):
            if not walk.take(lines):
                raise _Trouble(walk.reason, walk.bad_seq)
        if walk.n >= first:
            heads.sign(walk.tree, entry=walk.last_hash, leaves=bytes(walk.leaves))
            n_heads = 1
        heads.bring_to_second_place()
        anchored = walk.n
        if walk.n > marked:
            high_water.raise_to(found.mark, heads.newest_stored(high_water.KEPT, after=marked))
            marked = walk.n
    except TransientError as exc:  # the head is signed, the second place has it with the next one
        note = str(exc)
    except (_Trouble, PermanentError) as exc:
        reason, bad_seq = str(exc), getattr(exc, "bad_seq", None)
    return Verification(
        n_entries=walk.n,
        head_hash=walk.last_hash,
        root_hash=walk.tree.root().hex(),
        bad_seq=bad_seq,
        reason=reason,
        first=first,
        n_heads=n_heads,
        anchored_size=anchored,
        marked_size=marked,
        note=note,
    )


def quick_problem() -> str:
    """Return what is wrong between the ends of ledger, heads, second place and high-water mark; empty when nothing is.

    Reads no line but the last that was signed. A place that cannot be read just now is no problem.
    """
    try:
        _from_last_head()
    except TransientError:
        return ""
    except (_Trouble, PermanentError) as exc:
        return str(exc).rstrip(".")
    return ""


@dataclasses.dataclass(frozen=True)
class _Start:
    """Where a check begins: after the last head, on which database, second place and high-water mark agree."""

    walk: Walk
    mark: high_water.Mark
    anchored: int = 0


def _from_last_head() -> _Start:
    """Return where to begin. Raises `_Trouble` where the places do not agree."""
    # In this order: whatever is known stood in the second place by then, and whatever stands there is in the database.
    known = high_water.known()
    kept = anchors.last()
    found = heads.newest()
    if known.problem:
        raise _Trouble(known.problem)
    if found is None:
        places = (("the second place has", kept), ("the high-water mark is", known.mark.last))
        for words, one in places:
            if one is not None:
                raise _Trouble(f"{words} a head of {one.size:,} lines, the database has none")
        if known.anchored_size:
            raise _Trouble(f"{known.anchored_size:,} lines were signed and in the second place, and no head is left")
        return _Start(Walk(last_hash=GENESIS_HASH), known.mark)
    head, tree = found
    ring, _ = keys.keyring()
    if problem := ring.problem_with(head):
        raise _Trouble(problem)
    for place, one in (("second place", kept), ("high-water mark", known.mark.last)):
        if one is not None:
            _require_in_database(one, head, ring, place=place)
    if problem := heads.place_problem(kept.size if kept else 0, known.anchored_size):
        raise _Trouble(problem)
    entry = LedgerEntry.objects.filter(pk=head.size).values_list("entry_hash", flat=True).first()
    if entry is None:
        newest = LedgerEntry.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
        raise _Trouble(f"lines up to {head.size:,} were signed, and there are {newest:,}", newest + 1)
    if entry != head.entry:
        raise _Trouble("it is not the line that was signed", head.size)
    walk = Walk(n=head.size, last_hash=head.entry, tree=tree)
    return _Start(walk, known.mark, kept.size if kept else 0)


def _require_in_database(kept: Head, newest: Head, ring: Keyring, *, place: str) -> None:
    """Raise `_Trouble` unless `kept`, a head of the `place`, is one of the database's,
    of which `newest` is the last.
    """
    if problem := ring.problem_with(kept):
        raise _Trouble(f"in the {place} {problem}")
    if kept.size > newest.size:
        raise _Trouble(
            f"lines up to {kept.size:,} stand in the {place}, signed at {kept.at[:19].replace('T', ' ')} UTC, "
            f"the database has heads up to {newest.size:,} only: it went back in time"
        )
    if (same := newest if kept.size == newest.size else heads.find(kept.size)) != kept:
        raise _Trouble(
            f"the head of {kept.size:,} lines in the {place} is {'another' if same else 'none'} of the database's"
        )


def _record(result: Verification, *, kind: str, actor: User | SystemActor, seconds: float) -> None:
    """Keep what was found: whatever is asked for, signed or other than before, and else one an hour."""
    before = LedgerCheck.objects.filter(kind=kind).first()
    if kind == LedgerCheck.Kind.NEW and before is not None:
        is_same = before.is_intact == result.is_intact
        if result.is_intact:
            is_same = is_same and not result.n_heads and before.words == result.note
        if is_same and before.at > timezone.now() - NOTE_EVERY:
            return
    if not result.is_intact:
        log.error("the ledger check found: %s", result.reason)
    LedgerCheck.objects.create(
        by=actor_ref(actor),
        kind=kind,
        first=result.first,
        size=result.n_entries,
        head_hash=result.head_hash,
        root_hash=result.root_hash,
        n_heads=result.n_heads,
        anchored_size=result.anchored_size,
        marked_size=result.marked_size,
        is_intact=result.is_intact,
        bad_seq=result.bad_seq,
        words=result.reason or result.note,
        seconds=seconds,
    )


def turn() -> None:
    """One turn of the continuous check. What can be tried again later is no alarm."""
    try:
        check_new()
    except EcomsiteError as exc:
        log.warning("%s", exc)
