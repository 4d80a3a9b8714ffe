"""The Merkle tree over the ledger (RFC 9162): roots, a frontier that grows by new lines alone, and proofs.

Pure: no tables. A leaf is `entry_hash` as 32 bytes. Whoever holds the signed root of a tree can be shown with a handful
of hashes that a line is in it, or that a later tree only added to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()
_sha256 = hashlib.sha256

# Returns the root of the tree over the leaves `start` to `end` (0-based, end excluded).
RangeRoot = Callable[[int, int], bytes]


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf (RFC 9162, 2.1.1: SHA-256 of 0x00 and the leaf)."""
    return _sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node (RFC 9162, 2.1.1: SHA-256 of 0x01 and both children)."""
    return _sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the full subtrees of a tree, of which its own root and every larger tree follow.

    One hash for each bit that is set in the size: for a million lines 20 at most.
    """

    def __init__(self, size: int = 0, nodes: Sequence[bytes] = ()) -> None:
        """Take up a frontier where it was left: `nodes` from the smallest subtree to the largest.

        Raises `ValueError` when their number does not fit `size`.
        """
        levels = [level for level in range(size.bit_length()) if size >> level & 1]
        if len(levels) != len(nodes):
            raise ValueError(f"a tree of {size} leaves has {len(levels)} full subtrees, not {len(nodes)}")
        self.size = size
        self._nodes = dict(zip(levels, nodes, strict=True))

    @property
    def nodes(self) -> list[bytes]:
        """The roots of the full subtrees, the smallest first."""
        return [self._nodes[level] for level in sorted(self._nodes)]

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaves at the end: about two hashes each."""
        layer = [_sha256(b"\x00" + leaf).digest() for leaf in leaves]
        n_new, level = len(layer), 0
        while layer:
            if self.size >> level & 1:
                layer.insert(0, self._nodes.pop(level))
            if len(layer) & 1:
                self._nodes[level] = layer.pop()
            pairs = iter(layer)
            layer = [_sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
            level += 1
        self.size += n_new

    def root(self) -> bytes:
        """Return the root of the tree (RFC 9162, 2.1.1)."""
        root = b""
        for node in self.nodes:
            root = node_hash(node, root) if root else node
        return root or EMPTY_ROOT


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root of the tree over `leaves`."""
    tree = Frontier()
    tree.extend(leaves)
    return tree.root()


def _split(size: int) -> int:
    """The largest power of two below `size`: where the tree parts."""
    return int(1 << (size - 1).bit_length() - 1)


def inclusion_path(index: int, size: int, range_root: RangeRoot) -> list[bytes]:
    """Return the proof that leaf `index` (0-based) is in the tree of `size` leaves (RFC 9162, 2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_root(middle, end))
            end = middle
        else:
            path.append(range_root(start, middle))
            start = middle
    return path[::-1]


def consistency_path(old: int, new: int, range_root: RangeRoot) -> list[bytes]:
    """Return the proof that the tree of `new` leaves begins with the one of `old` (RFC 9162, 2.1.4.1)."""
    if not 0 < old <= new:
        raise ValueError(f"a tree of {new} leaves does not go on from one of {old}")
    path, start, end, is_whole = [], 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(range_root(middle, end))
            end = middle
        else:
            path.append(range_root(start, middle))
            start, is_whole = middle, False
    if not is_whole:
        path.append(range_root(start, end))
    return path[::-1]


def is_included(leaf: bytes, *, index: int, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` proves that `leaf` is number `index` (0-based) in the tree of that root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, found = index, size - 1, leaf_hash(leaf)
    for sibling in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            found = node_hash(sibling, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and found == root


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` proves that the tree `new_root` only added to the tree `old_root` (RFC 9162, 2.1.4.2)."""
    if old == new:
        return not path and old_root == new_root
    if not 0 < old < new or not path:
        return False
    if old & (old - 1) == 0:
        path = [old_root, *path]
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    first = second = path[0]
    for node in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            first, second = node_hash(node, first), node_hash(node, second)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, node)
        position, last = position >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root
