"""Fold a text so that 'ＢＥＳＴ', 'b\u200best' and a Cyrillic 'bеst' read 'best', and map spans back."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from moderation.policy.segmenting import word_borders

# Letters of other scripts that are drawn like Latin ones (Unicode TR 39 confusables, the part seen in evasions).
_LOOKALIKES = dict(
    zip(
        "аеорсухіјѕԁһкмнтвԛԝɡαοινρτυχκ",
        "aeopcyxijsdhkmhtbqwgaoivptuxk",
        strict=True,
    )
)
_LOOKALIKES |= dict.fromkeys("‘’ʼ′＇", "'") | dict.fromkeys("“”″＂", '"') | dict.fromkeys("‐‑‒–—−", "-")
# NFKD would turn "10½" into "101⁄2"; the number reader knows these signs itself.
_KEPT = frozenset("½⅓⅔¼¾⅛⅜⅝⅞⅕⅖⅗⅘⅙⅚")


@dataclass(frozen=True)
class Folded:
    """A folded text. `origins[i]` is the index in the original of folded character i; None = same as the original."""

    text: str
    original_length: int
    origins: Sequence[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original that the folded span start:end came from."""
        if self.origins is None:
            return start, end
        if start >= end:
            at = self.origins[start] if start < len(self.origins) else self.original_length
            return at, at
        return self.origins[start], self.origins[end - 1] + 1

    @cached_property
    def borders(self) -> Sequence[int]:
        """Return where words of Chinese begin and end, in order."""
        return word_borders(self.text)

    def is_cut_out(self, start: int, end: int) -> bool:
        """Say whether start:end is cut out of Chinese words that mean something else: 处方 out of 此处 and 方便.

        It is if all that it has of one of them is a single character. What lies inside of one longer word is no cut.
        """
        borders = self.borders
        first, last = bisect_left(borders, start), bisect_left(borders, end)
        if first == last or borders[first] >= end:
            return False
        return borders[first] - start == 1 or (borders[last] != end and end - borders[last - 1] == 1)


def fold(text: str) -> Folded:
    """Return `text` in lower case, half width, without accents, invisible characters and look-alike letters."""
    if text.isascii():
        return Folded(text.lower(), len(text), None)
    memory: dict[str, str] = {}
    pieces: list[str] = []
    for char in text:
        piece = memory.get(char)
        if piece is None:
            piece = memory[char] = _fold_char(char)
        pieces.append(piece)
    folded = "".join(pieces)
    if len(folded) == len(text) and all(len(piece) == 1 for piece in memory.values()):
        return Folded(folded, len(text), None)
    origins = [index for index, piece in enumerate(pieces) for _ in piece]
    return Folded(folded, len(text), origins)


def _fold_char(char: str) -> str:
    if char in _KEPT:
        return char
    plain = []
    for part in unicodedata.normalize("NFKD", char).casefold():
        category = unicodedata.category(part)
        # Mn: accents and other marks that sit on a letter; Cf: zero-width joiners, soft hyphens, bidi controls.
        if category not in ("Mn", "Cf"):
            plain.append(_LOOKALIKES.get(part, part))
    return "".join(plain)
