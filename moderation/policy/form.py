"""Is the text fit to be read at all: length, repetition, markup, script; and no refusal, chatter or leaked prompt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from moderation.policy.base import Check, Draft, Hit, Severity
from moderation.policy.model_talk import Talk, find_leaks, find_phrases
from moderation.policy.stance import why_no_claim
from moderation.policy.text import Text
from moderation.policy.words import Words, words_of

# (least, most) words of English and characters of Chinese, by channel. A person sees what lies outside.
LENGTHS: Final[dict[str, dict[str, tuple[int, int]]]] = {
    "en": {"description": (12, 200), "recommendation": (4, 40), "ad_slogan": (2, 15)},
    "zh": {"description": (20, 400), "recommendation": (6, 80), "ad_slogan": (3, 30)},
}
REPEATED_WORD: Final = 3
REPEATED_SHARE: Final = 0.35
RUN_OF_CHARACTERS: Final = 10
SCRIPT_SHARE: Final = 0.5

_RUN = re.compile(rf"(\S)\1{{{RUN_OF_CHARACTERS - 1},}}")
_SENTENCE_END = re.compile(r"[.!?…。！？~～♥❤️]['\"”’」』)）\]】\s]*$")
_CUT_OFF = re.compile(r"(?:[,，、:：;；\-–—(（]|\b(?:and|or|with|the|a|an|of|to|for|in|by|和|与|的|以及))\s*$", re.I)
_ACTIVE_HTML = re.compile(
    r"<\s*/?\s*(?:script|iframe|object|embed|style|svg|form)\b|javascript:|\bon[a-z]{4,12}\s{0,3}=", re.I
)
_HTML = re.compile(r"</?[a-z][a-z0-9]{0,10}(?:\s[^<>]{0,200})?/?>|&(?:[a-z]{2,8}|#\d{1,6});", re.I)
_MARKDOWN = re.compile(
    r"^[ \t]{0,3}(?:#{1,6} |[*+] |> |\d{1,2}\) |-{3,}$|={3,}$)|\*\*|__(?=\w)|(?<=\w)__|\]\(|```|`", re.M
)
_BROKEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd\ufffe\uffff\ud800-\udfff\u202a-\u202e\u2066-\u2069]|<unk>", re.I
)


class LengthCheck(Check):
    """Length and form: neither empty nor endless, no loops, no markup, in the script of its locale."""

    name = "length"
    version = "2"

    def find(self, draft: Draft) -> list[Hit]:
        """Return the faults of form. Empty text, loops, active HTML and the wrong script block; the rest warns."""
        if not any(char.isalnum() for char in draft.text):
            return [Hit("empty", Severity.BLOCK, "There is no text.", 0, len(draft.text))]
        words = draft.said.words
        return [
            *_length(draft, words),
            *_repetition(draft, words),
            *_script(draft, words),
            *_markup(draft.said),
            *_ending(draft),
        ]


class RefusalCheck(Check):
    """Refusals, chatter, leaked prompts and unfilled placeholders: the model spoke to us, not to the shopper."""

    name = "refusal"
    version = "2"

    def find(self, draft: Draft) -> list[Hit]:
        """Return every such phrase; each blocks, or warns if it may be meant for a shopper.

        One that the title or a fact says as well warns, and in quotation marks it is what is printed on the product.
        """
        folded = draft.said.folded
        own = [text.folded.text for _, text in draft.own]
        hits = []
        for talk in find_phrases(folded.text):
            severity = _severity(folded.text, talk, own)
            hits.append(Hit(talk.code, severity, _TALK[talk.code], *folded.span(talk.start, talk.end)))
        for leak in find_leaks(draft, draft.said.words):
            hits.append(Hit(leak.code, Severity.BLOCK, _TALK[leak.code], leak.start, leak.end))
        return sorted(hits, key=lambda hit: (hit.start or 0, hit.code))


def _severity(text: str, talk: Talk, own: Sequence[str]) -> Severity:
    if not any(text[talk.start : talk.end] in said for said in own):
        return Severity.BLOCK if talk.is_sure else Severity.WARN
    is_quoted = why_no_claim(text, talk.start, talk.end, own, nonetheless=("notice", "denied", "told")) == "quoted"
    return Severity.INFO if is_quoted else Severity.WARN


_TALK: Final = {
    "refusal": "The model refuses or speaks about itself.",
    "chatter": "The model addresses the person who asked, not the shopper.",
    "leaked_marker": "A label or marker of the prompt is left in.",
    "placeholder": "A placeholder was never filled in.",
    "prompt_leak": "The text repeats the instructions it was written under.",
}


def _is_chinese(locale: str) -> bool:
    return locale.lower().startswith("zh")


def _length(draft: Draft, words: Words) -> Iterator[Hit]:
    chinese = _is_chinese(draft.locale)
    limits = LENGTHS["zh" if chinese else "en"].get(draft.channel)
    if limits is None:
        return
    least, most = limits
    count = sum(not char.isspace() for char in draft.text) if chinese else len(words.words)
    unit = "characters" if chinese else "words"
    evidence = {"count": count, "least": least, "most": most, "unit": unit}
    if count < least:
        yield Hit("too_short", Severity.WARN, f"{count} {unit}; at least {least} are asked for.", None, None, evidence)
    elif count > most:
        start = _position_after(draft.text, words, most, chinese=chinese)
        message = f"{count} {unit}; at most {most} fit."
        yield Hit("too_long", Severity.WARN, message, start, len(draft.text), evidence)


def _position_after(text: str, words: Words, most: int, *, chinese: bool) -> int:
    if not chinese:
        return words.spans[most][0]
    left = most
    for index, char in enumerate(text):
        left -= not char.isspace()
        if left < 0:
            return index
    return len(text)


def _repetition(draft: Draft, words: Words) -> Iterator[Hit]:
    for run in _RUN.finditer(draft.text):
        if not run[1].isdigit():
            yield Hit("repeated_character", Severity.BLOCK, f"{run[1]!r} is repeated.", run.start(), run.end())
    title = f" {words_of(draft.title).joined} "
    start = 0
    for index in range(1, len(words.words) + 1):
        if index < len(words.words) and words.words[index] == words.words[start]:
            continue
        word, times = words.words[start], index - start
        # One Han character thrice is ordinary (哈哈哈); a word thrice is a loop unless the product is called so.
        enough = REPEATED_WORD if len(word) > 1 else REPEATED_WORD + 2
        if times >= enough and not word.isdigit() and f" {word} {word} " not in title:
            span = words.spans[start][0], words.spans[index - 1][1]
            message = f"“{word[:40]}” {times} times in a row."
            yield Hit("repeated_word", Severity.BLOCK, message, *span, {"times": times})
        start = index
    yield from _repeated_text(words, size=8 if _is_chinese(draft.locale) else 4)


def _repeated_text(words: Words, *, size: int) -> Iterator[Hit]:
    """A text whose n-grams come again and again is a loop; some repetition (a name, a unit) is natural."""
    total = len(words.words) - size + 1
    if total < 2 * size:
        return
    seen: dict[tuple[str, ...], int] = {}
    repeated = 0
    first = last = -1
    for index in range(total):
        gram = tuple(words.words[index : index + size])
        if gram in seen and index - seen[gram] >= size:
            repeated += 1
            first = index if first < 0 else first
            last = index + size - 1
        else:
            seen.setdefault(gram, index)
    share = repeated / total
    if share >= REPEATED_SHARE:
        message = f"{share:.0%} of the text repeats what it said before."
        evidence = {"share": round(share, 3)}
        yield Hit("repeated_text", Severity.BLOCK, message, words.spans[first][0], words.spans[last][1], evidence)


def _script(draft: Draft, words: Words) -> Iterator[Hit]:
    """Names in another script are fine, so a Latin word counts once, as a Han character does."""
    han = sum(1 for word in words.words if _is_han(word[0]))
    latin = sum(1 for word in words.words if "a" <= word[0] <= "z")
    letters = sum(1 for word in words.words if word[0].isalpha())
    if letters == 0:
        return
    wanted = han if _is_chinese(draft.locale) else latin
    share = wanted / letters
    if share < SCRIPT_SHARE:
        message = f"Only {share:.0%} of the words are in the script of {draft.locale}."
        yield Hit("wrong_script", Severity.BLOCK, message, None, None, {"share": round(share, 3)})
        return
    if not _is_chinese(draft.locale):
        known = draft.title + draft.brand + "".join(fact.value for fact in draft.facts)
        for run in re.finditer(r"[\u3400-\u9fff]+", draft.text):
            if run[0] not in known:
                yield Hit("wrong_script", Severity.WARN, "Chinese characters in other text.", run.start(), run.end())


def _is_han(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff"


def _markup(said: Text) -> Iterator[Hit]:
    text = said.raw
    # Folded: in full width it is none yet, and becomes so where a shop normalises what it is sent.
    for match in _ACTIVE_HTML.finditer(said.folded.text):
        span = said.folded.span(*match.span())
        yield Hit("active_html", Severity.BLOCK, "HTML that could run in a shopper's browser.", *span)
    for match in _HTML.finditer(text):
        yield Hit("html", Severity.WARN, f"HTML left in: {match[0][:60]}", *match.span())
    for match in _MARKDOWN.finditer(text):
        yield Hit("markdown", Severity.WARN, "Markdown left in.", *match.span())
    for match in _BROKEN.finditer(text):
        yield Hit("broken_character", Severity.WARN, "A control or replacement character.", *match.span())


def _ending(draft: Draft) -> Iterator[Hit]:
    text = draft.text.rstrip()
    tail = text[-40:]
    cut_off = _CUT_OFF.search(tail)
    # A slogan needs no full stop; a description that stops without one was cut by the token limit.
    missing = draft.channel == "description" and not _SENTENCE_END.search(tail)
    if cut_off or missing:
        start = max(0, len(text) - 20)
        yield Hit("unfinished", Severity.WARN, "The text seems to break off.", start, len(text))
