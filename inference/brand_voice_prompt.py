"""What a prompt says of how a brand speaks; nothing where it has no voice, so that such prompts stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from inference.contracts import BrandVoice

# What is told of the terms, so that a prompt stays short; the check looks for all of them.
MOST_PAIRS, MOST_NEVER = 20, 40
MOST_CHARACTERS, LONGEST_TONE = 60, 200


@dataclass(frozen=True)
class _Wording:
    tone: str
    pair: str
    never: str
    sentence: str
    either: str


_WORDINGS: Final = {
    "en": _Wording(
        tone="Tone: {}",
        pair="Write “{say}”, not {others}.",
        never="Never write {}.",
        sentence="Write at most {} words in a sentence.",
        either=" or ",
    ),
    "zh-Hans": _Wording(
        tone="语气：{}",
        pair="要写“{say}”，不写{others}。",
        never="不得写{}。",
        sentence="每句不超过 {} 个字。",
        either="或",
    ),
}


def voice_lines(voice: BrandVoice | None, *, locale: str, clean: Callable[..., str]) -> list[str]:
    """Return the lines about `voice` in the language of `locale`; `clean(text, limit=n)` makes data of a text."""
    wording = _WORDINGS.get(locale)
    if voice is None or wording is None:
        return []
    lines = frame_lines(voice, locale=locale, clean=clean)
    for say, others in list(voice.pairs)[:MOST_PAIRS]:
        say, named = clean(say, limit=MOST_CHARACTERS), _named(others, wording, clean)
        if say and named:
            lines.append(wording.pair.format(say=say, others=named))
    if named := _named(list(voice.never)[:MOST_NEVER], wording, clean):
        lines.append(wording.never.format(named))
    return lines


def frame_lines(voice: BrandVoice | None, *, locale: str, clean: Callable[..., str]) -> list[str]:
    """Return the lines that no copy says: tone and length. The others hold words that it is to use."""
    wording = _WORDINGS.get(locale)
    if voice is None or wording is None:
        return []
    tone = clean(voice.tone, limit=LONGEST_TONE)
    lines = [wording.tone.format(tone)] if tone else []
    return [*lines, wording.sentence.format(voice.longest_sentence)] if voice.longest_sentence else lines


def _named(terms: Sequence[str], wording: _Wording, clean: Callable[..., str]) -> str:
    cleaned = [clean(term, limit=MOST_CHARACTERS) for term in terms]
    return wording.either.join(f"“{term}”" for term in cleaned if term)
