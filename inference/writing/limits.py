"""What a text may say, as plain data, and whether the next piece of it keeps to that. No torch, no lexicons.

The caller reads facts and word lists and hands down what comes of them (`moderation/drafting/limits.py`). Each rule
looks at the text so far and the piece that would come next, never further ahead: a piece is refused as soon as it ends
in something that the facts do not hold. Reading is linear in a window of fixed length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

# Kept with each draft. A change of what is refused, planned or told plainly needs another number.
VERSION: Final = 2
_WINDOW: Final = 90
_NUMBER: Final = re.compile(r"\d+(?:[.,/]\d+)*")
_OPEN: Final = re.compile(r"[.,/]?")
_WORD: Final = re.compile(r"[^\W\d_]+")
_CODE: Final = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
# What may stand between a word and the number that goes with it: "a width of about 26 cm", 宽约26厘米.
_FILLER: Final = re.compile(
    r"(?:(?<![a-z])(?:of|is|are|was|at|in|for|about|approximately|around|roughly|nearly|almost|only|just|a|an|the|to|up"
    r"|over|under|from|between|with|than|more|less|measuring|measures|comes|total|full)|约|约为|为|是|达|可达|仅|只有|[:：=(])\s*$"
)
_STARTS: Final = re.compile(r"(?:^|[.!?:;。！？：；\n•*–—][\"'”’)]*|[\"“(《「])\s*$")
_ENDED: Final = re.compile(r"(?:^|[.!?:;。！？：；][\"'”’)]*)\s*$")
_PLAIN: Final = frozenset(" \n\t.,;:!?'\"()/&%+-–—…’‘“”éèöüäñ°×0123456789，。！？、；：（）《》“”·")
_LONGEST_TERM: Final = 5  # words
_STEM: Final = 5  # letters by which a word is taken for a unit, spelled wrongly


@dataclass(frozen=True)
class AllowedNumber:
    """A number of the facts. `follows`: with what the text goes on after its digits (a unit), in lower case; empty: no
    unit at all.

    `not_after` and `not_before`: words that say it is of something else ("long", where it is a weight) and so may not
    stand in front of it, or right behind. `times`: how often it may be told.
    """

    digits: str
    follows: tuple[str, ...] = ()
    not_after: frozenset[str] = frozenset()
    not_before: frozenset[str] = frozenset()
    times: int = 1


@dataclass(frozen=True)
class Limits:
    """What a text may say. `forbidden`: words of closed classes that no fact holds, in lower case, hyphens as spaces.

    `known`: every word of facts, title, brand and category in lower case; other words have no capital within a
    sentence. `codes`: those with a digit and a letter. `units`: words that may not follow a number without a unit.
    `characters`: signs and foreign letters of the facts; `is_latin`: other letters than Latin ones are not used.
    """

    numbers: tuple[AllowedNumber, ...] = ()
    forbidden: frozenset[str] = field(default_factory=frozenset)
    known: frozenset[str] = field(default_factory=frozenset)
    codes: frozenset[str] = field(default_factory=frozenset)
    units: frozenset[str] = field(default_factory=frozenset)
    characters: frozenset[str] = field(default_factory=frozenset)
    is_latin: bool = False

    def allows(self, text: str, piece: str) -> bool:
        """Return whether `text` may go on with `piece`, which may end within a word or a number."""
        if not piece:
            return True
        if "\ufffd" in piece:  # half a character: it is judged with the piece that completes it
            return not self.is_latin or any(char not in _PLAIN and not char.isascii() for char in self.characters)
        rules = (self._characters_hold, self._numbers_hold, self._words_hold, self._capitals_hold)
        return all(rule(text, piece) for rule in rules)

    def may_end(self, text: str) -> bool:
        """Return whether `text` may end here: not within a number, nor before its unit."""
        return self._numbers_hold(text, "\n")

    def ways_on(self, text: str) -> list[str]:
        """Return what may come next after a number that is under way or lacks its unit; else nothing."""
        found = list(_NUMBER.finditer(text))
        if not found or ((rest := text[found[-1].end() :].casefold()) and len(rest) > 12):
            return []
        ways = []
        for number in self._fitting(text, found[-1]):
            for way in (f"{number.digits}{end}" for end in number.follows or (" ",)):
                said = found[-1][0] + rest
                if way.startswith(said) and len(way) > len(said):
                    ways.append(way[len(said) :])
        return ways

    # --- Characters -------------------------------------------------------------------------------------------------
    def _characters_hold(self, text: str, piece: str) -> bool:
        """A model that may not say a number looks for a way round it: ½, Ⅶ, a new line in the middle of a sentence."""
        if "\n" in piece and not _ENDED.search(text + piece.split("\n", 1)[0]):
            return False
        return all(
            char in _PLAIN or char in self.characters or (char.isalpha() and (char.isascii() or not self.is_latin))
            for char in piece
        )

    # --- Numbers ----------------------------------------------------------------------------------------------------
    def _numbers_hold(self, text: str, piece: str) -> bool:
        whole = text + piece
        found = list(_NUMBER.finditer(whole, max(0, len(whole) - _WINDOW - len(piece))))
        for place, match in enumerate(found):
            end = found[place + 1].start() if place + 1 < len(found) else len(whole)
            if end < len(text):
                continue  # it was judged before
            if not self._number_holds(whole, match, whole[match.end() : end], is_last=end == len(whole)):
                return False
        return True

    def _number_holds(self, whole: str, match: re.Match[str], rest: str, *, is_last: bool) -> bool:
        if code := _code_at(whole, match):
            return self._is_code(code, is_open=code.end() == len(whole))
        if is_last and _OPEN.fullmatch(rest):
            said = match[0] + rest
            fitting = [one for one in self._fitting(whole, match) if one.digits.startswith(said)]
            if fitting:
                return True
            if not rest:
                return False
        same = [one for one in self._fitting(whole, match) if one.digits == match[0]]
        return any(self._goes_on(one, rest.casefold(), is_last=is_last) for one in same)

    def _fitting(self, whole: str, match: re.Match[str]) -> Iterator[AllowedNumber]:
        """Yield the numbers that begin like `match`, are not said of something else in front, nor told too often."""
        before = whole[max(0, match.start() - _WINDOW) : match.start()].casefold()
        cues = [before.rstrip()]
        while (shorter := _FILLER.sub("", cues[-1]).rstrip()) != cues[-1]:
            cues.append(shorter)
        for number in self.numbers:
            if not number.digits.startswith(match[0]):
                continue
            if any(_ends_with(cue, word) for cue in cues for word in number.not_after):
                continue
            told = sum(one[0] == number.digits for one in _NUMBER.finditer(whole, 0, match.start()))
            if told < number.times:
                yield number

    def _goes_on(self, number: AllowedNumber, rest: str, *, is_last: bool) -> bool:
        if not number.follows:
            return self._is_no_unit(rest) and not _begins_with(rest, number.not_before)
        for end in number.follows:
            if is_last and len(rest) < len(end) and end.startswith(rest):
                return True
            if (
                rest.startswith(end)
                and not _is_glued(end, rest)
                and not _begins_with(rest[len(end) :], number.not_before)
            ):
                return True
        return False

    def _is_no_unit(self, rest: str) -> bool:
        if rest[:1].isalpha() and rest[:1].isascii():
            return False  # 4K, 20x: a name of its own
        said = rest.lstrip(" -\u00a0")
        word = re.match(r"[^\W\d_]+|[^\w\s.,;:!?)]", said)
        # A model that may not write "millilitre" here writes "millilitle".
        return word is None or (word[0] not in self.units and word[0][:_STEM] not in self._unit_stems)

    @cached_property
    def _unit_stems(self) -> frozenset[str]:
        return frozenset(unit[:_STEM] for unit in self.units if len(unit) >= _STEM)

    def _is_code(self, code: re.Match[str], *, is_open: bool) -> bool:
        said = code[0].casefold()
        return any(one.startswith(said) if is_open else one == said for one in self.codes)

    # --- Words ------------------------------------------------------------------------------------------------------
    def _words_hold(self, text: str, piece: str) -> bool:
        whole = (text[-_WINDOW:] + piece).casefold()
        fresh = len(whole) - len(piece)
        words = [match for match in _WORD.finditer(whole) if match.end() > fresh - 1]
        for match in words:
            if match[0].isascii():
                if match.end() > fresh and self._ends_forbidden(whole, match, is_open=match.end() == len(whole)):
                    return False
            elif self._holds_forbidden(match[0]):
                return False
        return True

    def _ends_forbidden(self, whole: str, match: re.Match[str], *, is_open: bool) -> bool:
        said = [one[0] for one in _WORD.finditer(whole, 0, match.end())][-_LONGEST_TERM:]
        for n in range(1, len(said) + 1):
            term = " ".join(said[-n:])
            if term not in self.forbidden and term.removesuffix("s") not in self.forbidden:
                continue
            if not (is_open and n == 1 and any(one.startswith(term) and one != term for one in self.known)):
                return True
        return False

    def _holds_forbidden(self, run: str) -> bool:
        """Of a script without spaces a term may begin anywhere."""
        tail = run[-16:]
        return any(
            tail[start:end] in self.forbidden for start in range(len(tail)) for end in range(start + 1, len(tail) + 1)
        )

    # --- Names ------------------------------------------------------------------------------------------------------
    def _capitals_hold(self, text: str, piece: str) -> bool:
        whole = text[-_WINDOW:] + piece
        fresh = len(whole) - len(piece)
        for match in _WORD.finditer(whole):
            said = match[0]
            if match.end() < fresh or said == said.lower() or said in ("I", "It", "A"):
                continue
            if _STARTS.search(whole[: match.start()]) and said[1:] == said[1:].lower():
                continue
            if match.start() == 0 and len(text) > _WINDOW:
                continue  # the window cuts it
            if not self._is_known(said.casefold(), is_open=match.end() == len(whole)):
                return False
        return True

    def _is_known(self, said: str, *, is_open: bool) -> bool:
        if said in self.known or f"{said}s" in self.known:
            return True
        return is_open and any(one.startswith(said) for one in self._known_sorted)

    @cached_property
    def _known_sorted(self) -> tuple[str, ...]:
        return tuple(sorted(self.known))


def _code_at(whole: str, number: re.Match[str]) -> re.Match[str] | None:
    """Return the word that the digits are part of (IP67, A4, X-200), None where they stand for themselves."""
    before = whole[: number.start()]
    if not before or not (before[-1].isalpha() and before[-1].isascii()):
        return None
    start = max(before.rfind(char) for char in " \n\"'“(") + 1
    return _CODE.match(whole, start)


def _ends_with(text: str, word: str) -> bool:
    if not text.endswith(word):
        return False
    return not word[0].isascii() or not text[: -len(word)][-1:].isalpha()


def _begins_with(rest: str, words: frozenset[str]) -> bool:
    said = rest.lstrip(" -(").removeprefix("in ").removeprefix("of ")
    return any(said.startswith(word) and not _is_glued(word, said) for word in words)


def _is_glued(end: str, rest: str) -> bool:
    """Whether a letter follows, so that the word is a longer one ("g" of "glass")."""
    after = rest[len(end) : len(end) + 1]
    return end[-1:].isalpha() and end[-1:].isascii() and after.isalpha() and after.isascii()
