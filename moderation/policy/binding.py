"""Bind each number of a sentence to what the sentence says it is of: "26 cm wide", "weighs 2 kg", 宽26厘米."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from moderation.policy.folding import fold
from moderation.policy.measures import Measure, load_measures, parts_in, spelt
from moderation.policy.numbers import Number

# What may stand between a word and the number that it goes with: "width of about 26 cm", 宽度约为26厘米.
_FILLER: Final = (
    r"(?:of|is|are|was|at|about|approximately|approx\.?|around|roughly|nearly|almost|only|just|a|an|the|to|up|over"
    r"|under|measures|measuring|comes|in|for|less|more|than|below|above|exceeding|max\.?|maximum|full|total"
    r"|whopping|mere"
    r"|between|from|within|with|as|low|little|much|least|most)"
)
_TO_NUMBER: Final = re.compile(
    rf"(?:\s?[:=(~<>≤≥≈-]\s?|\s+(?:{_FILLER}\s+){{0,5}})(?:\(|[<>~≤≥≈]\s?)?"
    r"|(?:约|大约|约为|达|可达|高达|长达|达到|为|是|有|仅|只有|近|足有|超过|不到|不足|至少|最多|：|:|仅为|只|在|也有)?"
)
_TO_AFTER: Final = re.compile(r"[ -]?(?:in |of |\()?(?:the |total |overall |max(?:imum)? |full )?|的?")
_OWN_NUMBER: Final = re.compile(r"\s?[:=]|(?: (?:of|is)|(?: about| approx\.?))? ?(?:[£$€¥])?\d|(?:约|为|达|是|：)?\d")
_LETTER: Final = re.compile(r"[ -]?[(]?(?P<letter>[WHDLwhdl])[)]?(?=\s?(?:[x×*,;)/.]|$|by\b)|\s\d)")
_LETTERS: Final = {"w": "width", "h": "height", "d": "depth", "l": "length"}
_ORDER: Final = re.compile(r"\s?[(]?(?P<all>[LWHD](?:\s?[x×*/]\s?[LWHD]){1,2})[)]?", re.I)
_CHAIN: Final = re.compile(r"\s{0,2}(?:[x×*✕]|by)\s{0,2}", re.I)
_WINDOW: Final = 60
_CLAUSE: Final = re.compile(r"[.;!?。；！？\n]\s|[。；！？\n]|, | and | but |，|、|\|")


@dataclass(frozen=True)
class Binding:
    """What a number is said to be of. start:end are the words that say so; `part` is what has the measure, if named."""

    measure: Measure
    start: int
    end: int
    part: str = ""


def bind(text: str, numbers: Sequence[Number]) -> list[Binding | None]:
    """Return for each of `numbers` (those of `text`, in order) what the sentence says it is of, None where it does not.

    Words right after the number go before words in front of it ("a height of 20 cm, 30 cm wide"), unless they have a
    number of their own ("26 cm, height 30 cm"). Each looks at a window of fixed width, so time is linear.
    """
    bound: list[Binding | None] = []
    for index, number in enumerate(numbers):
        left = max(numbers[index - 1].end if index else 0, number.start - _WINDOW)
        found = _after(text, number) or _before(text, left, number)
        # "20 cm width 30 cm height": the word has a number of its own, and this one has no word but it.
        bound.append(found or _after(text, number, has_own=True))
    _share(text, numbers, bound)
    return [item and _with_part(text, item, number) for item, number in zip(bound, numbers, strict=True)]


def _after(text: str, number: Number, *, has_own: bool = False) -> Binding | None:
    measures = load_measures()
    if letter := _LETTER.match(text, number.end):
        if number.unit or text[number.end : number.end + 1] in "WHDL":
            return Binding(measures.by_name[_LETTERS[letter["letter"].lower()]], *letter.span("letter"))
        return None
    link = _TO_AFTER.match(text, number.end)
    at = link.end() if link else number.end
    folded = fold(text[at : at + _WINDOW])
    match = measures.after_words.match(folded.text)
    if match is None:
        return None
    start, end = (at + place for place in folded.span(*match.span()))
    word = spelt(match[0])
    if not measures.by_name[measures.after[word]].admits(number.dimension):
        return None
    if not has_own and word in measures.nouns and _OWN_NUMBER.match(text, end):
        return None
    return Binding(measures.by_name[measures.after[word]], start, end)


def _before(text: str, left: int, number: Number) -> Binding | None:
    measures, right = load_measures(), number.start
    folded = fold(text[left:right])
    last: re.Match[str] | None = None
    for match in measures.words.finditer(folded.text):
        if not folded.text.startswith("达", match.end()):  # 长达 and 高达 say no more than "as much as"
            last = match
    if last is None:
        return None
    start, end = (left + place for place in folded.span(*last.span()))
    if not _TO_NUMBER.fullmatch(text[end:right].lower()):
        return None
    measure = measures.by_name[measures.before[spelt(last[0])]]
    return Binding(measure, start, end) if measure.admits(number.dimension) else None


def _share(text: str, numbers: Sequence[Number], bound: list[Binding | None]) -> None:
    """Give each number of a chain its own: "10 x 8 x 4 cm (L x W x H)" in order, "measures 10 x 8 cm" all the same."""
    measures = load_measures()
    for index in range(1, len(numbers)):
        before = bound[index - 1]
        if bound[index] is None and before and before.measure.is_generic:  # "measures 10 x 8 cm"
            bound[index] = before if _CHAIN.fullmatch(text, numbers[index - 1].end, numbers[index].start) else None
    for index in range(len(numbers)):
        order = _ORDER.match(text, numbers[index].end)
        if order is None:
            continue
        letters = [char.lower() for char in order["all"] if char.lower() in _LETTERS]
        first = index - len(letters) + 1
        if first < 0 or not all(
            _CHAIN.fullmatch(text, numbers[at].end, numbers[at + 1].start) for at in range(first, index)
        ):
            continue
        for at, letter in enumerate(letters):
            bound[first + at] = Binding(measures.by_name[_LETTERS[letter]], *order.span("all"))


def _with_part(text: str, found: Binding, number: Number) -> Binding:
    """Name the part that the clause is about: "the cord is 1.8 m long"."""
    left, right = min(found.start, number.start), max(found.end, number.end)
    before = text[max(0, left - _WINDOW) : left]
    borders = list(_CLAUSE.finditer(before))
    said = before[borders[-1].end() :] if borders else before
    after = text[right : right + 20]
    border = _CLAUSE.search(after)
    part = parts_in(fold(said).text) or parts_in(fold(after[: border.start()] if border else after).text)
    return Binding(found.measure, found.start, found.end, part) if part else found
