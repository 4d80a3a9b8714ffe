"""The check of how a brand speaks: terms that it does not use, with what it says instead, and sentences too long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from core.hashing import hash_json
from moderation.policy.base import Check, Draft, Hit, Severity
from moderation.policy.brand_voices import BrandVoices, Voice, key_of
from moderation.policy.fixups import Fixup

_SENTENCE_END: Final = re.compile(r"[.!?]+(?=[\s\"'”’)]|$)|[。！？…\n]+")
_ARTICLE: Final = re.compile(r"(?<!\w)(an?)\s+$", re.I)
_VOWELS: Final = "aeiou"


class BrandVoiceCheck(Check):
    """Whether a draft speaks as its brand does; everything warns, for who has to know is a person.

    A brand or a language without a voice is left alone.
    """

    name = "brand_voice"

    def __init__(self, voices: BrandVoices | None = None) -> None:
        """Take the voices of a policy version (default: none)."""
        self._voices = voices or BrandVoices()
        kept = self._voices.dump()
        self.version = f"1+{hash_json(kept)[:8]}" if kept else "1"

    def find(self, draft: Draft) -> list[Hit]:
        """Return each unwanted term, with a fix-up where there is another to say, and each sentence that is too long.

        What stands in the title, the brand or a fact as part of more words is their own wording and no hit: the colour
        “bottle green” stays.
        """
        voice = self._voices.voice_for(draft.brand, draft.locale) if draft.brand else None
        if voice is None:
            return []
        hits = [*_terms(draft, voice), *_sentences(draft, voice)]
        return sorted(hits, key=lambda hit: (hit.start or 0, hit.code))


def _terms(draft: Draft, voice: Voice) -> Iterator[Hit]:
    if voice.pattern is None:
        return
    folded = draft.said.folded
    own = list(_own_wording(draft))
    for match in voice.pattern.finditer(folded.text):
        start, end = match.span()
        instead = voice.instead.get(key_of(match[0]))
        if instead is None or folded.is_cut_out(start, end):
            continue
        if any(first <= start and end <= last and (first, last) != (start, end) for first, last in own):
            continue
        yield _hit(draft, *folded.span(start, end), instead)


def _own_wording(draft: Draft) -> Iterator[tuple[int, int]]:
    """Yield where the text repeats the title, the brand or the value of a fact."""
    text = draft.said.folded.text
    for value in {said.folded.text.strip() for _, said in draft.own} - {""}:
        at = text.find(value)
        while at >= 0:
            yield at, at + len(value)
            at = text.find(value, at + len(value))


def _hit(draft: Draft, start: int, end: int, instead: str) -> Hit:
    written = draft.text[start:end]
    evidence: dict[str, Any] = {"term": written, "brand": draft.brand, "instead": instead}
    message = f"{draft.brand} does not say “{written}”."
    if instead:
        message = f"{draft.brand} does not say “{written}” but “{instead}”."
        evidence["fixup"] = _replaced(draft, start, end, instead).as_evidence
    return Hit("brand_term", Severity.WARN, message, start, end, evidence)


def _replaced(draft: Draft, start: int, end: int, instead: str) -> Fixup:
    """Return the fix-up: in the letters of what was written, and with the article that fits."""
    written = draft.text[start:end]
    said = instead
    if instead == instead.lower():  # a name keeps its own capitals
        if len(written) > 1 and written.isupper():
            said = instead.upper()
        elif written[0].isupper():
            said = instead[0].upper() + instead[1:]
    article = _ARTICLE.search(draft.text, max(0, start - 8), start)
    if article and article[1].lower() == _article_of(written) != _article_of(instead):
        fitting = _article_of(instead)
        between = draft.text[article.end(1) : start]
        first = fitting.capitalize() if article[1][0].isupper() else fitting
        return Fixup(article.start(1), end, f"{first}{between}{said}")
    return Fixup(start, end, said)


def _article_of(word: str) -> str:
    # By the letter. Where the text has it otherwise ("an hour", "a unit") its article is left alone.
    return "an" if word[0].lower() in _VOWELS else "a"


def _sentences(draft: Draft, voice: Voice) -> Iterator[Hit]:
    most = voice.longest_sentence
    if most is None:
        return
    unit = "characters" if draft.locale.startswith("zh") else "words"
    starts = [first for first, _ in draft.said.words.spans]
    word = 0
    for begin, end in _spans_of_sentences(draft.text):
        first = word
        while word < len(starts) and starts[word] < end:
            word += 1
        if word - first > most:
            evidence = {"count": word - first, "most": most, "unit": unit, "brand": draft.brand}
            message = f"A sentence of {word - first} {unit}; {draft.brand} writes at most {most}."
            yield Hit("brand_sentence", Severity.WARN, message, begin, end, evidence)


def _spans_of_sentences(text: str) -> Iterator[tuple[int, int]]:
    begin = 0
    for match in _SENTENCE_END.finditer(text):
        if text[begin : match.end()].strip():
            yield _without_spaces(text, begin, match.end())
        begin = match.end()
    if text[begin:].strip():
        yield _without_spaces(text, begin, len(text))


def _without_spaces(text: str, begin: int, end: int) -> tuple[int, int]:
    said = text[begin:end]
    return begin + len(said) - len(said.lstrip()), begin + len(said.rstrip())
