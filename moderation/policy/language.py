"""Is the text in the language of its locale: English or another European one, simplified or traditional Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from moderation.policy.base import Check, Draft, Hit, Severity
from moderation.policy.folding import fold
from moderation.policy.words import words_of

# Words that hold sentences together, and that English does not have. Enough to tell languages apart, not to read them.
_SMALL_WORDS: Final[Mapping[str, frozenset[str]]] = {
    language: frozenset(words.split())
    for language, words in {
        "English": (
            "the and is are of to with for this that it your you in on from by be as has have its our at or an a "
            "not will can all"
        ),
        "German": (
            "der die das und ist mit für ein eine einen einer nicht auch von zu den dem des im auf sich wird sind "
            "ihr sie aus bei oder wie durch dieser diese dieses"
        ),
        "French": (
            "le la les et est un une des du de pour avec dans que qui sur pas vous votre ce cette ces son sa ses "
            "aux au par plus sont ou en"
        ),
        "Spanish": (
            "el la los las y es un una unos unas del de para con en que por su sus se lo más este esta como al muy son"
        ),
        "Italian": (
            "il lo la gli le e è un una uno di del della dei per con in che non si su questo questa sono più come "
            "al dal nel alla"
        ),
        "Portuguese": (
            "o a os as e é um uma do da dos das de para com em que não se por no na mais seu sua este esta são ao como"
        ),
        "Dutch": (
            "de het een en is van voor met op in niet te dat die zijn aan ook uw je deze dit wordt door bij naar of als"
        ),
    }.items()
}
# As words are read: without accents.
_FOLDED: Final = {language: frozenset(fold(word).text for word in words) for language, words in _SMALL_WORDS.items()}
LEAST_WORDS: Final = 6
_KANA: Final = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_HANGUL: Final = re.compile("[\uac00-\ud7af]")
MOST_FOREIGN: Final = 0.02


class LanguageCheck(Check):
    """The language of a draft against its locale. The script alone is the business of the length check."""

    name = "language"
    version = "1"

    def find(self, draft: Draft) -> list[Hit]:
        """Return a block for another language, and a warning with spans for characters of another form of Chinese."""
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
    words = words_of(draft.text).words
    if len(words) < LEAST_WORDS:
        return []
    counts = {language: sum(word in smalls for word in words) for language, smalls in _FOLDED.items()}
    english = counts.pop("English")
    language, most = max(counts.items(), key=lambda item: item[1])
    if most >= 3 and most > 1.5 * english and most >= 0.15 * len(words):
        message = f"The text seems to be {language}, not English."
        return [Hit("wrong_language", Severity.BLOCK, message, None, None, {"seems": language, "words": most})]
    return []


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
