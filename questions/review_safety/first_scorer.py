"""What says which reviews are worth a look before people have judged any: lists of words, identifiers, form.

It decides nothing: what it marks, or is unsure of, is put before people. It reads a text a fixed number of times, in
linear time. Measured in docs/benchmarks/review-safety.md.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from core.exceptions import PermanentError
from inference.contracts import Classification, TextClassifier
from moderation.policy.base import Draft
from moderation.policy.folding import fold
from moderation.policy.identifiers import find_identifiers
from moderation.policy.literals import literals
from moderation.policy.profanity import ProfanityCheck
from questions.eligibility import PERSONAL

CHOICES: Final = ("abuse", "hate", "sexual", "spam", "personal_data", "off_topic")
SEPARATOR: Final = "\n\n"  # between the words of the customer and the product's name, which comes last
FILE: Final = "words.toml"
MOST: Final = 8000  # characters that are read
# How likely each is of a review that shows no sign of it; and never likelier than this by signs alone, nor less: people
# look.
PRIOR: Final = 0.002
SUREST: Final = 0.9
# How far each sign goes alone, 0 to 1.
SWEARING, AT_SOMEBODY, SLUR = 0.35, 0.55, 0.6
LINK, CONTACT, REPEATS, SHOUTING, STUTTER = 0.55, 0.5, 0.4, 0.2, 0.05
PERSONAL_SIGN, ADDRESS = 0.85, 0.6
NOTHING_OF_IT, LITTLE_OF_IT = 0.6, 0.25
# Of a text that is longer than what is read: anything may stand in the rest, so people look (ask_below).
UNREAD = 0.2
_PERSON = re.compile(
    r"(?<![a-z])(?:you|your|u|ur|seller|sellers|they|he|she|him|her|them|staff|manager)(?![a-z])|[你您他她]|卖家|商家|客服|老板"
)
_WORD = re.compile(r"[a-z0-9']{1,40}|[\u3400-\u9fff]")
_SAME_SIGN = re.compile(r"(\S)\1{5,}")
_URL_KINDS, _CONTACT_KINDS = frozenset({"url"}), frozenset({"contact", "social_handle"})
# Too few words say too little of what they are about; a Chinese character counts as one, and says less than a word.
FEWEST_WORDS, FEW_WORDS, CHINESE = 20, 30, 2.5


class WordListSafety(TextClassifier):
    """Gives each text a probability for each choice, from the signs in it. The artefact holds the lists of words."""

    labels = CHOICES

    def __init__(self, *, directory: Path | None, options: Mapping[str, Any]) -> None:
        super().__init__(directory=directory, options=options)
        if directory is None:
            raise PermanentError("the back end safety_words needs an artefact", hint="Run `manage.py prepare_models`.")
        lists = tomllib.loads((directory / FILE).read_text(encoding="utf-8"))
        self.cues = [
            (str(cue["choice"]), float(cue["weight"]), re.compile(literals([*cue["en"], *cue["zh"]])))
            for cue in lists["cue"]
        ]
        self.shopping = re.compile(literals([*lists["shopping"]["en"], *lists["shopping"]["zh"]]))
        self.profanity = ProfanityCheck()

    def classify(self, texts: Sequence[str]) -> list[Classification]:
        """Return one `Classification` for each text, in order: the customer's words, `SEPARATOR`,
        the product's name.
        """
        return [Classification.of_several(CHOICES, self._row(text)) for text in texts]

    def _row(self, text: str) -> list[float]:
        words, is_parted, product = text.rpartition(SEPARATOR)
        words, product = (words, product) if is_parted else (text, "")
        signs: dict[str, list[float]] = {choice: [] for choice in CHOICES}
        for choice, weight in self._signs(words[:MOST], product[:MOST]):
            signs[choice].append(weight)
        if len(words) > MOST:
            signs["spam"].append(UNREAD)
        return [_together(signs[choice]) for choice in CHOICES]

    def _signs(self, words: str, product: str) -> Iterator[tuple[str, float]]:
        folded = fold(words).text
        for choice, weight, pattern in self.cues:
            yield from ((choice, weight) for _ in set(_firsts(pattern.finditer(folded))))
        yield from self._swearing(words, folded)
        yield from _identifiers(folded)
        yield from _form(words, folded)
        yield from self._topic(folded, fold(product).text)

    def _swearing(self, words: str, folded: str) -> Iterator[tuple[str, float]]:
        hits = self.profanity.find(Draft(words, "review", "en", ""))
        if slurs := [hit for hit in hits if hit.code == "slurs"]:
            yield "hate", SLUR
            yield "abuse", min(SWEARING * len(slurs), SLUR)
        if vulgar := [hit for hit in hits if hit.code != "slurs"]:
            yield "abuse", AT_SOMEBODY if _PERSON.search(folded) else SWEARING
            yield from (("abuse", SWEARING) for _ in vulgar[1:3])

    def _topic(self, folded: str, product: str) -> Iterator[tuple[str, float]]:
        """Where the product is known: whether the words speak of it, or of what people say of things they bought."""
        found = _WORD.findall(folded)
        n_words = sum(1 if word.isascii() else 1 / CHINESE for word in found)
        if not product or n_words < FEWEST_WORDS:
            return
        named = {word for word in _WORD.findall(product) if len(word) > 2 or not word.isascii()}
        n_of_it = len(named & set(found)) + sum(1 for _ in self.shopping.finditer(folded))
        if n_of_it == 0:
            yield "off_topic", NOTHING_OF_IT
        elif n_of_it == 1 and n_words >= FEW_WORDS:
            yield "off_topic", LITTLE_OF_IT


def build(directory: Path) -> None:
    """Write the artefact of the first model into the empty folder `directory`:
    the lists as they are in this version.
    """
    (directory / FILE).write_bytes((Path(__file__).parent / FILE).read_bytes())


def _firsts(matches: Iterable[re.Match[str]]) -> Iterator[str]:
    """The first few words found: more of them make it no surer."""
    for number, match in enumerate(matches):
        if number >= 5:
            return
        yield match[0]


def _identifiers(folded: str) -> Iterator[tuple[str, float]]:
    found = list(find_identifiers(folded))
    mails = [one for one in found if one.kind == "email"]
    # The host of an e-mail address reads as a link, too.
    kinds = {
        one.kind for one in found if one.kind != "url" or not any(m.start <= one.start < m.end for m in mails[:50])
    }
    if kinds & PERSONAL:
        yield "personal_data", PERSONAL_SIGN
    elif "street_address" in kinds:
        yield "personal_data", ADDRESS
    if kinds & _URL_KINDS:
        yield "spam", LINK
    if kinds & _CONTACT_KINDS:
        yield "spam", CONTACT


def _form(words: str, folded: str) -> Iterator[tuple[str, float]]:
    """Words said again and again, shouting, one sign many times: the form of spam, and of anger, which is none."""
    found = _WORD.findall(folded)
    if len(found) >= 12:
        ((_, most),) = Counter(zip(found, found[1:], found[2:], strict=False)).most_common(1)
        if most >= 4 and most * 3 > len(found) / 2:
            yield "spam", REPEATS
    letters = [char for char in words if char.isascii() and char.isalpha()]
    if len(letters) >= 40 and sum(char.isupper() for char in letters) > 0.8 * len(letters):
        yield "spam", SHOUTING
    if _SAME_SIGN.search(words):
        yield "spam", STUTTER


def _together(weights: Sequence[float]) -> float:
    """Return how likely it is by all signs of it, each taken for itself (noisy or)."""
    return min(SUREST, 1 - (1 - PRIOR) * math.prod(1 - weight for weight in weights))
