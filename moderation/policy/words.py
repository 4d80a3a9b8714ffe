"""Split a text into words with their spans: Latin words whole, Chinese characters one by one, all folded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from moderation.policy.folding import Folded, fold

# An apostrophe inside a word belongs to it. Han characters (and kana) stand alone: Chinese writes no spaces.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]"
    r"|(?:(?![\u3040-\u30ff\u3400-\u9fff])[^\W_])+(?:['’](?:(?![\u3040-\u30ff\u3400-\u9fff])[^\W_])+)*"
)


@dataclass(frozen=True)
class Words:
    """The words of a text, folded, and the span of each in the original."""

    words: Sequence[str]
    spans: Sequence[tuple[int, int]]

    @cached_property
    def joined(self) -> str:
        """Return the words with one space between them."""
        return " ".join(self.words)


def words_of(text: str) -> Words:
    """Return the words of `text` in order."""
    return words_in(fold(text))


def words_in(folded: Folded) -> Words:
    """Return the words of a folded text in order."""
    words: list[str] = []
    spans: list[tuple[int, int]] = []
    for match in _WORD.finditer(folded.text):
        words.append(match[0])
        spans.append(folded.span(*match.span()))
    return Words(words, spans)
