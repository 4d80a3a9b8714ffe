"""What a person changed in a text, word by word."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

WORDS = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[^\W_]+(?:['’.,-][^\W_]+)*|\s+|.", re.DOTALL)
MAX_DIFF_WORDS = 6000


@dataclass(frozen=True)
class Change:
    """A run of words that a person kept, took out or put in: `same`, `out`, `in`."""

    kind: str
    text: str


def diff(before: str, after: str) -> list[Change]:
    """Return what a person changed, word by word (Chinese sign by sign)."""
    old, new = WORDS.findall(before), WORDS.findall(after)
    if max(len(old), len(new)) > MAX_DIFF_WORDS:
        return [Change("out", before), Change("in", after)]
    changes = []
    for kind, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            changes.append(Change("same", "".join(old[i1:i2])))
            continue
        if i1 < i2:
            changes.append(Change("out", "".join(old[i1:i2])))
        if j1 < j2:
            changes.append(Change("in", "".join(new[j1:j2])))
    return changes
