"""Untrusted text made plain: HTML to text, no control characters, NFC, tidy whitespace. Pure."""

from __future__ import annotations

import html
import re
import unicodedata

import nh3

# Control characters but tab and line feeds; lone surrogates; marks that reorder or hide text (bidirectional
# overrides, zero-width and soft hyphen; the joiners U+200C/D stay, scripts and emoji need them); non-characters.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\uffff"
    "\ud800-\udfff]"
)
_LINE_ENDS = re.compile("\r\n?|[\x85\u2028\u2029]")
_BLOCK = re.compile(
    r"<(?:br|/?(?:p|div|li|ul|ol|tr|table|h[1-6]|section|article|blockquote|dt|dd))\b[^<>]{0,500}>", re.I
)
_MARKUP = re.compile(r"<[a-zA-Z/!?]|&[a-zA-Z#]")
_SPACES = re.compile(r"[^\S\n]{2,}|[^\S\n ]")  # not the single ones, of which there are many
_MANY_LINES = re.compile(r"\n{3,}")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_ANY_WORD = re.compile(r"[^\W\d_]")


def clean_text(text: str) -> str:
    """Return `text` as plain lines: no markup, no control characters, NFC, at most one empty line in a row.

    Blocks of HTML stand on lines of their own; scripts and styles go with their content. Feeds escape twice as often
    as once, and an entity may name a character that hides a tag, so this goes on until nothing changes any more.
    """
    if not text:
        return text
    for _ in range(10):
        cleaned = _clean_once(text)
        if cleaned == text:
            return cleaned
        text = cleaned
    return _clean_once(text.translate({ord(sign): None for sign in "<>&"}))


def clean_line(text: str) -> str:
    """Return `text` cleaned onto one line, for titles, names and values."""
    return " ".join(clean_text(text).split())


def language_of(text: str) -> str:
    """Return the locale a text is written in, by its letters: `zh-Hans` when a quarter of them are Han, else `en`."""
    if text.isascii():
        return "en"
    letters = len(_ANY_WORD.findall(text))
    return "zh-Hans" if letters and len(_HAN.findall(text)) * 4 >= letters else "en"


def _clean_once(text: str) -> str:
    if _MARKUP.search(text):
        text = html.unescape(nh3.clean(_BLOCK.sub("\n", text), tags=set()))
    text = _UNWANTED.sub("", _LINE_ENDS.sub("\n", text))
    text = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    if "\n" not in text:
        return text.strip()
    return _MANY_LINES.sub("\n\n", "\n".join(line.strip() for line in text.split("\n"))).strip()
