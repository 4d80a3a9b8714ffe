"""What a draft may say, read from its facts and the word lists of the policy: the limits a model writes within."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Final

from catalog.units import UNITS, spellings_of
from inference.contracts import CopyBrief
from inference.writing.limits import AllowedNumber, Limits
from moderation.policy.attributes import load_attributes
from moderation.policy.base import Draft
from moderation.policy.evidence import Evidence, KnownNumber
from moderation.policy.folding import fold
from moderation.policy.lexicons import Lexicon, load_lexicon
from moderation.policy.measures import Measure, load_measures

_DIGITS: Final = re.compile(r"\d+(?:[.,/]\d+)*")
_CODE: Final = re.compile(r"(?=[^\W_]*\d)(?=[^\W_]*[^\W\d_])[^\W_]+(?:-[^\W_]+)*|[^\W\d_]+-\d[^\W_]*")
_MONEY: Final = re.compile(r"[$£€¥]|\b(?:usd|eur|gbp|cny|rmb)\b|元", re.I)
_WORD: Final = re.compile(r"[^\W\d_]+")
_CHAIN: Final = (" x ", "x", " × ", "×", " by ", "-", " to ", " - ")
_ALWAYS: Final = 99
# Said so often without meaning a unit that a bare number may go before them.
_NO_UNITS: Final = frozenset(["in", "a", "s", "t", "d", "k"])
# "us" is mostly a pronoun; two letters are too few to be sure of anything.
_SHORTEST: Final = 3
_ONES: Final = "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBER_WORDS: Final = (
    {word: Decimal(number) for number, word in enumerate(f"{_ONES} eighteen nineteen".split(), 2)}
    | {word: Decimal(10 * number) for number, word in enumerate(_TENS.split(), 2)}
    | dict.fromkeys(("twice", "double", "dual", "twin", "couple", "pair"), Decimal(2))
    | {"half": Decimal("0.5"), "triple": Decimal(3), "quadruple": Decimal(4), "dozen": Decimal(12)}
    | {"hundred": Decimal(100), "thousand": Decimal(1000), "million": Decimal(1_000_000)}
)
# What these say a number of another dimension cannot be of.
_SAID_OF: Final = {
    "time": ("run for", "runs for", "running for", "last", "lasts", "lasting", "lasts for", "lasts up to"),
    "mass": ("weigh", "weighs", "weighing"),
}
# A thing is made of oak, not of 80 g; of 80 % oak it may be.
_MADE_OF: Final = ("made of", "made from", "made out of", "constructed from", "crafted from", "采用", "由")
_OWN: Final = frozenset(["title", "brand", "category"])
# A promise, an award or a price that no fact states is invented, whatever else the sentence says.
_PROMISES: Final = (
    "award",
    "awards",
    "award winning",
    "best selling",
    "bestselling",
    "bestseller",
    "guarantee",
    "guaranteed",
    "guarantees",
    "warranty",
    "refund",
    "refundable",
    "money back",
    "free shipping",
    "free delivery",
    "discount",
    "patented",
    "clinically",
    "dermatologically",
    "limited edition",
    "world first",
    "保修",
    "质保",
    "包邮",
    "退款",
    "获奖",
    "专利",
    "折扣",
    "特价",
)


def limits_for(brief: CopyBrief) -> Limits:
    """Return what copy for `brief` may say: its numbers with their units and what they are of, no word of the word
    lists that nothing of it holds, no name that it does not have.
    """
    draft = Draft("", brief.channel, brief.locale, brief.title, brief.brand, brief.category, brief.facts)
    evidence = Evidence(draft)
    texts = [brief.title, brief.brand, brief.category]
    texts += [text for fact in brief.facts for text in (fact.name, fact.value)]
    known = {word for text in texts for word in _WORD.findall(text.casefold())}
    own = " " + " | ".join(" ".join(_WORD.findall(text.casefold())) for text in texts) + " "
    return Limits(
        numbers=tuple(_numbers(evidence)),
        forbidden=frozenset(_forbidden(evidence, own)),
        known=frozenset(known),
        codes=frozenset(code.casefold() for text in texts for code in _CODE.findall(text)),
        units=_units(),
        characters=frozenset(char for text in texts for char in text if not char.isalnum() or not char.isascii()),
        is_latin=not brief.locale.startswith("zh"),
    )


# --- Numbers ------------------------------------------------------------------------------------------------------
def _numbers(evidence: Evidence) -> Iterator[AllowedNumber]:
    known = [item for item in evidence.numbers if item.number.value is not None]
    times = Counter((_digits(item), item.number.unit) for item in known if item.source.name not in _OWN)
    seen = set()
    for item in known:
        digits, follows = _digits(item), _follows(item)
        said = (digits, follows, item.measure)
        if not digits or said in seen:
            continue
        seen.add(said)
        after, before = _not_said_of(item, known)
        n_times = _ALWAYS if item.source.name in _OWN else min(times[digits, item.number.unit], 2)
        yield AllowedNumber(digits, follows, after, before, n_times)
    for source in evidence.sources:  # dates, part numbers, "24/7": as they are written, where nothing reads them
        for match in _DIGITS.finditer(source.text):
            is_part = source.text[max(0, match.start() - 1) : match.start()].isalpha()
            if not is_part and not any(one[0] == match[0] for one in seen):
                seen.add((match[0], (), None))
                yield AllowedNumber(match[0], _literal(source.text, match.end()))


def _digits(item: KnownNumber) -> str:
    match = _DIGITS.search(item.text)
    return match[0] if match else ""


def _follows(item: KnownNumber) -> tuple[str, ...]:
    """Return with what a text goes on after the digits: the unit in all spellings, or the next number of a chain."""
    unit, text = item.number.unit, item.source.text
    match = _DIGITS.search(text, item.number.start) if item.number.end else None
    ways = set(_literal(text, match.end())) if match and unit else set()
    if not unit:
        return ()
    for spelling in spellings_of(unit):
        short = spelling.casefold()
        ways |= {f" {short}", short} | ({f"-{short}"} if short.isascii() and short.isalpha() else set())
    if match and re.match(r"\s?[x×*✕-]|\s(?:by|to)\s", text[match.end() :]):
        ways |= set(_CHAIN)
    return tuple(sorted(ways))


def _literal(text: str, start: int) -> tuple[str, ...]:
    """Return how the fact itself goes on after its digits, up to the end of that word."""
    match = re.match(r"[ -]?[^\s\d,;.]{1,14}(?=[\s,;.]|$)", text[start:])
    return (match[0].casefold(),) if match else ()


def _not_said_of(item: KnownNumber, known: Iterable[KnownNumber]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the words before and after a number that would say it is of something else than the facts do."""
    measures = load_measures()
    stated = {one.measure.name for one in known if one.measure}
    wrong = {name for name, measure in measures.by_name.items() if not _may_be(item, measure, stated)}
    of_what = set() if item.number.unit in ("", "%") else set(_MADE_OF)
    for dimension, words in _SAID_OF.items():
        if item.number.dimension not in ("", dimension):
            of_what |= set(words)
    named = {one.source.name.casefold() for one in known if one.source.name != item.source.name}
    of_what |= {name for name in named if " " in name or len(name) > 3} - measures.before.keys() - _OWN
    return (
        frozenset((*of_what, *(word for word, name in measures.before.items() if name in wrong))),
        frozenset(word for word, name in measures.after.items() if name in wrong),
    )


