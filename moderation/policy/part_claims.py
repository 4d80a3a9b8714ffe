"""Claims of a part that a fact is named after: a brass buckle, 杯盖是竹子; the value of that fact decides, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from moderation.policy.claims import Claim
from moderation.policy.evidence import Evidence, Source
from moderation.policy.folding import Folded, fold
from moderation.policy.lexicons import Lexicon, load_lexicon
from moderation.policy.text import Text

# Names of facts that speak of the whole thing, or of no part.
_OF_THE_WHOLE: Final = re.compile(
    r"material|fabric|composition|made of|colou?r|finish|style|pattern|type|design|name|title|brand"
    r"|category|model|detail"
    r"|care|origin|材质|面料|材料|成分|质地|颜色|色系|风格|图案|类型|款式|版型|工艺|品类|产地"
)
_LEXICONS: Final = ("materials", "colours", "part_states")
# Beside a part one character says what it is: 底座铁, 钟面是黑的.
_ONE_CHARACTER: Final = {
    "materials": {
        "铁": "iron",
        "铜": "copper",
        "钢": "steel",
        "木": "wood",
        "竹": "bamboo",
        "棉": "cotton",
        "麻": "linen",
    },
    "colours": {
        "黑": "black",
        "白": "white",
        "红": "red",
        "蓝": "blue",
        "绿": "green",
        "灰": "grey",
        "金": "gold",
        "银": "silver",
        "黄": "yellow",
        "粉": "pink",
        "紫": "purple",
        "棕": "brown",
    },
    "part_states": {},
}
_ENDS: Final = r"(?=[的制质]?(?:[，,。、；;！!\s]|$))"
_LINK: Final = re.compile(
    r"(?: (?:is|are|comes|come|made|in|of|from|a|an|solid|real|fully|with|can be))*[ :]{1,2}"
    r"|(?:的)?(?:颜色|材质)?(?:是|为|用的是|采用|选用|用|：|:)?(?:的)?"
)


def part_claims(said: Text, evidence: Evidence) -> Iterator[Claim]:
    """Yield what is said of the parts that facts are named after: with its fact, or as contradicted by it.

    Only the words beside the name count, and only where the fact has a word of the same list.
    """
    text, folded = said.raw, said.folded
    for fact in evidence.facts:
        name = fold(fact.name.replace("_", " ")).text.strip()
        if _OF_THE_WHOLE.search(name) or len(name) < 2 or (pattern := _name_pattern(name)) is None:
            continue
        for kind in _LEXICONS:
            lexicon = load_lexicon(kind)
            if known := _names_in(fact, kind, lexicon):
                yield from _of_part(text, folded, fact, pattern, kind, lexicon, known)


@lru_cache(maxsize=2000)
def _name_pattern(name: str) -> re.Pattern[str] | None:
    words = re.findall(r"[a-z]{3,}|[\u4e00-\u9fff]{2,}", name)
    if not words:
        return None
    if not words[-1].isascii():
        return re.compile(re.escape(words[-1]))
    return re.compile(rf"(?<![a-z]){re.escape(words[-1].removesuffix('s'))}s?(?![a-z])")


def _names_in(fact: Source, kind: str, lexicon: Lexicon) -> set[str]:
    found = {mention.name for mention in lexicon.mentions(fact.text)}
    value = fold(fact.text).text.strip().removesuffix("色")
    return found or ({_ONE_CHARACTER[kind][value]} if value in _ONE_CHARACTER[kind] else set())


def _of_part(
    text: str,
    folded: Folded,
    fact: Source,
    pattern: re.Pattern[str],
    kind: str,
    lexicon: Lexicon,
    known: set[str],
) -> Iterator[Claim]:
    for match in pattern.finditer(folded.text):
        found = _after(folded, match.end(), kind, lexicon) or _before(folded, match.start(), lexicon)
        if found is None:
            continue
        name, start, end = found
        if any(lexicon.are_related(one, name) for one in known):
            continue
        at = folded.span(start, end)
        quoted = f"{fact.name}: {fact.text}"
        yield Claim(
            *at,
            "attribute",
            text[at[0] : at[1]],
            None,
            "contradicted_attribute",
            quoted,
            attribute=fact.name,
            instead=fact.text,
        )


def _after(folded: Folded, at: int, kind: str, lexicon: Lexicon) -> tuple[str, int, int] | None:
    link = _LINK.match(folded.text, at)
    start = link.end() if link else at
    match = lexicon.pattern.match(folded.text, start)
    if match and (name := lexicon.names.get(" ".join(match[0].split()))):
        return name, *match.span()
    letters = "".join(_ONE_CHARACTER[kind])
    short = re.compile(rf"([{letters}])色?{_ENDS}").match(folded.text, start) if letters else None
    return (_ONE_CHARACTER[kind][short[1]], *short.span()) if short else None


def _before(folded: Folded, at: int, lexicon: Lexicon) -> tuple[str, int, int] | None:
    """Return the word right before a part: "a brass buckle", 黄铜底座."""
    left = max(0, at - 24)
    for match in lexicon.pattern.finditer(folded.text, left, at):
        name = lexicon.names.get(" ".join(match[0].split()))
        if name and folded.text[match.end() : at] in ("", " ", "-", "的", "色", "色的", "制", "质"):
            return name, *match.span()
    return None
