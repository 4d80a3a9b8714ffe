"""The tree against the definition of RFC 9162, written out again, and its proofs against every false claim nearby."""

from __future__ import annotations

import hashlib

import pytest

from audit import merkle

LEAVES = [hashlib.sha256(str(i).encode()).digest() for i in range(70)]


def defined(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, as it stands there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + defined(leaves[:k]) + defined(leaves[k:])).digest()


def range_root(start: int, end: int) -> bytes:
    return defined(LEAVES[start:end])


def test_roots_are_those_of_certificate_transparency() -> None:
    # The well-known test vector of Certificate Transparency's reference implementation (RFC 6962 has the same tree).
    vector = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        bytes(range(0x50, 0x58)),
        bytes(range(0x60, 0x70)),
    ]
    assert merkle.root_of(vector).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@pytest.mark.parametrize("step", [1, 2, 3, 7, 16, 70])
def test_a_frontier_that_grows_by_pieces_has_the_root_of_the_whole(step: int) -> None:
    tree = merkle.Frontier()
    for start in range(0, len(LEAVES), step):
        tree.extend(LEAVES[start : start + step])
        tree = merkle.Frontier(tree.size, tree.nodes)  # as it is taken up from a table
        assert tree.root() == defined(LEAVES[: start + step])


def test_a_frontier_refuses_nodes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="full subtrees"):
        merkle.Frontier(5, [b"x"])


def test_a_line_is_proved_to_be_in_every_tree_that_has_it_and_in_no_other_place() -> None:
    for size in range(1, 40):
        root = defined(LEAVES[:size])
        for index in range(size):
            path = merkle.inclusion_path(index, size, range_root)
            assert merkle.is_included(LEAVES[index], index=index, size=size, root=root, path=path)
            assert not merkle.is_included(LEAVES[index + 1], index=index, size=size, root=root, path=path)
            assert not merkle.is_included(LEAVES[index], index=index, size=size, root=root, path=[*path, root])
            if size > 1:
                wrong = (index + 1) % size
                assert not merkle.is_included(LEAVES[index], index=wrong, size=size, root=root, path=path)
                assert not merkle.is_included(LEAVES[index], index=index, size=size, root=root, path=path[:-1])


def test_a_tree_is_proved_to_go_on_from_every_earlier_one_and_from_nothing_else() -> None:
    for new in range(1, 40):
        for old in range(1, new + 1):
            path = merkle.consistency_path(old, new, range_root)
            roots = defined(LEAVES[:old]), defined(LEAVES[:new])
            assert merkle.is_consistent(old, roots[0], new, roots[1], path)
            assert not merkle.is_consistent(old, LEAVES[0], new, roots[1], path)
            assert not merkle.is_consistent(old, roots[0], new, LEAVES[0], path)
            if path:
                assert not merkle.is_consistent(old, roots[0], new, roots[1], path[:-1])


def test_proofs_of_what_is_not_there_are_refused() -> None:
    with pytest.raises(ValueError, match="not in a tree"):
        merkle.inclusion_path(5, 5, range_root)
    with pytest.raises(ValueError, match="does not go on"):
        merkle.consistency_path(6, 5, range_root)
