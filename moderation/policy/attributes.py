"""Attributes of products (neckline, pattern, cuisine): which facts state them, and the words for their values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from core.exceptions import PermanentError
from moderation.policy.folding import fold
from moderation.policy.lexicons import Lexicon, build_lexicon
from moderation.policy.literals import LEXICONS, literals

ATTRIBUTES_FOLDER: Final = LEXICONS / "attributes"


@dataclass(frozen=True)
class Attribute:
    """One attribute: `stated_by` matches the names of facts that state it, `values` reads its values in a text.

    `has_several`: a thing may have more than one value (pockets and a zip), so another value only adds.
    """

    name: str
    stated_by: re.Pattern[str]
    values: Lexicon
    has_several: bool = False

    def is_stated_by(self, fact_name: str) -> bool:
        """Return whether a fact of this name states the attribute (裙领型 states the neckline)."""
        return self.stated_by.search(_folded(fact_name)) is not None


@lru_cache(maxsize=2000)
def _folded(fact_name: str) -> str:
    return fold(fact_name).text


@lru_cache
def load_attributes(folder: Path = ATTRIBUTES_FOLDER) -> Sequence[Attribute]:
    """Return the attributes of every TOML file in `folder`. Raises `PermanentError` naming the file and the mistake."""
    return tuple(attribute for path in sorted(folder.glob("*.toml")) for attribute in _read(path))


def _read(path: Path) -> list[Attribute]:
    document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    read = []
    for entry in document["attribute"]:
        if missing := {"name", "facts", "values"} - entry.keys():
            raise PermanentError(f"{path.name}: an attribute lacks {', '.join(sorted(missing))}.")
        values = build_lexicon(
            entry["values"], where=f"{path.name}, {entry['name']}", cue=entry.get("cue", ()), skips_imitations=False
        )
        read.append(Attribute(entry["name"], re.compile(literals(entry["facts"])), values, entry.get("several", False)))
    return read
