"""Copy that says what other copy says: MinHash signatures to find it among many, and a check that compares."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from moderation.policy.base import Check, Draft, Hit, Severity
from moderation.policy.words import words_of

# Runs of four words (English) or of five characters (Chinese): short enough to survive small edits, long enough that
# two texts about two things of one kind share few.
SHINGLE_WORDS: Final = 4
SHINGLE_CHARACTERS: Final = 5
# 16 bands of 4 values: two texts that share 80 % of their shingles meet in a band with a chance of 99.98 %, those that
# share 30 % with 12 % (1 - (1 - s⁴)¹⁶; Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4).
BANDS: Final = 16
ROWS: Final = 4
ALIKE: Final = 0.7
SAME: Final = 0.95
_PRIME: Final = (1 << 61) - 1
_MASK: Final = (1 << 32) - 1


def shingles(text: str) -> frozenset[int]:
    """Return the shingles of `text` as 32-bit hashes.

    The same text in other letters (full width, capitals) has the same.
    """
    words = words_of(text).words
    han = sum("\u3400" <= word[0] <= "\u9fff" for word in words)
    size = SHINGLE_CHARACTERS if 2 * han > len(words) else SHINGLE_WORDS
    grams = [" ".join(words[index : index + size]) for index in range(max(1, len(words) - size + 1))]
    return frozenset(int.from_bytes(hashlib.blake2s(gram.encode(), digest_size=4).digest(), "big") for gram in grams)


def bands(text: str) -> list[int]:
    """Return the bands of the MinHash signature of `text`, as numbers of 64 bits with sign; alike texts share one or
    more.

    Each band carries its own number, so equal values of two bands do not meet. An empty text has none.
    """
    found = shingles(text)
    if not words_of(text).words:
        return []
    minima = [min((a * shingle + b) % _PRIME & _MASK for shingle in found) for a, b in _COEFFICIENTS]
    made = []
    for band in range(BANDS):
        key = ",".join(str(value) for value in (band, *minima[band * ROWS : (band + 1) * ROWS]))
        made.append(int.from_bytes(hashlib.blake2s(key.encode(), digest_size=8).digest(), "big", signed=True))
    return made


def similarity(one: str, other: str) -> float:
    """Return the share of shingles that two texts have in common, of all they have (Jaccard), 0 to 1."""
    first, second = shingles(one), shingles(other)
    return len(first & second) / len(first | second)


class DuplicateCheck(Check):
    """Copy that repeats the copy of another product.

    `Draft.others` holds what may be alike; this compares word by word.
    """

    name = "near_duplicate"
    version = "1"

    def find(self, draft: Draft) -> list[Hit]:
        """Return a warning for the text of another product that is most like this one, if it is alike at all."""
        alike = [(similarity(draft.text, other.text), other) for other in draft.others]
        near = sorted((item for item in alike if item[0] >= ALIKE), key=lambda item: (-item[0], item[1].name))
        if not near:
            return []
        share, other = near[0]
        said = "the same as" if share >= SAME else f"{share:.0%} like"
        more = f" Further: {len(near) - 1}." if len(near) > 1 else ""
        message = f"This text is {said} the live copy of {other.name[:120]}.{more}"
        evidence = {"share": round(share, 3), "like": [item.ref for _, item in near[:5]]}
        return [Hit("near_duplicate", Severity.WARN, message, None, None, evidence)]


def _coefficients() -> Sequence[tuple[int, int]]:
    """Fixed pseudo-random numbers: a signature stored today must meet one made next year."""
    made = []
    for index in range(BANDS * ROWS):
        digest = hashlib.blake2s(f"minhash {index}".encode(), digest_size=16).digest()
        made.append((int.from_bytes(digest[:8], "big") % _PRIME | 1, int.from_bytes(digest[8:], "big") % _PRIME))
    return tuple(made)


_COEFFICIENTS: Final = _coefficients()
