"""What stands around a number: a limit, a sum, that it is of each, and the names of facts beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from moderation.policy.evidence import Evidence
from moderation.policy.folding import fold
from moderation.policy.numbers import Number

_UNDER: Final = re.compile(r"(?:\b(?:under|less than|below|no more than)|<|≤|不到|不足|低于|小于)\s?$", re.I)
_NEARLY: Final = re.compile(r"(?:\b(?:nearly|almost|just under|close to)|将近|接近|近)\s?$", re.I)
_OVER: Final = re.compile(r"(?:\b(?:over|more than|above|at least|exceeding)|>|≥|超过|大于|不少于|至少)\s?$", re.I)
_SUM_BEFORE: Final = re.compile(
    r"\b(?:with the|together|in total|a total of|altogether|combined|all in)\b[^.!?]{0,40}$"
    r"|(?:加起来|合计|总共|一共|连同|加上)[^。！？]{0,10}$",
    re.I,
)
_SUM_AFTER: Final = re.compile(r"\s?(?:together|in total|altogether|combined|all told|in all)\b", re.I)
_EACH_BEFORE: Final = re.compile(r"(?:各|\beach (?:of|has|holds|with)\s)$", re.I)
_EACH_AFTER: Final = re.compile(r" (?:[a-z]{3,12} )?each\b", re.I)
# What may stand between a number and the name of a fact: "8 oak drawers", "36 hours of cold", 3个侧口袋; "hot for 24 h".
_BEFORE_NAME: Final = re.compile(
    r"[ -]?(?:of )?(?:(?!(?:in|of|the|on|to|per|and|or|with|for|a|an|fits?|is|are|at|from)\b)[a-z-]{2,14} ){0,2}"
    r"|[个只条件片格层支枚包]?的?[\u4e00-\u9fff]{0,2}"
)
_AFTER_NAME: Final = re.compile(
    r"[a-z]{0,3}(?:\s?[:=]\s?| (?:of|for|is|are|up to|at|about|in|lasts?|takes?|around) | )?"
    r"(?:(?:about|up to|around|only|a|the) )?|[\u4e00-\u9fff]{0,2}[:：]?"
)


def limit_of(text: str, number: Number) -> str:
    """Return "under", "nearly", "over" or "each" where the text says that of `number`, else ""."""
    before = text[max(0, number.start - 16) : number.start]
    if _EACH_BEFORE.search(before) or _EACH_AFTER.match(text, number.end):
        return "each"
    if _NEARLY.search(before):
        return "nearly"
    if _SUM_AFTER.match(text, number.end) or _SUM_BEFORE.search(text[max(0, number.start - 60) : number.start]):
        return "sum"
    return "under" if _UNDER.search(before) else "over" if _OVER.search(before) else ""


def names_beside(text: str, number: Number, facts: Sequence[tuple[str, re.Pattern[str]]]) -> frozenset[str]:
    """Return the facts whose name stands right after `number`, or else in front of it, in the same phrase."""
    if not facts:
        return frozenset()
    after = fold(text[number.end : number.end + 40]).text
    if found := frozenset(name for name, name_in in facts if _follows(name_in, after)):
        return found
    before = fold(text[max(0, number.start - 40) : number.start]).text
    return frozenset(name for name, name_in in facts if _leads(name_in, before))


def _follows(name: re.Pattern[str], after: str) -> bool:
    match = name.search(after)
    return match is not None and _BEFORE_NAME.fullmatch(after, 0, match.start()) is not None


def _leads(name: re.Pattern[str], before: str) -> bool:
    return any(_AFTER_NAME.fullmatch(before, match.end()) for match in name.finditer(before))


def name_patterns(evidence: Evidence) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield, for each fact with a number whose name is more than a measure, what finds its name in folded text."""
    names = {item.source.name for item in evidence.numbers if item.number.value is not None and item.measure is None}
    for name in sorted(names - {"title", "brand", "category"}):
        words = re.findall(r"[a-z]{3,}|[\u4e00-\u9fff]{2,}", fold(name).text)
        if words:
            stem = re.escape(words[-1].removesuffix("s"))
            yield name, re.compile(rf"(?<![a-z]){stem}" if stem.isascii() else stem)
