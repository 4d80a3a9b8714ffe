"""The one prompt renderer, for serving and for training: instruction apart from data, versioned.

Product text is written by strangers. It reaches the model only as `- name: value` lines inside a fence in the user's
turn, without control characters, chat-template tokens, fence words or role prefixes, and capped in length. That keeps
it data; it does not make a model immune to what the data says. Checks and a person still stand behind.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from core.exceptions import PermanentError
from inference.brand_voice_prompt import frame_lines, voice_lines
from inference.contracts import CopyBrief, GenerationParams, Message
from inference.prompt_texts import TEXTS, PromptText
from inference.writing import limits

# With worked examples: for a model that was not trained on this prompt. Without: for one that was.
PROMPT_VERSION, SHORT_PROMPT_VERSION = "copy-1", "copy-1-short"
VERSIONS = (PROMPT_VERSION, SHORT_PROMPT_VERSION)

FENCE_OPEN, FENCE_CLOSE = "PRODUCT_DATA", "END_OF_DATA"
MAX_TITLE, MAX_NAME, MAX_VALUE, MAX_FACTS = 200, 60, 240, 24

_FORBIDDEN = re.compile(
    r"[<＜]\s*/?\s*[|｜A-Za-z_▁][^<>＜＞]{0,60}[>＞]"  # <|im_start|>, </s>, <start_of_turn>, HTML
    r"|[<＜]\s*[|｜]|[|｜]\s*[>＞]|[<＜]{2,}|[>＞]{2,}"
    r"|\[/?\s*(?:INST|SYS|AVAILABLE_TOOLS|TOOL_CALLS?)\s*\]"
    r"|`{2,}|\"{3,}|'{3,}|#{2,}|-{3,}|={3,}|~{3,}"
    rf"|{FENCE_OPEN}|{FENCE_CLOSE}"
    r"|(?<!\w)(?:system|assistant|user|human|developer|tool|系统|助手|用户)\s*[:：]",
    re.IGNORECASE,
)


def as_data(text: str, *, limit: int) -> str:
    """Return `text` on one line, without what could pass for a turn, a fence or a special token,
    at most `limit` long.
    """
    visible = "".join(" " if unicodedata.category(char).startswith(("C", "Z")) else char for char in text[: limit * 8])
    before = None
    while before != visible:  # removing one token may put the halves of another together
        before = visible
        visible = " ".join(_FORBIDDEN.sub(" ", visible).split())
    if len(visible) <= limit:
        return visible
    return visible[:limit].rsplit(" ", 1)[0] if " " in visible[:limit] else visible[:limit]


def _text_for(locale: str) -> PromptText:
    text = TEXTS.get(locale)
    if text is None:
        raise PermanentError(f"there is no prompt for the locale {locale!r}", hint=f"Known: {', '.join(TEXTS)}.")
    return text


def _task_for(text: PromptText, channel: str) -> str:
    task = text.tasks.get(channel)
    if task is None:
        raise PermanentError(f"there is no prompt for the channel {channel!r}", hint=f"Known: {', '.join(text.tasks)}.")
    return task


def _turn(text: PromptText, task: str, data: list[tuple[str, str]], *, voice: Sequence[str] = ()) -> str:
    lines = [f"- {name}: {value}" for name, value in data]
    return "\n".join([text.data_heading, FENCE_OPEN, *lines, FENCE_CLOSE, *voice, task])


def _data_of(text: PromptText, brief: CopyBrief) -> list[tuple[str, str]]:
    own = [
        (text.names["title"], brief.title),
        (text.names["brand"], brief.brand),
        (text.names["category"], brief.category),
    ]
    data = [(name, as_data(value, limit=MAX_TITLE)) for name, value in own]
    for fact in list(brief.facts)[:MAX_FACTS]:
        data.append((as_data(fact.name, limit=MAX_NAME), as_data(fact.value, limit=MAX_VALUE)))
    return [(name, value) for name, value in data if name and value]


def version_for(options: Mapping[str, Any]) -> str:
    """Return which version of the prompt a model with `options` is asked with: what its option `prompt` says.

    Raises `PermanentError` for a version that is not known.
    """
    version = str(options.get("prompt") or PROMPT_VERSION)
    if version not in VERSIONS:
        raise PermanentError(f"there is no prompt version {version!r}", hint=f"Known: {', '.join(VERSIONS)}.")
    return version


def render(brief: CopyBrief, *, version: str = PROMPT_VERSION) -> list[Message]:
    """Return the chat prompt for `brief`: the instruction, worked examples as turns of their own, the product.

    How the brand speaks stands between the product and the task, where what comes before stays the same for all brands
    (and in the cache of prefixes). `SHORT_PROMPT_VERSION` leaves the examples out; any other version has them. Raises
    `PermanentError` for a locale or channel without a prompt.
    """
    text = _text_for(brief.locale)
    task = _task_for(text, brief.channel)
    messages = [Message("system", "\n".join(text.instruction))]
    for example in () if version == SHORT_PROMPT_VERSION else text.examples:
        messages.append(Message("user", _turn(text, task, list(example.data))))
        messages.append(Message("assistant", example.answers[brief.channel]))
    voice = voice_lines(brief.voice, locale=brief.locale, clean=as_data)
    messages.append(Message("user", _turn(text, task, _data_of(text, brief), voice=voice)))
    return messages


def prompt_lines(brief: CopyBrief) -> list[str]:
    """Return what must not come back in an answer: instruction sentences, the fence, the brand's tone, and the
    examples' own answers.
    """
    text = _text_for(brief.locale)
    answers = [example.answers[brief.channel] for example in text.examples]
    voice = frame_lines(brief.voice, locale=brief.locale, clean=as_data)
    return [*text.instruction, *voice, _task_for(text, brief.channel), FENCE_OPEN, FENCE_CLOSE, *answers]


# Low temperatures: a small model keeps most facts when it is nearly greedy; a little chance makes the drafts differ.
_DEFAULTS = {
    "description": GenerationParams(
        max_new_tokens=120, temperature=0.3, repetition_penalty=1.05, no_repeat_ngram_size=5
    ),
    "recommendation": GenerationParams(
        max_new_tokens=56, temperature=0.4, repetition_penalty=1.05, no_repeat_ngram_size=5
    ),
    "ad_slogan": GenerationParams(max_new_tokens=32, temperature=0.6, repetition_penalty=1.1, no_repeat_ngram_size=3),
}
_RANGES: dict[str, tuple[float, float]] = {
    "max_new_tokens": (1, 1024),
    "temperature": (0, 2),
    "top_p": (0.05, 1),
    "repetition_penalty": (1, 2),
    "no_repeat_ngram_size": (0, 20),
    "seed": (0, 2**31 - 1),
    "constraints": (0, limits.VERSION),
}
_WHOLE = {"max_new_tokens", "no_repeat_ngram_size", "seed", "constraints"}


def params_for(channel: str, *, seed: int, overrides: Mapping[str, Any] | None = None) -> GenerationParams:
    """Return the decoding parameters of `channel` with `overrides` applied.

    Raises `PermanentError` for an unknown channel or name, a value of the wrong type, or one out of range.
    """
    if channel not in _DEFAULTS:
        raise PermanentError(f"there is no prompt for the channel {channel!r}", hint=f"Known: {', '.join(_DEFAULTS)}.")
    values = {"seed": seed, **(overrides or {})}
    for name, value in values.items():
        if name not in _RANGES:
            raise PermanentError(f"{name!r} is no decoding parameter", hint=f"Known: {', '.join(_RANGES)}.")
        low, high = _RANGES[name]
        kinds = (int,) if name in _WHOLE else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
            kind = "a whole number" if name in _WHOLE else "a number"
            raise PermanentError(f"{name} must be {kind} from {low:g} to {high:g}, not {value!r}")
    return dataclasses.replace(_DEFAULTS[channel], **values)


_PREFIX = re.compile(
    r"^\s*(?:assistant|answer|copy|product description|description|recommendation|(?:ad(?:vertising)? )?slogan|output"
    r"|文案|商品描述|描述|推荐语|推荐|广告语|回答|答案)\s*[:：]\s*",
    re.IGNORECASE,
)
_THINKING = re.compile(r"^\s*<think>.*?(?:</think>|$)", re.DOTALL)  # reasoning models put their notes first
_QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "「": "」", "『": "』", "《": "》", "*": "*"}
_SENTENCE = re.compile(r"[^.!?。！？…\n]*(?:[.!?](?=\d)[^.!?。！？…\n]*)*(?:[.!?。！？…]+[\"”’」』)）]*|\n|$)")


def sentences_of(text: str) -> list[str]:
    """Return the sentences of `text`, stripped, with their closing mark. A point between digits closes nothing."""
    return [part.strip() for part in _SENTENCE.findall(text) if part.strip()]


def clean(text: str, *, channel: str, locale: str, finish_reason: Literal["stop", "length", "error"] = "stop") -> str:
    """Return `text` as a draft: without quotes around it, role prefix, repeated sentences or a cut-off end.

    The last sentence is dropped when `finish_reason` is `length` and another stands before it. A slogan or a
    recommendation keeps its first line alone.
    """
    text = _THINKING.sub("", text)
    text = "".join(char for char in text if char == "\n" or not unicodedata.category(char).startswith("C")).strip()
    before = None
    while before != text:
        before = text
        text = _PREFIX.sub("", text).strip()
        if len(text) > 1 and _QUOTES.get(text[0]) == text[-1] and text[0] not in text[1:-1]:
            text = text[1:-1].strip()
        elif text and text[0] in _QUOTES and _QUOTES[text[0]] not in text[1:]:
            text = text[1:].strip()  # the closing quote was cut off
    if channel != "description":
        text = text.split("\n", 1)[0].strip()
    sentences = sentences_of(text)
    if finish_reason == "length" and len(sentences) > 1 and not sentences[-1].endswith(tuple('.!?。！？…"”’」』)）')):
        sentences.pop()
    seen: set[str] = set()
    kept = []
    for sentence in sentences:
        key = "".join(char for char in sentence.casefold() if char.isalnum())
        if key and key not in seen:
            seen.add(key)
            kept.append(sentence)
    return ("" if locale.startswith("zh") else " ").join(kept)
