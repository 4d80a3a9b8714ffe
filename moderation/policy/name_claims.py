"""Claims made by a proper name: what the copy calls the product, and the places it says are near, in English copy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from moderation.policy.attributes import load_attributes
from moderation.policy.claims import Claim
from moderation.policy.evidence import Evidence
from moderation.policy.words import words_of

# Only where the facts name the thing itself or what is near it is every other name a claim; elsewhere capitals mean
# little.
_NAME_FACT: Final = re.compile(r"(?<![a-z])(?:near|nearby|landmark|name)(?![a-z])")
_RUN: Final = re.compile(r"(?<![\w'’])[A-ZÀ-Þ][\w'’&é]*(?:(?: of| the| &| and)? [A-ZÀ-Þ][\w'’&é]*)*")
_SENTENCE_START: Final = re.compile(r"(?:^|[.!?:\n]['\"”’)]?\s{1,3}|[\"“(]\s?)$")
_SAYS_SO: Final = re.compile(r",? (?:is|was|coffee|serves|offers|provides|has|which|located|in|near|sells|does|are)\b")
_ORDINARY: Final = frozenset(
    [
        "the",
        "a",
        "an",
        "it",
        "this",
        "that",
        "there",
        "here",
        "we",
        "you",
        "they",
        "he",
        "she",
        "i",
        "if",
        "for",
        "with",
        "at",
        "in",
        "on",
        "by",
        "near",
        "close",
        "located",
        "situated",
        "and",
        "but",
        "or",
        "not",
        "one",
        "food",
        "price",
        "prices",
        "customers",
        "customer",
        "its",
        "their",
        "their's",
        "although",
        "keep",
        "found",
        "situated",
        "set",
        "entertainment",
        "north",
        "south",
        "east",
        "west",
        "euro",
        "though",
        "while",
        "as",
        "from",
        "also",
        "when",
        "where",
        "what",
        "why",
        "how",
        "family",
        "kid",
        "child",
        "children",
        "adults",
        "average",
        "low",
        "high",
        "cheap",
        "moderate",
        "moderately",
        "expensive",
        "riverside",
        "river",
        "city",
        "centre",
        "center",
        "coffee",
        "shop",
        "pub",
        "restaurant",
        "cafe",
        "café",
        "place",
        "establishment",
        "area",
        "rating",
        "ratings",
        "star",
        "stars",
        "average",
        "uk",
        "price",
        "range",
        "friendly",
        "english",
        "british",
        "chinese",
        "french",
        "italian",
        "japanese",
        "indian",
        "fast-food",
        "yes",
        "no",
        "located",
        "looking",
        "serving",
        "offering",
        "welcome",
        "come",
        "is",
        "are",
        "his",
        "her",
        "our",
        "its",
        "us",
        "join",
        "we're",
        "very",
        "has",
        "have",
        "so",
        "all",
        "no",
        "not",
        "most",
        "great",
        "good",
        "best",
        "despite",
        "rated",
        "highly",
        "don't",
        "it's",
        "you'll",
        "you're",
        "pounds",
        "please",
        "open",
        "enjoy",
        "visit",
        "try",
        "unfortunately",
        "however",
        "rather",
        "located",
    ]
)
SPELT_ALIKE: Final = 0.85
_SHARE_OF_TITLE_CASE: Final = 0.8


def name_claims(text: str, evidence: Evidence) -> Iterator[Claim]:
    """Yield every proper name of `text` with the source that has it, or with what is wrong."""
    if not any(_NAME_FACT.search(fact.name.lower()) for fact in evidence.facts):
        return
    if _is_title_case(text):
        return
    known = {word: source for source in reversed(evidence.sources) for word in words_of(source.text).words}
    spoken = _words_for_values(evidence)
    for match in _RUN.finditer(text):
        start, end = match.span()
        words = [word for word in words_of(match[0]).words if word not in ("of", "the", "and")]
        if not words:
            continue
        first = _SENTENCE_START.search(text[max(0, start - 6) : start]) is not None
        if first and len(words) == 1 and match[0].split()[0] != "The" and not _SAYS_SO.match(text, end):
            continue
        strange = [word for word in words if word not in known and word.removesuffix("'s") not in known]
        strange = [word for word in strange if not _is_ordinary(word) and word not in spoken and not word.isdigit()]
        # One slip of the pen ("Crown Plaza") is no other name.
        strange = [word for word in strange if not get_close_matches(word, known, n=1, cutoff=SPELT_ALIKE)]
        if not strange:
            source = next((known[word] for word in words if word in known), None)
            if source:
                yield Claim(start, end, "name", match[0], source.name)
        else:
            yield Claim(start, end, "name", match[0], None, "unsupported_name")


def _is_ordinary(word: str) -> bool:
    return word in _ORDINARY or word.removesuffix("s") in _ORDINARY


def _words_for_values(evidence: Evidence) -> set[str]:
    """Words that are values of an attribute are judged as such ("Thai"), not as names."""
    stated = [item for item in load_attributes() if evidence.stated_values(item)]
    return {word for item in stated for spelling in item.values.names for word in spelling.split()}


def _is_title_case(text: str) -> bool:
    words = re.findall(r"[^\W\d_]{4,}", text)
    return bool(words) and sum(word[0].isupper() for word in words) > _SHARE_OF_TITLE_CASE * len(words)
