"""Words for materials and colours in English and Chinese, and which of them imply which."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from core.exceptions import PermanentError
from moderation.policy.folding import Folded, fold
from moderation.policy.literals import LEXICONS, literals

# "leather-look", "silk-like", "cotton-free": says that it is not the thing.
_NEGATED_AFTER = re.compile(r"[- ]?(?:like|look|free|effect|style|inspired|imitation|感|纹|绒感)")
_NEGATED_BEFORE = re.compile(
    r"(?:\b(?:no|not|non|without|faux|imitation|free of|free from|instead of|unlike)[- ]|不含|无|非|仿|似|像|如)$"
)
# What the copy says the thing does not have.
_DENIED_BEFORE = re.compile(
    r"(?:\b(?:no|not(?! only| just)|without|free of|instead of|unlike)[- ]"
    r"(?:(?:located|situated|put|placed|go|suitable|safe|washed|it|them|for|in|into|on|at|the|a|an) +){0,6}"
    r"|n't (?:(?:located|situated|put|placed|go|suitable|safe|washed|it|them|for|in|into|on|at|the|a|an) +){1,6}"
    r"|不含|没有|并非|不是)$"
)


@dataclass(frozen=True)
class Mention:
    """A word of a lexicon at start:end of the original text. `name` is the canonical word."""

    name: str
    start: int
    end: int


@dataclass(frozen=True)
class Lexicon:
    """Canonical words with their spellings. `wider[x]` holds x and everything x also is (oak: oak, wood).

    `cued` is the expression for words that count only beside another one ("low" beside "price"), if there are such.
    """

    names: Mapping[str, str]
    wider: Mapping[str, frozenset[str]]
    materials: Mapping[str, frozenset[str]]
    groups: Sequence[frozenset[str]]
    pattern: re.Pattern[str]
    cued_names: Mapping[str, str] = field(default_factory=dict)
    cued: re.Pattern[str] | None = None
    skips_imitations: bool = True

    def mentions(self, text: str | Folded) -> Iterator[Mention]:
        """Yield each mention in order; the longest spelling wins (faux leather is no leather)."""
        folded = fold(text) if isinstance(text, str) else text
        found = [*self._spelled(folded.text), *self._beside_a_cue(folded.text)]
        reach = 0
        for start, end, name in sorted(found, key=lambda item: (item[0], -item[1])):
            if start >= reach:
                yield Mention(name, *folded.span(start, end))
                reach = end

    def _spelled(self, text: str) -> Iterator[tuple[int, int, str]]:
        for match in self.pattern.finditer(text):
            name = self.names.get(" ".join(match[0].split()))
            if name is None:
                continue
            around = text[max(0, match.start() - 28) : match.start()]
            if self.skips_imitations:
                if _NEGATED_AFTER.match(text, match.end()) or _NEGATED_BEFORE.search(around):
                    continue
            elif _DENIED_BEFORE.search(around):
                continue
            yield *match.span(), name

    def _beside_a_cue(self, text: str) -> Iterator[tuple[int, int, str]]:
        if self.cued is None:
            return
        for match in self.cued.finditer(text):
            group = "one" if match["one"] else "two"
            yield *match.span(group), self.cued_names[match[group]]

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
    path = LEXICONS / f"{name}.toml"
    document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    return build_lexicon(document["words"], groups=document.get("groups", {}), where=path.name)


def build_lexicon(
    words: Mapping[str, Mapping[str, Any]],
    *,
    where: str,
    groups: Mapping[str, Sequence[str]] | None = None,
    cue: Sequence[str] = (),
    skips_imitations: bool = True,
) -> Lexicon:
    """Return a lexicon of `words` (canonical word → its entry), with words of `cued` where there is a `cue`.

    With `skips_imitations` a "leather-look" is no leather, which is right for materials and wrong for patterns. Raises
    `PermanentError` naming `where` and the mistake.
    """
    names: dict[str, str] = {}
    innocent: set[str] = set()
    cued: dict[str, str] = {}
    for word, entry in words.items():
        for parent in entry.get("is", ()):
            if parent not in words:
                # A lexicon that names an unknown word would silently back nothing.
                raise PermanentError(f"{where}: {word} is said to be {parent}, which has no entry.")
        for spelling in (*entry.get("en", ()), *entry.get("zh", ())):
            names.setdefault(fold(spelling).text, word)
        innocent.update(fold(spelling).text for spelling in entry.get("not", ()))
        cued.update((fold(spelling).text, word) for spelling in entry.get("cued", ()))
    return Lexicon(
        names={spelling: word for spelling, word in names.items() if spelling not in innocent},
        wider={word: frozenset(_wider(word, words)) for word in words},
        materials={word: frozenset(entry.get("with_materials", ())) for word, entry in words.items()},
        groups=tuple(frozenset(members) for members in (groups or {}).values()),
        pattern=re.compile(literals({*names, *innocent})),
        cued_names=cued,
        cued=_cued_pattern(cued, cue) if cued else None,
        skips_imitations=skips_imitations,
    )


def _cued_pattern(cued: Mapping[str, str], cue: Sequence[str]) -> re.Pattern[str]:
    """“low customer rating”, “rated low”, “the price range is high”; not “a low table at this price”."""
    words = "|".join(re.escape(word) for word in sorted(cued, key=len, reverse=True))
    cues = "|".join(re.escape(word) for word in sorted(cue, key=len, reverse=True))
    between = r"(?:[ -](?!and|but|with|or|yet|at|for|in|is|are)[a-z]{1,12}){0,2}"
    link = (
        r"(?:[ :-]{1,2}(?:is|are|was|of|as|at|in|a|an|the|range|ranges|very|by|its|customers?|being|considered"
        r"|level|fairly|quite|rather|only|has|have|been|from|to|be)){0,5}"
    )
    return re.compile(
        rf"(?<![a-z0-9])(?:(?P<one>{words}){between}[ -](?:{cues})"
        rf"|(?:{cues}){link}[ :-]{{1,2}}(?P<two>{words}))(?![a-z0-9])"
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
