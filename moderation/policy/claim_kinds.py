"""Which kind of claim a rule of the packs is about: what its findings teach the judge of claims."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from core.exceptions import PermanentError

# The name of the question that the judge answers, and its answers; rules of a kind stand in claim_kinds.toml.
POLICY_CLAIMS: Final = "policy_claims"
KINDS: Final = {
    "absolute": "Absolute",
    "medical": "Medical",
    "health": "Health",
    "green": "Green",
    "testimonial": "Testimonial",
    "price": "Price or free",
    "guarantee": "Guarantee",
    "origin": "Origin",
    "comparison": "Comparison",
}
FILE: Final = Path(__file__).with_name("claim_kinds.toml")


@lru_cache
def kinds_by_rule() -> Mapping[str, str]:
    """Return the kind of each rule that has one: `pack.rule` → kind. Raises `PermanentError` for an unknown kind."""
    found = {rule: kind for kind, rules in tomllib.loads(FILE.read_text("utf-8")).items() for rule in rules}
    if strange := set(found.values()) - set(KINDS):
        raise PermanentError(f"{FILE.name} names kinds that there are not: {', '.join(sorted(strange))}.")
    return found


def kind_of(evidence: Mapping[str, Any]) -> str:
    """Return the kind of claim that a finding with this `evidence` is about; empty where its rule has none."""
    return kinds_by_rule().get(f"{evidence.get('pack', '')}.{evidence.get('rule', '')}", "")


def in_words(kinds: Any) -> str:
    """Return `kinds` as people call them, in their order, joined by commas."""
    return ", ".join(title for kind, title in KINDS.items() if kind in set(kinds))
