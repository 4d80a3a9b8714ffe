"""Which keys a file had so far: a million of them in 50 MB, where a dictionary of strings takes 160."""

from __future__ import annotations

import secrets
from array import array
from hashlib import blake2b
from typing import Final

SMALLEST: Final = 1 << 12
FULL: Final = 0.6
SIGNS: Final = (1 << 64) - 1


class SeenKeys:
    """Keys with the line and the content where each stood first: an open hash table of numbers (Knuth, TAOCP 3, 6.4,
    L).

    A key is kept as 64 bits of a hash under a secret of this process: of a million keys two are taken for one in one of
    37 million files, and nobody can write a file in which they are.
    """

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(16)
        self._n = 0
        self._make(SMALLEST)

    def _make(self, size: int) -> None:
        self._mask = size - 1
        self._keys, self._lines, self._contents = (array("Q", bytes(8 * size)) for _ in range(3))

    def first(self, key: str, line: int, content: int) -> tuple[int, bool] | None:
        """Return the line where `key` stood first, and whether with the same content (any number); None:
        this is the first.
        """
        digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8, key=self._secret).digest()
        number, content = int.from_bytes(digest) or 1, content & SIGNS  # 0: a place is free
        place = self._place(number)
        if self._keys[place]:
            return self._lines[place], self._contents[place] == content
        self._keys[place], self._lines[place], self._contents[place] = number, line, content
        self._n += 1
        if self._n > FULL * (self._mask + 1):
            self._grow()
        return None

    def _place(self, number: int) -> int:
        keys, mask = self._keys, self._mask
        place = number & mask
        while keys[place] and keys[place] != number:
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        keys, lines, contents = self._keys, self._lines, self._contents
        self._make(2 * len(keys))
        for old, number in enumerate(keys):
            if number:
                place = self._place(number)
                self._keys[place], self._lines[place], self._contents[place] = number, lines[old], contents[old]
