"""Is the text in the language of its locale: English by a model of letters, simplified or traditional Chinese."""

from __future__ import annotations

import re
from collections.abc import Set
from functools import lru_cache
from typing import Final

from catalog.language_model import ENGLISH, SURE, identify
from moderation.policy.base import Check, Draft, Hit, Severity
from moderation.policy.words import words_of

LEAST_WORDS: Final = 6
_SENTENCE: Final = re.compile(r"[^.!?;|\n。！？；]+")
_KANA: Final = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_HANGUL: Final = re.compile("[\uac00-\ud7af]")
MOST_FOREIGN: Final = 0.02


class LanguageCheck(Check):
    """The language of a draft against its locale. The script alone is the business of the length check."""

    name = "language"
    version = "2"

    def find(self, draft: Draft) -> list[Hit]:
        """Return a block for another language, and a warning for a sentence in one, or for another form of Chinese."""
        if draft.locale.lower().startswith("zh"):
            return _in_chinese(draft)
        if draft.locale.lower().split("-")[0] == "en":
            return _in_english(draft)
        return []


@lru_cache(maxsize=20_000)
def _is_only_in(char: str, has: str, lacks: str) -> bool:
    """Whether a Han character is of one form of Chinese alone: the old standards of each side list just their own.

    GB 2312 (1980) holds the 6,763 simplified characters in use, Big5 (1984) the 13,053 traditional ones.
    """
    return "\u3400" <= char <= "\u9fff" and _is_in(char, has) and not _is_in(char, lacks)


def _is_in(char: str, charset: str) -> bool:
    try:
        char.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _in_english(draft: Draft) -> list[Hit]:
    if len(draft.said.words.words) < LEAST_WORDS:
        return []
    own = {word for _, text in draft.own for word in text.words.words}
    told = [(sentence.span(), _language_of(sentence[0], own)) for sentence in _SENTENCE.finditer(draft.text)]
    language = _language_of(draft.text, frozenset())
    if language not in ("", ENGLISH) and all(found != ENGLISH for _, found in told):
        message = f"The text seems to be {language}, not English."
        return [Hit("wrong_language", Severity.BLOCK, message, None, None, {"seems": language})]
    return [
        Hit(
            "wrong_language", Severity.WARN, f"This sentence seems to be {found}, not English.", *span, {"seems": found}
        )
        for span, found in told
        if found not in ("", ENGLISH)
    ]


def _language_of(text: str, own: Set[str]) -> str:
    """Return the language of `text`, or "" where it is too short or unsure; words of the product's own do not count."""
    words = words_of(text).words
    if sum(word not in own for word in words) < LEAST_WORDS:
        return ""
    language, share = identify(text)
    return language if share >= SURE else ""


def _in_chinese(draft: Draft) -> list[Hit]:
    own = frozenset(draft.title + draft.brand + "".join(fact.value for fact in draft.facts))
    han = sum("\u3400" <= char <= "\u9fff" for char in draft.text)
    hits = []
    wants_traditional = draft.locale.lower() in ("zh-hant", "zh-tw", "zh-hk")
    has, lacks, form = ("gb2312", "big5", "simplified") if wants_traditional else ("big5", "gb2312", "traditional")
    found = [i for i, char in enumerate(draft.text) if char not in own and _is_only_in(char, has, lacks)]
    if len(found) > 1 and len(found) > MOST_FOREIGN * max(han, 1):
        evidence = {
            "characters": "".join(draft.text[index] for index in found[:20]),
            "share": round(len(found) / han, 3),
        }
        severity = Severity.BLOCK if len(found) > 0.1 * han and len(found) >= 3 else Severity.WARN
        message = f"{form.capitalize()} characters ({len(found)} of {han}) in a text for {draft.locale}."
        hits.append(Hit("wrong_characters", severity, message, found[0], found[-1] + 1, evidence))
    for name, pattern in (("Japanese", _KANA), ("Korean", _HANGUL)):
        signs = [match.start() for match in pattern.finditer(draft.text) if match[0] not in own]
        if len(signs) >= 3:
            message = f"{name} letters in a text for {draft.locale}."
            hits.append(Hit("wrong_language", Severity.WARN, message, signs[0], signs[-1] + 1, {"seems": name}))
    return hits