def _may_be(item: KnownNumber, said: Measure, stated: set[str]) -> bool:
    dimension = item.number.dimension
    if item.measure is said:
        return True
    if not said.dimensions:
        return bool(_MONEY.search(item.source.text))  # the price is not 350 g, nor 2
    if said.dimensions and dimension and dimension not in said.dimensions:
        return said.is_loose and not item.measure
    if item.measure is None or item.measure.is_generic or said.is_generic:
        return said.name not in stated
    is_kin = item.measure.name in said.kin or said.name in item.measure.kin
    return is_kin and said.name not in stated


@lru_cache
def _units() -> frozenset[str]:
    return frozenset(
        word for symbol in UNITS for spelling in spellings_of(symbol) if (word := spelling.casefold()) not in _NO_UNITS
    )


# --- Words --------------------------------------------------------------------------------------------------------
def _forbidden(evidence: Evidence, own: str) -> Iterator[str]:
    yield from _number_words(evidence)
    yield from (word for word in _PROMISES if f" {word} " not in own and word not in own)
    for name in ("materials", "colours", "countries", "certificates"):
        yield from _not_backed(load_lexicon(name), evidence, own)
    for attribute in load_attributes():
        if evidence.stated_values(attribute):
            yield from _not_backed(attribute.values, evidence, own)


def _number_words(evidence: Evidence) -> Iterator[str]:
    counts = {item.number.value for item in evidence.numbers if not item.number.unit}
    words = {word for source in evidence.sources for word in _WORD.findall(source.text.casefold())}
    yield from (word for word, value in _NUMBER_WORDS.items() if value not in counts and word not in words)


def _not_backed(lexicon: Lexicon, evidence: Evidence, own: str) -> Iterator[str]:
    known = {mention.name for source in evidence.sources for mention in lexicon.mentions(source.text)}
    if lexicon is load_lexicon("colours"):
        known |= {item.name for item in evidence.colours}
    allowed = {wide for name in known for wide in lexicon.wider.get(name, ())}
    for term, name in _terms(tuple(lexicon.names.items())):
        if name not in allowed and (f" {term} " not in own if term.isascii() else term not in own):
            yield term


@lru_cache(maxsize=100)
def _terms(names: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return the spellings of a word list as the limits compare them; what has digits is a number, no word."""
    folded = [
        (" ".join(_WORD.findall(fold(spelling).text)), name) for spelling, name in names if not _has_digit(spelling)
    ]
    return tuple((term, name) for term, name in folded if len(term) >= (_SHORTEST if term.isascii() else 2))


def _has_digit(text: str) -> bool:
    return any(char.isdigit() for char in text)
