"""Which facts a text tells, in which order and how many, by channel: each of them once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from inference.contracts import CopyBrief, Fact

# A description has room for eight facts, a line for two, a slogan for one.
MOST: Final = {"description": 8, "recommendation": 2, "ad_slogan": 1}
LONGEST: Final = {"description": 80, "recommendation": 40, "ad_slogan": 30}
# What names the article for a till or a warehouse is nothing to tell a shopper.
_IDENTIFIER: Final = re.compile(
    r"(?<![a-z])(?:asin|sku|upc|ean|gtin|mpn|isbn|url|link|barcode|part number|model number|item ?model ?number"
    r"|item number|date first available|best ?sellers? ?rank|shipping|returns?)(?![a-z])|货号|条码|编码|链接|型号",
    re.I,
)
_RUN_TOGETHER: Final = re.compile(r"[^\s\u3000-\u9fff]{28,}")
_ONE_WORD: Final = re.compile(r"[a-zA-Z]{21,}")  # "Manufacturerrecommendedage": a feed that lost its spaces
_NOTHING: Final = frozenset(["", "-", "–", "n/a", "na", "none", "null", "unknown", "无", "暂无"])


def planned(brief: CopyBrief) -> tuple[Fact, ...]:
    """Return the facts that a text for `brief` tells, in their order: those that can be told in a few words."""
    most, longest = MOST.get(brief.channel, 8), LONGEST.get(brief.channel, 80)
    facts = [fact for fact in brief.facts if _is_tellable(fact, longest)]
    return tuple(_once(facts)[:most])


def as_prompted(brief: CopyBrief) -> CopyBrief:
    """Return `brief` as the prompt gives it: the planned facts first, in a short text they alone, no identifiers."""
    plan = planned(brief)
    if brief.channel != "description":
        return replace(brief, facts=plan or tuple(brief.facts))
    rest = [fact for fact in brief.facts if fact not in plan and not _IDENTIFIER.search(fact.name)]
    return replace(brief, facts=(*plan, *rest))


def _is_tellable(fact: Fact, longest: int) -> bool:
    value = fact.value.strip()
    return (
        value.casefold() not in _NOTHING
        and len(value) <= longest
        and not _IDENTIFIER.search(fact.name)
        and not _RUN_TOGETHER.search(value)
        and not _ONE_WORD.search(fact.name)
        and "://" not in value
    )


def _once(facts: Sequence[Fact]) -> list[Fact]:
    """Keep one of several facts with the same value: "Size: 10 cm" and "Dimensions: 10 cm"."""
    seen: set[str] = set()
    kept = []
    for fact in facts:
        value = "".join(fact.value.casefold().split())
        key = f"{fact.name.casefold()}:{value}" if len(value) < 5 else value
        if key not in seen:
            seen.add(key)
            kept.append(fact)
    return kept
