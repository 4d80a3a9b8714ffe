"""Read through disguises: letters spaced out, stretched or swapped for signs, look-alikes, Chinese written by sound."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Final

from moderation.policy.folding import Folded
from moderation.policy.literals import LEXICONS

HAN: Final = "\u3400-\u9fff"
# Signs that stand for letters ("sh1t", "a$$hole"), inside of what begins like a word.
_SIGNS: Final = str.maketrans(
    {"@": "a", "$": "s", "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "!": "i"}
)
_SIGNED: Final = re.compile(r"[a-z0-9@$!]{2,}")
# What is put between the letters of a word: signs and pictures.
_BETWEEN: Final = r" \t.·*_|/~+\u2600-\u27bf\U0001f000-\U0001faff-"
_SPACED_OUT: Final = re.compile(rf"(?<![a-z0-9'])[a-z](?:[{_BETWEEN}]{{1,3}}[a-z](?![a-z0-9'])){{3,}}")
_GAP: Final = re.compile(rf"[{_BETWEEN}]+")
_STRETCHED: Final = re.compile(r"([a-z])\1{2,}")
_GAP_IN_CHINESE: Final = re.compile(rf"(?<=[{HAN}])[{_BETWEEN}]{{1,3}}(?=[{HAN}])")
_MIXED: Final = re.compile(rf"[{HAN}][ .*_-]?[a-z]|[a-z][ .*_-]?[{HAN}]")
_OTHER_LETTER: Final = re.compile(rf"[^\x00-\x7f{HAN}\u3000-\u303f\uff00-\uffef\u2000-\u206f]")


def unmask(folded: Folded) -> Folded | None:
    """Return `folded` without its disguises, or None where it wears none. Takes time linear in its length.

    What comes out is for looking for words that must not be said, and for nothing else: an honest “B12” reads “bi2”.
    """
    reading = _Reading(folded.text)
    reading.put(_OTHER_LETTER, lambda match: _latin(match[0]))
    reading.put(_SIGNED, lambda match: _letters(match[0]))
    reading.put(_SPACED_OUT, lambda match: _closed(match[0]))
    reading.put(_STRETCHED, lambda match: match[1] + "\0" * (len(match[0]) - 1))
    reading.put(_GAP_IN_CHINESE, lambda match: "\0" * len(match[0]))
    spelling, meant = _by_sound()
    reading.put(spelling, lambda match: meant[match[0]].ljust(len(match[0]), "\0"))
    if _MIXED.search(reading.text):
        reading.put(_in_pinyin(), _in_characters)
    if reading.text == folded.text:
        return None
    places = reading.places
    origins = places if folded.origins is None else [folded.origins[place] for place in places]
    return Folded(reading.text, folded.original_length, origins)


class _Reading:
    """A text that is rewritten in place, which remembers where each character stood. A "\\0" is left out."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.places = list(range(len(text)))

    def put(self, pattern: re.Pattern[str], meant: Callable[[re.Match[str]], str]) -> None:
        """Put what is `meant`, of the same length, for each match of `pattern`."""
        changed = pattern.sub(meant, self.text)
        if changed == self.text:
            return
        kept = [index for index, char in enumerate(changed) if char != "\0"]
        self.text = "".join(changed[index] for index in kept)
        self.places = [self.places[index] for index in kept]


def _closed(spaced: str) -> str:
    """Return letters that stand apart as words: a gap wider than the others lies between two of them."""
    usual = min(len(gap) for gap in _GAP.findall(spaced))
    return _GAP.sub(
        lambda gap: (" " if len(gap[0]) > usual and gap[0].isspace() else "\0").ljust(len(gap[0]), "\0"), spaced
    )


def _letters(word: str) -> str:
    """Return a word with letters for the signs in it, unless it begins with a digit."""
    inside = word.rstrip("!")
    return inside.translate(_SIGNS) + word[len(inside) :] if inside.lstrip("@$")[:1].isalpha() else word


@lru_cache(maxsize=10_000)
def _latin(char: str) -> str:
    """Return the Latin letter that `char` is drawn like, or `char`. Source: Unicode TR 39, by confusable_homoglyphs."""
    if not char.isalpha():
        return char
    # Imported here: its tables take 18 MB, and few texts need them.
    from confusable_homoglyphs import confusables

    found = confusables.is_confusable(char, greedy=True) or []
    drawn = (other["c"].lower() for one in found for other in one["homoglyphs"])
    return next((letter for letter in drawn if len(letter) == 1 and "a" <= letter <= "z"), char)


def _in_characters(match: re.Match[str]) -> str:
    """Return the word that is written half in pinyin; one in characters alone stays, so does one in letters alone."""
    written = match[0]
    if not _MIXED.search(written):
        return written
    word = next(word for number, word in enumerate(_words_in_pinyin()) if match[f"word{number}"])
    return word.ljust(len(written), "\0")


@cache
def _words_in_pinyin() -> dict[str, list[str]]:
    """Return the words that are looked for half in pinyin, each with its syllables; from a reviewed list."""
    document = tomllib.loads((LEXICONS / "disguises.toml").read_text(encoding="utf-8"))
    return {word: said.split() for word, said in document["pinyin"].items()}


@cache
def _in_pinyin() -> re.Pattern[str]:
    words = []
    for number, (word, syllables) in enumerate(_words_in_pinyin().items()):
        letters = ("[ .*_-]?".join(syllable) for syllable in syllables)
        each = (f"(?:{char}|{said})" for char, said in zip(word, letters, strict=True))
        words.append(f"(?P<word{number}>(?<![a-z]){'[ .*_-]?'.join(each)}(?![a-z]))")
    return re.compile("|".join(words))


@cache
def _by_sound() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return what Chinese is written as to get past a list of words, and what it means; from a reviewed list."""
    document = tomllib.loads((LEXICONS / "disguises.toml").read_text(encoding="utf-8"))
    meant = {spelling: word for word, spellings in document["chinese"].items() for spelling in spellings}
    # Pinyin and digits count only inside of Chinese.
    parts = [
        rf"(?<![a-z]){re.escape(one)}(?=[{HAN}])" if one.isascii() else rf"{re.escape(one)}(?![0-9])"
        for one in sorted(meant, key=len, reverse=True)
    ]
    return re.compile("|".join(parts)), meant
