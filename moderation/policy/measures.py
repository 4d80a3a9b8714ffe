"""What a quantity can be of (width, weight, battery life): its words, the names of its facts, its dimensions."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from core.exceptions import PermanentError
from moderation.policy.folding import fold
from moderation.policy.literals import LEXICONS, literals


@dataclass(frozen=True)
class Measure:
    """What a quantity is of. `dimensions` are those it is measured in; `is_loose`: its words mean other things too.

    `kin` are measures whose value may stand for it where no fact states it; `is_generic`: it says no more than size.
    """

    name: str
    dimensions: frozenset[str]
    kin: frozenset[str]
    is_loose: bool = False
    is_generic: bool = False

    def admits(self, dimension: str) -> bool:
        """Return whether the words of the measure may speak of a value of `dimension` ("" = a bare number)."""
        return not dimension or not self.is_loose or dimension in self.dimensions

    def excludes(self, dimension: str) -> bool:
        """Return whether a value of `dimension` ("" = a bare number) is an error: nothing weighs metres."""
        return bool(dimension) and not self.is_loose and dimension not in self.dimensions


@dataclass(frozen=True)
class Measures:
    """All measures with the expressions that find their words in folded text."""

    by_name: Mapping[str, Measure]
    before: Mapping[str, str]
    after: Mapping[str, str]
    nouns: Mapping[str, str]
    words: re.Pattern[str]
    after_words: re.Pattern[str]
    noun_words: re.Pattern[str]
    parts: Mapping[str, str]
    part_words: re.Pattern[str]


@dataclass(frozen=True)
class Stated:
    """What the name of a fact says its value is of: a measure, if it names one, and a part ("cable"), if any."""

    measure: Measure | None
    part: str


@lru_cache
def load_measures() -> Measures:
    """Return the measures of `lexicons/measures.toml`. Raises `PermanentError` naming the mistake."""
    document: dict[str, Any] = tomllib.loads((LEXICONS / "measures.toml").read_text(encoding="utf-8"))
    entries: dict[str, dict[str, Any]] = document["measures"]
    for name, entry in entries.items():
        if unknown := set(entry.get("kin", ())) - entries.keys():
            raise PermanentError(f"measures.toml: {name} has the kin {', '.join(sorted(unknown))}, which has no entry.")
    nouns = _spellings(entries, "nouns")
    before, after = nouns | _spellings(entries, "before"), nouns | _spellings(entries, "after")
    parts = {fold(word).text: part for part, words in document["parts"].items() for word in words}
    return Measures(
        by_name={
            name: Measure(
                name,
                frozenset(entry["dimensions"]),
                frozenset(entry.get("kin", ())),
                entry.get("loose", False),
                entry.get("generic", False),
            )
            for name, entry in entries.items()
        },
        before=before,
        after=after,
        nouns=nouns,
        words=re.compile(literals(before)),
        after_words=re.compile(literals(after)),
        noun_words=re.compile(literals(nouns)),
        parts=parts,
        part_words=re.compile(literals(parts)),
    )


def _spellings(entries: Mapping[str, Mapping[str, Any]], key: str) -> dict[str, str]:
    return {fold(word).text: name for name, entry in entries.items() for word in entry.get(key, ())}


_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|[_-]")


@lru_cache(maxsize=4000)
def stated_by(fact_name: str) -> Stated:
    """Return what the name of a fact says its value is of: "Cable length (m)" states the length of a cable."""
    measures = load_measures()
    name = fold(_CAMEL.sub(" ", fact_name)).text
    found = list(measures.noun_words.finditer(name))
    # The last word says what is measured (the weight capacity, not the weight); of one place the longest.
    measure = measures.by_name[measures.nouns[spelt(found[-1][0])]] if found else None
    return Stated(measure, parts_in(name[: found[-1].start()] if found else name))


def parts_in(folded: str) -> str:
    """Return the first part that `folded` names, "" where it names none."""
    measures = load_measures()
    match = measures.part_words.search(folded)
    return measures.parts[spelt(match[0])] if match else ""


def spelt(matched: str) -> str:
    """Return what a lexicon's expression matched as the lexicon spells it."""
    return " ".join(matched.split())
