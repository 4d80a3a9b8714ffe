"""Texts that are nearly copies of others, so that none is learnt from and tested on as well. Pure.

Two texts are copies when their letters and digits are the same, and nearly so when these share `ALIKE` of their runs of
six bytes. Candidates are found by MinHash (`training.minhash`) and then compared exactly.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from moderation.policy.folding import fold
from training.splits import first_drawn

# Six bytes are six Latin letters or two Chinese signs: two texts about different things share few such runs.
RUN: Final = 6
# Of ten words one may be another: six tenths of the runs are left then. By chance two reviews share one in a hundred.
ALIKE: Final = 0.5
# Runs a text needs to be called nearly a copy; of a shorter one, such as "very good quality", only the same letters
# are.
LEAST: Final = 24
# Products are not put together beyond this share of all rows, or this many: what is said of everything says nothing of
# them.
LARGEST: Final = 0.05
LARGEST_ROWS: Final = 20
RULE = f"products with near copies ({{alike:.0%}} of runs of {RUN} bytes) are one, of at most {LARGEST:.0%} of the rows"
GROUPING, CHECKING = 1, 2  # two lots of hashes: what one misses by chance the other finds

_SIGNS = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Pair:
    """A text that is learnt from and one that is tested on, by their places, and how alike they are, 0 to 1."""

    similarity: float
    learnt: int
    tested: int


@dataclass(frozen=True)
class Crossing:
    """`learnt`: places of the texts learnt from that are near copies of a tested one.

    `closest`: the closest pair found.
    """

    learnt: Sequence[int]
    closest: Pair | None


def letters(text: str) -> bytes:
    """Return the letters and digits of `text`, folded, as UTF-8: what case, spaces, signs and emoji do not change.

    A text without any, such as an emoji alone, is what it is but for spaces.
    """
    folded = fold(text).text
    return ("".join(_SIGNS.findall(folded)) or "".join(folded.split())).encode("utf-8", "surrogatepass")


def similarity(one: bytes, other: bytes) -> float:
    """Return the share of runs that two texts, as `letters`, have in common, of all they have (Jaccard), 0 to 1."""
    if one == other:
        return 1.0
    first, second = _runs(one), _runs(other)
    return len(first & second) / len(first | second)


def _runs(said: bytes) -> set[bytes]:
    return {said[start : start + RUN] for start in range(max(1, len(said) - RUN + 1))}


def is_telling(said: bytes) -> bool:
    """Return whether a text, as `letters`, says enough to be nearly a copy of another:
    "good good good good" does not.
    """
    seen = set[bytes]()
    for start in range(len(said) - RUN + 1):
        seen.add(said[start : start + RUN])
        if len(seen) >= LEAST:
            return True
    return False


def grouped(texts: Sequence[str], products: Sequence[str], *, alike: float = ALIKE) -> list[str]:
    """Return the group of each text: its product, put together with the products whose texts are near copies of its.

    A group is called after one of its products (`splits.first_drawn`). Texts too short to say much put nothing
    together, nor does what would make a group larger than LARGEST: near copies that are still apart are told by
    `crossing`.
    """
    from training.minhash import candidates

    names = sorted(set(products))
    place = {name: number for number, name in enumerate(names)}
    numbers, sizes = [place[product] for product in products], Counter(products)
    groups = _Groups([sizes[name] for name in names], most=max(LARGEST_ROWS, int(LARGEST * len(texts))))
    about: dict[bytes, set[int]] = defaultdict(set)
    for text, number in zip(texts, numbers, strict=True):
        if is_telling(said := letters(text)):
            about[said].add(number)
    distinct = sorted(about)
    for said in distinct:
        first, *others = sorted(about[said])
        for other in others:
            groups.join(first, other)
    for one, other in candidates(distinct, run=RUN, lot=GROUPING) if alike < 1 else ():
        mine, theirs = min(about[distinct[one]]), min(about[distinct[other]])
        if not groups.are_one(mine, theirs) and similarity(distinct[one], distinct[other]) >= alike:
            groups.join(mine, theirs)
    members: dict[int, list[str]] = defaultdict(list)
    for number, name in enumerate(names):
        members[groups.of(number)].append(name)
    called = {group: first_drawn(found) for group, found in members.items()}
    return [called[groups.of(number)] for number in numbers]


def crossing(learnt: Sequence[str], tested: Sequence[str], *, alike: float = ALIKE) -> Crossing:
    """Return which of the texts `learnt` are near copies of one of `tested`, and the closest pair of the two.

    The closest pair is the closest that was met: below ALIKE there may be a closer one.
    """
    from training.minhash import candidates

    here, there = _places(learnt), _places(tested)
    same = sorted((here[said][0], there[said][0], said) for said in here.keys() & there.keys())
    found = {place for _, _, said in same for place in here[said]}
    best = Pair(1.0, *same[0][:2]) if same else None
    distinct = sorted(said for said in here.keys() | there.keys() if is_telling(said))
    for pair in candidates(distinct, run=RUN, lot=CHECKING, against=[said in there for said in distinct]):
        one, other = (distinct[number] for number in pair)
        for mine, theirs in ((one, other), (other, one)):
            if mine in here and theirs in there:
                share = similarity(mine, theirs)
                if share >= alike:
                    found.update(here[mine])
                if best is None or share > best.similarity:
                    best = Pair(share, here[mine][0], there[theirs][0])
    return Crossing(sorted(found), best)


def _places(texts: Sequence[str]) -> dict[bytes, list[int]]:
    found: dict[bytes, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        if said := letters(text):
            found[said].append(place)
    return found


class _Groups:
    """Disjoint sets of products (Tarjan 1975), none of more than `most` rows."""

    def __init__(self, sizes: list[int], *, most: int) -> None:
        self.sizes, self.most, self.above = sizes, most, list(range(len(sizes)))

    def of(self, product: int) -> int:
        while self.above[product] != product:
            self.above[product] = product = self.above[self.above[product]]
        return product

    def are_one(self, one: int, other: int) -> bool:
        return self.of(one) == self.of(other)

    def join(self, one: int, other: int) -> None:
        one, other = sorted((self.of(one), self.of(other)), key=lambda group: (-self.sizes[group], group))
        if one != other and self.sizes[one] + self.sizes[other] <= self.most:
            self.above[other] = one
            self.sizes[one] += self.sizes[other]
