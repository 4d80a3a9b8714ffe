"""Words for materials and colours in English and Chinese, and which of them imply which."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from core.exceptions import PermanentError
from moderation.policy.folding import Folded, fold
from moderation.policy.literals import literals

FOLDER: Final = Path(__file__).parent / "lexicons"
# "leather-look", "silk-like", "cotton-free": says that it is not the thing.
_NEGATED_AFTER = re.compile(r"[- ]?(?:like|look|free|effect|style|inspired|imitation|感|纹|绒感)")
_NEGATED_BEFORE = re.compile(
    r"(?:\b(?:no|not|non|without|faux|imitation|free of|free from|instead of|unlike)[- ]|不含|无|非|仿|似|像|如)$"
)


@dataclass(frozen=True)
class Mention:
    """A word of a lexicon at start:end of the original text. `name` is the canonical word."""

    name: str
    start: int
    end: int


@dataclass(frozen=True)
class Lexicon:
    """Canonical words with their spellings. `wider[x]` holds x and everything x also is (oak: oak, wood)."""

    names: Mapping[str, str]
    wider: Mapping[str, frozenset[str]]
    materials: Mapping[str, frozenset[str]]
    groups: Sequence[frozenset[str]]
    pattern: re.Pattern[str]

    def mentions(self, text: str | Folded) -> Iterator[Mention]:
        """Yield each mention in order; the longest spelling wins (faux leather is no leather)."""
        folded = fold(text) if isinstance(text, str) else text
        for match in self.pattern.finditer(folded.text):
            name = self.names.get(" ".join(match[0].split()))
            if name is None:
                continue
            around = folded.text[max(0, match.start() - 14) : match.start()]
            if _NEGATED_AFTER.match(folded.text, match.end()) or _NEGATED_BEFORE.search(around):
                continue
            yield Mention(name, *folded.span(*match.span()))

    def backs(self, known: str, claimed: str) -> bool:
        """Return whether something known to be `known` may be called `claimed` (oak may be called wood)."""
        return claimed in self.wider.get(known, ())

    def are_related(self, one: str, other: str) -> bool:
        """Return whether one is a kind of the other."""
        return self.backs(one, other) or self.backs(other, one)

    def are_rivals(self, one: str, other: str) -> bool:
        """Return whether a thing made of one cannot be made of the other: the same group, and neither a kind of it."""
        if self.are_related(one, other):
            return False
        return any(group & self.wider[one] and group & self.wider[other] for group in self.groups)


@lru_cache
def load_lexicon(name: str) -> Lexicon:
    """Return the lexicon `lexicons/<name>.toml`. Raises `PermanentError` naming the mistake."""
    path = FOLDER / f"{name}.toml"
    document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    words: dict[str, dict[str, Any]] = document["words"]
    names: dict[str, str] = {}
    innocent: set[str] = set()
    for word, entry in words.items():
        for parent in entry.get("is", ()):
            if parent not in words:
                # A lexicon that names an unknown word would silently back nothing.
                raise PermanentError(f"{path.name}: {word} is said to be {parent}, which has no entry.")
        for spelling in (*entry.get("en", ()), *entry.get("zh", ())):
            names.setdefault(fold(spelling).text, word)
        innocent.update(fold(spelling).text for spelling in entry.get("not", ()))
    return Lexicon(
        names={spelling: word for spelling, word in names.items() if spelling not in innocent},
        wider={word: frozenset(_wider(word, words)) for word in words},
        materials={word: frozenset(entry.get("with_materials", ())) for word, entry in words.items()},
        groups=tuple(frozenset(members) for members in document.get("groups", {}).values()),
        pattern=re.compile(literals({*names, *innocent})),
    )


def _wider(word: str, words: Mapping[str, Mapping[str, Any]]) -> set[str]:
    found: set[str] = set()
    open_words = [word]
    while open_words:
        current = open_words.pop()
        if current not in found:
            found.add(current)
            open_words.extend(words[current].get("is", ()))
    return found
