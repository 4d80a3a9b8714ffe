"""Recompute the chain, compare it with the signed heads and the second place, and say where, if anywhere, it breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from audit import anchors, heads, high_water, keys, timestamps
from audit.ledger import GENESIS_HASH
from audit.merkle import Frontier
from audit.reading import Line, lines_after
from audit.signing import LEAF_PREFIX, Head, Keyring

Progress = Callable[[int], None]
HEX = 2 * LEAF_PREFIX


@dataclass(frozen=True)
class Verification:
    """Outcome: the lines that hold, and the first bad one with the reason (empty when all is well).

    `bad_seq` is None when no line is at fault but a head, a key or the second place is.
    """

    n_entries: int
    head_hash: str
    bad_seq: int | None = None
    reason: str = ""
    root_hash: str = ""
    first: int = 1
    n_heads: int = 0
    anchored_size: int = 0
    marked_size: int = 0
    note: str = ""

    @property
    def is_intact(self) -> bool:
        return not self.reason


@dataclass
class Walk:
    """One way through the lines in order, from a state that is known to be good. `heads` are signed, by rising size."""

    n: int = 0
    last_hash: str = GENESIS_HASH
    tree: Frontier = field(default_factory=Frontier)
    heads: Sequence[Head] = ()
    bad_seq: int | None = None
    reason: str = ""
    leaves: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self._next = 0
        self._agreed = self.n  # lines up to here gave a signed root
        self._recorded: tuple[int, str] = (0, "")  # first leaf, and what heads say about it and those after it

    def take(self, lines: Sequence[Line]) -> bool:
        """Go on over `lines`; False when one of them is bad."""
        while lines and not self.reason:
            head = self.heads[self._next] if self._next < len(self.heads) else None
            room = len(lines)
            if head:  # a step ends where a record begins: heads before it may be missing
                room = (head.first if self.n < head.first else head.size) - self.n
            self._step(lines[:room], head)
            lines = lines[room:]
        return not self.reason

    def _step(self, lines: Sequence[Line], head: Head | None) -> None:
        """Check lines that all belong to `head`, or to none yet; at its end, that they give its root."""
        start, recorded = self._recorded_by(head)
        good, before = 0, self.last_hash
        for n, (seq, prev_hash, stored, recomputed) in enumerate(lines, start=self.n + 1):
            if seq != n:
                self._fail(*_misnumbered(seq, n))
                break
            place = HEX * (n - 1 - start)
            if recorded and stored[:HEX] != recorded[place : place + HEX]:
                self._fail(*self._other_than_signed(n, head))
                break
            if prev_hash != before:
                self._fail(n, "it does not follow from the line before")
                break
            if recomputed != stored:
                self._fail(n, "its content does not match its hash")
                break
            before = stored
            good += 1
        hashes = bytes.fromhex("".join([stored for _, _, stored, _ in lines[:good]]))
        leaves = [hashes[place : place + 32] for place in range(0, len(hashes), 32)]
        self.tree.extend(leaves)
        self.leaves += b"".join(leaf[:LEAF_PREFIX] for leaf in leaves)
        self.n, self.last_hash = self.n + good, before
        if head and not self.reason and self.n == head.size:
            self._next += 1
            if self.tree.root().hex() != head.root or before != head.entry:
                words = f"the lines from here to {head.size} do not give the signed root{_when(head)}"
                self._fail(self._agreed + 1, words)
            self._agreed = self.n

    def _other_than_signed(self, n: int, head: Head | None) -> tuple[int, str]:
        """Name line `n`; where it is the first of a record and heads before that are missing,
        the first they vouched for.
        """
        if head and n == head.first + 1 and self._agreed < head.first:
            return self._agreed + 1, f"the lines from here to {n} are not those that were signed for{_when(head)}"
        return n, f"it is not the line that was signed for{_when(head)}"

    def _recorded_by(self, head: Head | None) -> tuple[int, str]:
        """Where the record of `head` starts (0-based), and the first hex digits of each hash; only what it covers."""
        if head is None or self.n < head.first:
            return 0, ""
        if self._recorded[0] != head.first or not self._recorded[1]:
            self._recorded = head.first, head.leaves.hex()
        return self._recorded

    def finish(self) -> None:
        """Nothing follows: whatever a head vouches for beyond this was cut off."""
        if not self.reason and self._next < len(self.heads):
            last = self.heads[-1]
            self._fail(self.n + 1, f"it is missing, as all up to {last.size} that were signed for{_when(last)}")

    def _fail(self, seq: int, reason: str) -> None:
        self.bad_seq, self.reason = seq, reason


def _when(head: Head | None) -> str:
    return f" at {head.at[:19].replace('T', ' ')} UTC" if head else ""


def _misnumbered(seq: int, expected: int) -> tuple[int, str]:
    if seq < expected:
        return seq, "it should not be there: numbers start at 1 and rise by 1"
    return expected, f"line {expected} is missing; the next one is {seq}"


def agreed_heads(stored: Iterable[Head], anchored: Iterable[Head], ring: Keyring) -> tuple[list[Head], str]:
    """Return the heads whose signature counts, of both places and by rising size, and the first trouble with any.

    Two signed heads about as many lines that differ are a trouble; so is one of the second place that is not stored.
    """
    here, there = {head.size: head for head in stored}, {head.size: head for head in anchored}
    good, troubles, before, vouched = [], [], 0, max(there, default=0)
    for size in sorted(here.keys() | there.keys()):
        ours, kept = here.get(size), there.get(size)
        problems = {head: ring.problem_with(head) for head in {ours, kept} if head}
        sound = [head for head, problem in problems.items() if not problem]
        troubles += [problem for problem in problems.values() if problem]
        if kept is None and size < vouched:
            troubles.append(f"the second place lacks the head of {size:,} lines, and has later ones")
            sound = []
        if ours is None:
            troubles.append(f"the head of {size:,} lines stands in the second place and not in the database")
        if len(sound) == 2:
            troubles.append(f"two heads about the first {size:,} lines are signed, and they differ")
        if ours in sound and ours is not None:
            if ours.first != before:
                troubles.append(f"a signed head between {before:,} and {size:,} lines is missing")
            before = size
        # In doubt the second place is believed: who changes the database need not reach it.
        good += [head for head in ([kept] if kept in sound else [ours] if ours in sound else []) if head]
    return good, troubles[0] if troubles else ""


def with_mark(signed: Sequence[Head], mark: Sequence[Head], ring: Keyring) -> tuple[list[Head], str]:
    """Return the heads of both places and of the high-water mark, by rising size,
    and the first trouble with the latter.
    """
    found, troubles = {head.size: head for head in signed}, []
    for head in mark:
        if (same := found.get(head.size)) == head:
            continue
        if problem := ring.problem_with(head):
            troubles.append(f"in the high-water mark {problem}")
        elif same is not None:
            troubles.append(f"two heads about the first {head.size:,} lines are signed, and they differ")
        else:
            troubles.append(f"the head of {head.size:,} lines stands in the high-water mark and in neither place")
            found[head.size] = head
    return [found[size] for size in sorted(found)], troubles[0] if troubles else ""


def verify(*, expected_head: str = "", on_progress: Progress | None = None) -> Verification:
    """Stream the whole ledger in order; check numbering without gaps, the chain, each line's hash, and every signed
    head.

    The heads are those of the database, of the second place and the high-water mark. The mark is read first, then the
    second place: what they hold then must be in the database. `expected_head` is a hash kept elsewhere that must be the
    hash of some line.
    """
    known = high_water.known()
    second = anchors.read()
    ring, note = keys.keyring(second.keys)
    stored = heads.stored()
    signed, trouble = agreed_heads(stored, second.heads, ring)
    anchored_size = max((head.size for head in second.heads), default=0)
    signed, problem = with_mark(signed, known.mark.heads, ring)
    trouble = trouble or keys.trouble(second.keys) or known.problem
    trouble = trouble or heads.place_problem(anchored_size, known.anchored_size) or problem
    walk, head_seen = Walk(heads=signed), not expected_head
    for lines in lines_after(-(1 << 62)):
        if not walk.take(lines):
            break
        head_seen = head_seen or any(stored == expected_head for _, _, stored, _ in lines)
        if on_progress:
            on_progress(walk.n)
    walk.finish()
    reason, bad_seq = walk.reason, walk.bad_seq
    if not reason and not head_seen:
        bad_seq, reason = walk.n + 1, "the expected head hash is not in the chain: it was cut or rewritten"
    return Verification(
        n_entries=walk.n if bad_seq is None else max(0, min(walk.n, bad_seq - 1)),
        head_hash=walk.last_hash,
        bad_seq=bad_seq,
        reason=reason or second.problem or trouble or timestamps.problem(stored),
        root_hash=walk.tree.root().hex(),
        n_heads=len(signed),
        note=note,
        anchored_size=anchored_size,
        marked_size=known.mark.size,
    )
