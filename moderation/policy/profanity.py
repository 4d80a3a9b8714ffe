"""Swearing and slurs, in English and Chinese, also with letters swapped for signs; from a reviewed list."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from moderation.policy.base import Check, Draft, Hit, Severity
from moderation.policy.folding import fold
from moderation.policy.lexicons import FOLDER
from moderation.policy.literals import literals

_MESSAGES: Final = {"slurs": "An insult to people.", "vulgar": "Vulgar language."}
_SEVERITY: Final = {"slurs": Severity.BLOCK, "vulgar": Severity.WARN}
# Signs that stand for letters ("sh1t", "a$$hole"); each is one character, so spans stay.
_SIGNS: Final = str.maketrans({"@": "a", "$": "s", "0": "o", "1": "i", "3": "e", "!": "i", "5": "s"})
# A word with stars in it ("f**k"): at least two letters must be left to go by.
_STARRED: Final = re.compile(r"(?<![a-z*])[a-z]{1,10}\*{1,6}[a-z]{1,10}(?![a-z*])")
LEAST_STARRED: Final = 4


@dataclass(frozen=True)
class _Words:
    pattern: re.Pattern[str]
    words: frozenset[str]
    innocent: frozenset[str]


class ProfanityCheck(Check):
    """Slurs block, vulgar words are for a person to judge. The title and the facts do not excuse them."""

    name = "profanity"
    version = "1"

    def find(self, draft: Draft) -> list[Hit]:
        """Return every such word; the hit repeats no word, the span says where it is."""
        folded = fold(draft.text)
        hits = {
            span: Hit(kind, _SEVERITY[kind], _MESSAGES[kind], *folded.span(*span))
            for kind in ("vulgar", "slurs")
            for span in _spans(folded.text, _load(kind))
        }
        return [hits[span] for span in sorted(hits)]


def _spans(text: str, words: _Words) -> Iterator[tuple[int, int]]:
    plain = text.translate(_SIGNS)
    for reading in {text, plain}:
        for match in words.pattern.finditer(reading):
            if " ".join(match[0].split()) not in words.innocent:
                yield match.span()
    for match in _STARRED.finditer(text):
        if len(match[0]) >= LEAST_STARRED and any(_fits(match[0], word) for word in words.words):
            yield match.span()


def _fits(starred: str, word: str) -> bool:
    return len(word) == len(starred) and all(one in ("*", other) for one, other in zip(starred, word, strict=True))


@lru_cache
def _load(kind: str) -> _Words:
    entry = tomllib.loads((FOLDER / "profanity.toml").read_text(encoding="utf-8"))[kind]
    words = frozenset(fold(word).text for word in (*entry["en"], *entry["zh"]))
    innocent = frozenset(fold(word).text for word in entry["not"])
    return _Words(re.compile(literals({*words, *innocent})), words, innocent)
