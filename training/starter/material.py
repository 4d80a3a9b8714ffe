"""Read the hand-written material of the starter pairs: attributes and what is said of them, categories, wording."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from training.starter.phrasing import is_plural, with_article

FOLDER = Path(__file__).parent / "material"
CATEGORY_FILES = ("home.yaml", "wear_and_leisure.yaml", "technical.yaml")
COUNT = re.compile(r"(?:\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fourteen|twenty)")
_ADJECTIVE = re.compile(r"[a-z][a-z-]*(?: [a-z][a-z-]*)?")
_MEASURE = re.compile(r"(?:up to )?[\d,.]+ ?\S.*")


@dataclass(frozen=True)
class Said:
    """What can be said of an attribute with one value, ready to stand in a sentence.

    `does`: verb phrases; `parts`: what comes with it; `has`: that and properties, as noun phrases; `made`:
    participles; `tags`: a few words of a slogan; `plain`: whole
    sentences that name the attribute.
    """

    does: Sequence[str] = ()
    parts: Sequence[str] = ()
    has: Sequence[str] = ()
    made: Sequence[str] = ()
    tags: Sequence[str] = ()
    plain: Sequence[str] = ()


@dataclass(frozen=True)
class Attribute:
    """An attribute of a category: the names that shops give it, its values, and whether only its name tells of it."""

    names: Sequence[str]
    values: Sequence[str]
    phrases: Mapping[Any, Any] = field(default_factory=dict)

    def said(self, name: str, value: str) -> Said:
        """Return what can be said where a shop calls the attribute `name`."""
        if not self.phrases:
            return _said_by_name(name.lower(), value)
        phrases = self.phrases.get(value == "yes", {}) if value in {"yes", "no"} else self.phrases
        filled = {
            kind: [text.replace("{v}", value).replace("{a}", with_article(value)) for text in phrases.get(kind, ())]
            for kind in ("is", "has", "of", "made", "tag")
        }
        return Said(filled["is"], filled["has"], [*filled["has"], *filled["of"]], filled["made"], filled["tag"])


@dataclass(frozen=True)
class Category:
    """A category of products: its path, which part of the pairs it is in, the nouns of its titles, its attributes."""

    path: Sequence[str]
    part: str
    nouns: Sequence[str]
    attributes: Sequence[Attribute]
    is_mass: bool = False


def _said_by_name(name: str, value: str) -> Said:
    """Return what can be said of an attribute that has no phrases of its own: its name and value alone."""
    many = is_plural(name)
    if value in {"yes", "no"}:
        if name.endswith(("safe", "resistant")):
            return Said(does=[f"is {name}" if value == "yes" else f"is not {name}"])
        noun = name if many else with_article(name)
        return (
            Said(does=[f"has {noun}"], parts=[noun], has=[noun], tags=[name])
            if value == "yes"
            else Said(does=[f"has no {name}"])
        )
    if many and COUNT.fullmatch(value):
        return Said(
            does=[f"has {value} {name}"], parts=[f"{value} {name}"], has=[f"{value} {name}"], tags=[f"{value} {name}"]
        )
    plain = [f"The {name} {'are' if many else 'is'} {value}.", f"{{Its}} {name} {'are' if many else 'is'} {value}."]
    if not many and (_MEASURE.fullmatch(value) or COUNT.fullmatch(value)):
        noun = with_article(f"{name} of {value}")
        return Said(does=[f"has {noun}"], has=[noun], tags=[f"{name} of {value}"], plain=plain)
    if _ADJECTIVE.fullmatch(value) and value not in {"included", "separate", "sold separately"}:
        noun = f"{value} {name}" if many else with_article(f"{value} {name}")
        return Said(does=[f"has {noun}"], parts=[noun], has=[noun], tags=[f"{value} {name}"], plain=plain)
    return Said(plain=plain)


def _texts(values: Sequence[Any]) -> list[str]:
    return [("yes" if value else "no") if isinstance(value, bool) else str(value) for value in values]


@cache
def categories() -> tuple[Category, ...]:
    """Return all categories, in the order of their files."""
    phrases = yaml.safe_load((FOLDER / "attributes.yaml").read_text(encoding="utf-8"))
    found = []
    for name in CATEGORY_FILES:
        for row in yaml.safe_load((FOLDER / name).read_text(encoding="utf-8")):
            known = [Attribute(phrases[key]["names"], _texts(row["facts"][key]), phrases[key]) for key in row["facts"]]
            others = [Attribute([key], _texts(values)) for key, values in row["other"].items()]
            found.append(Category(row["category"], row["part"], row["nouns"], (*known, *others), bool(row.get("mass"))))
    return tuple(found)


@cache
def wording() -> Mapping[str, Sequence[str]]:
    """Return the sentence patterns of each channel, the brands and the names of product lines."""
    found: Mapping[str, Sequence[str]] = yaml.safe_load((FOLDER / "wording.yaml").read_text(encoding="utf-8"))
    return found
