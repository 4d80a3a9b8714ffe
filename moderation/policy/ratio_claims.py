"""Claims of one side by another: "twice as wide as it is deep", 宽是深的两倍; the numbers of the facts decide."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from moderation.policy.claims import Claim
from moderation.policy.evidence import Evidence, KnownNumber
from moderation.policy.folding import Folded
from moderation.policy.measures import load_measures

_TIMES: Final = {
    "half": "0.5",
    "twice": "2",
    "two times": "2",
    "three times": "3",
    "four times": "4",
    "five times": "5",
    "两": "2",
    "二": "2",
    "三": "3",
    "四": "4",
    "五": "5",
}
_RATIO: Final = re.compile(
    r"\b(?P<times>half|twice|(?:two|three|four|five) times) as (?P<one>[a-z]{3,8})"
    r" as (?:it is|it's|it has) (?P<other>[a-z]{3,8})"
    r"|(?P<one_zh>宽|高|长|深|厚)度?是(?P<other_zh>宽|高|长|深|厚)度?的(?P<times_zh>[两二三四五])倍"
)
# Copy rounds: 121 cm is twice 60.
TOLERANCE: Final = Decimal("0.05")


def ratio_claims(text: str, folded: Folded, evidence: Evidence) -> Iterator[Claim]:
    """Yield each claim of one measure by another that the facts have both of, with the fact or as contradicted."""
    for match in _RATIO.finditer(folded.text):
        one = _known(match["one"] or match["one_zh"], evidence)
        other = _known(match["other"] or match["other_zh"], evidence)
        if one is None or other is None:
            continue
        first, second = one.number.quantity.in_base, other.number.quantity.in_base
        expected = Decimal(_TIMES[match["times"] or match["times_zh"]]) * second
        start, end = folded.span(*match.span())
        said = text[start:end]
        if abs(first - expected) <= TOLERANCE * expected:
            yield Claim(start, end, "comparison", said, one.source.name)
        else:
            nearest = f"{one.source.name}: {one.source.text}; {other.source.name}: {other.source.text}"
            yield Claim(start, end, "comparison", said, None, "contradicted_attribute", nearest)


def _known(word: str, evidence: Evidence) -> KnownNumber | None:
    """Return the number that the facts have of what `word` says of the whole thing: of "wide" its width."""
    measures = load_measures()
    name = measures.after.get(word) or measures.nouns.get(word)
    if name is None:
        return None
    measure = measures.by_name[name]
    return next(
        (item for item in evidence.numbers if item.measure is measure and not item.part and item.number.dimension), None
    )
