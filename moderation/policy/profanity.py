"""Swearing and slurs, in English and Chinese, also where they are disguised; from a reviewed list."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from moderation.policy.base import Check, Draft, Hit, Severity
from moderation.policy.folding import Folded, fold
from moderation.policy.literals import LEXICONS, literals
from moderation.policy.words import words_of

_MESSAGES: Final = {"slurs": "An insult to people.", "vulgar": "Vulgar language."}
_SEVERITY: Final = {"slurs": Severity.BLOCK, "vulgar": Severity.WARN}
# A word with stars in it ("f**k"): at least two letters must be left to go by.
_STARRED: Final = re.compile(r"(?<![a-z*])[a-z]{1,10}\*{1,6}[a-z]{1,10}(?![a-z*])")
LEAST_STARRED: Final = 4
_OBJECT: Final = re.compile(r"\s(?:the|an?|your|its|each|every|it|them|some|both)\b")
# So far to each side is looked for the words of a trade.
AROUND: Final = 40


@dataclass(frozen=True)
class _Words:
    pattern: re.Pattern[str]
    words: frozenset[str]
    innocent: frozenset[str]
    verbs: frozenset[str]
    beside: Mapping[str, frozenset[str]]

    def spans(self, reading: Folded, title: str) -> Iterator[tuple[int, int]]:
        """Yield where one of them stands and means what it says; `title` is that of the product, folded."""
        text = reading.text
        for match in self.pattern.finditer(text):
            word = " ".join(match[0].split())
            if word in self.innocent or (word in self.words and reading.is_cut_out(*match.span())):
                continue
            if word in self.verbs and _OBJECT.match(text, match.end()):
                continue
            start, end = match.span()
            near = f"{text[max(0, start - AROUND) : start]} {text[end : end + AROUND]} {title}"
            if word not in self.beside or not self._is_of_the_trade(word, near):
                yield match.span()
        for match in _STARRED.finditer(text):
            if len(match[0]) >= LEAST_STARRED and any(_fits(match[0], word) for word in self.words):
                yield match.span()

    def _is_of_the_trade(self, word: str, near: str) -> bool:
        found = set(words_of(near).words)
        return any(one in found if one.isascii() else one in near for one in self.beside[word])


class ProfanityCheck(Check):
    """Slurs block, vulgar words are for a person to judge. The title and the facts do not excuse them."""

    name = "profanity"
    version = "2"

    def find(self, draft: Draft) -> list[Hit]:
        """Return every such word; the hit repeats no word, the span says where it is."""
        title = fold(draft.title).text
        hits = {}
        for kind in ("vulgar", "slurs"):
            for reading in draft.said.readings:
                for at in _load(kind).spans(reading, title):
                    span = reading.span(*at)
                    hits[span] = Hit(kind, _SEVERITY[kind], _MESSAGES[kind], *span)
        return [hits[span] for span in sorted(hits)]


def _fits(starred: str, word: str) -> bool:
    return len(word) == len(starred) and all(one in ("*", other) for one, other in zip(starred, word, strict=True))


@lru_cache
def _load(kind: str) -> _Words:
    entry = tomllib.loads((LEXICONS / "profanity.toml").read_text(encoding="utf-8"))[kind]
    words = frozenset(fold(word).text for word in (*entry["en"], *entry["zh"]))
    innocent = frozenset(fold(word).text for word in entry["not"])
    return _Words(
        pattern=re.compile("|".join((literals({*words, *innocent}), *entry["patterns"])), re.M),
        words=words,
        innocent=innocent,
        verbs=frozenset(entry["verbs"]),
        beside={fold(word).text: frozenset(others) for word, others in entry["beside"].items()},
    )
