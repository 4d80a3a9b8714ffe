"""Turn a list of words into one regular expression that stays linear however long the list."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from moderation.policy.folding import fold

_HYPHEN: Final = re.compile(r"(?<=[a-z])[ -](?=[a-z])")
LEXICONS: Final = Path(__file__).parent / "lexicons"


def literals(terms: Iterable[str], *, loose: bool = False) -> str:
    """Return one expression that matches the longest of `terms` in folded text, linear however many there are.

    It is a prefix tree, so no character is tried once for each term. Terms of Latin letters match whole words only, and
    with a `*` at their end longer ones too (`reliev*`); Chinese has no word boundary to hold on to. With
    `loose`, a hyphen stands for a space and a space for a hyphen.
    """
    tree: dict[str, Any] = {}
    for term in terms:
        node = tree
        for char in _HYPHEN.sub("\0", fold(term).text) if loose else fold(term).text:
            node = node.setdefault(char, {})
        node[""] = {}
    return _expression(tree, boundary=True)


def _expression(tree: dict[str, Any], *, boundary: bool = False) -> str:
    branches = []
    for char in sorted(key for key in tree if key):
        before = r"(?<![a-z0-9])" if boundary and char.isascii() and char.isalnum() else ""
        ending = tree[char]
        after = r"(?![a-z0-9])" if char.isascii() and char.isalnum() and "" in ending else ""
        branches.append(before + _branch(char, ending, after))
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


def _branch(char: str, ending: dict[str, Any], after: str) -> str:
    if char == "*" and not any(ending):
        return r"[a-z]{0,8}(?![a-z0-9])"
    longer = {key: node for key, node in ending.items() if key}
    escaped = {" ": r"\s{1,3}", "\0": r"(?:\s{1,3}|-)"}.get(char, re.escape(char))
    if not longer:
        return escaped + after
    if "" not in ending:
        return escaped + _expression(longer)
    return f"{escaped}(?:{_expression(longer)}|{after})"
