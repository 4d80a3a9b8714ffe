"""The same texts a little changed, as people write to get past a filter, or by mistake; the label stays. Pure.

Four sets: look-alike characters of other alphabets, typing errors, spacing, and another word of the same meaning. The
kinds are those of Ribeiro, M. T. et al. (2020, CheckList, ACL). The same seed changes the same.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from training import augmentation

# Texts of a set: more tell little more, and each is asked of two models.
MOST = 200
# Share of the characters that may change that do, and of the words with a typing error.
CHANGED, MISTYPED = 0.3, 0.2
_LOOK_ALIKES = dict(zip("aceopxyiABCEHKMOPTX", "асеорхуіАВСЕНКМОРТХ", strict=True))


@dataclass(frozen=True)
class Changed:
    """A set of changed texts: `rows` are the places of the texts that they were."""

    name: str
    rows: Sequence[int]
    texts: Sequence[str]


def sets(texts: Sequence[str], *, seed: int = 0, most: int = MOST) -> list[Changed]:
    """Return each kind's changed texts of at most `most` of `texts`, drawn by lot;
    what a kind leaves as it was is not in it.
    """
    drawn = sorted(random.Random(seed).sample(range(len(texts)), min(most, len(texts))))  # noqa: S311
    found = []
    for name, change in KINDS.items():
        rng = random.Random(f"{seed}:{name}")  # noqa: S311
        pairs = [(row, change(texts[row], rng)) for row in drawn]
        kept = [(row, text) for row, text in pairs if text != texts[row] and text.strip()]
        found.append(Changed(name, [row for row, _ in kept], [text for _, text in kept]))
    return found


def look_alikes(text: str, rng: random.Random) -> str:
    """Return `text` with some Latin letters replaced by Cyrillic ones that look the same,
    digits and Chinese by full-width.
    """
    return "".join(_like(char) if rng.random() < CHANGED else char for char in text)


def _like(char: str) -> str:
    if char in _LOOK_ALIKES:
        return _LOOK_ALIKES[char]
    return chr(ord(char) + 0xFEE0) if "0" <= char <= "9" or char in "!?,." else char


def typos(text: str, rng: random.Random) -> str:
    """Return `text` with two neighbouring characters swapped in some words; in Chinese some neighbouring signs."""
    words = text.split(" ")
    if len(words) < 3 and len(text) > 6:
        return "".join(_swapped(text[i : i + 5], rng) for i in range(0, len(text), 5))
    return " ".join(_swapped(word, rng) if len(word) > 3 else word for word in words)


def _swapped(word: str, rng: random.Random) -> str:
    if len(word) < 3 or rng.random() >= MISTYPED:
        return word
    place = rng.randrange(len(word) - 2) + 1
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def spacing(text: str, rng: random.Random) -> str:
    """Return `text` with spaces inside some words, and some between words left out."""
    found = []
    for char in text:
        if char == " " and rng.random() < CHANGED / 3:
            continue
        found.append(char)
        if char.isalpha() and rng.random() < CHANGED / 6:
            found.append(" ")
    return "".join(found)


KINDS: dict[str, Callable[[str, random.Random], str]] = {
    "look-alikes": look_alikes,
    "typos": typos,
    "spacing": spacing,
    "paraphrase": augmentation.replace_synonyms,
}
