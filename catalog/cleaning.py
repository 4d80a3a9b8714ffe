"""Untrusted text made plain: HTML to text, no control characters, NFC, tidy whitespace. Pure."""

from __future__ import annotations

import html
import re
import unicodedata
from html.entities import html5

import nh3

# Control characters but tab and line feeds; lone surrogates; marks that reorder or hide text (bidirectional
# overrides, zero-width and soft hyphen; the joiners U+200C/D stay, scripts and emoji need them); non-characters.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\uffff"
    "\ud800-\udfff]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n?|[\x85\u2028\u2029]")
_BLOCK = re.compile(
    r"<(?:[bh]r|/?(?:p|div|li|ul|ol|dl|dt|dd|tr|table|thead|tbody|tfoot|caption|h[1-6]|section|article|header|footer"
    r"|aside|main|nav|blockquote|pre|figure|figcaption|address|details|summary|form|fieldset|legend"
    r"|option))\b[^<>]{0,500}>",
    re.I,
)
_CELL = re.compile(r"</?(?:td|th)\b[^<>]{0,500}>", re.I)
_MARKUP = re.compile(r"<[a-zA-Z/!?]|&[a-zA-Z#]")
# A sign that begins no tag and no entity stands for itself: `<M`, `?width=600&region=eu`.
_LESS_THAN = re.compile(r"<(?![!?])(?P<slash>/?)(?P<name>[a-zA-Z][a-zA-Z0-9:-]*)?(?P<rest>[^<>]{0,2000}>)?")
_AMPERSAND = re.compile(r"&(?P<name>#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31})?(?P<end>;|=)?")
_NAMES_OF_TAGS = (
    "a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink blockquote body "
    "br button canvas caption center cite code col colgroup command data datalist dd del details dfn dialog dir div dl "
    "dt em embed fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr "
    "html i iframe image img input ins isindex kbd keygen label legend li link listing main map mark marquee math menu "
    "menuitem meta meter nav nobr noembed noframes noscript object ol optgroup option output p param picture "
    "plaintext pre progress q rp rt ruby s samp script section select slot small source spacer span strike strong "
    "style sub summary "
    "sup svg table tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr xml xmp"
)
_TAGS = frozenset(_NAMES_OF_TAGS.split())
_SPACES = re.compile(r"[^\S\n]{2,}|[^\S\n ]")  # not the single ones, of which there are many
_MANY_LINES = re.compile(r"\n{3,}")
_UNTIDY_LINES = re.compile(r" \n|\n |\n\n\n")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_ANY_WORD = re.compile(r"[^\W\d_]")


def clean_text(text: str) -> str:
    """Return `text` as plain lines: no markup, no control characters, NFC, at most one empty line in a row.

    Blocks of HTML stand on lines of their own; scripts and styles go with their content. Feeds escape twice as often
    as once, and an entity may name a character that hides a tag, so this goes on until nothing changes any more.
    """
    if _is_plain(text):
        return text.strip()
    if "\n" in text and not _UNTIDY_LINES.search(text) and _is_plain(text.replace("\n", "")):
        return text.strip()
    text = _SURROGATES.sub("", text)  # of which the parser of HTML can make nothing
    for _ in range(10):
        cleaned = _clean_once(text)
        if cleaned == text:
            return cleaned
        text = cleaned
    return _clean_once(text.translate({ord(sign): None for sign in "<>&"}))


def clean_line(text: str) -> str:
    """Return `text` cleaned onto one line, for titles, names and values."""
    if _is_plain(text):
        return text.strip()
    text = clean_text(text)
    return text if text.isprintable() and "  " not in text else " ".join(text.split())


def clean_address(url: str) -> str:
    """Return an address without what hides in it. `&amp;` alone is unescaped: `&region=` begins no entity here."""
    url = _UNWANTED.sub("", url).strip()
    while "&amp;" in url:
        url = url.replace("&amp;", "&")
    return "".join(url.split()) if "\n" in url or "\r" in url else url


def language_of(text: str) -> str:
    """Return the locale a text is written in, by its letters: `zh-Hans` when a quarter of them are Han, else `en`."""
    if text.isascii():
        return "en"
    letters = len(_ANY_WORD.findall(text))
    return "zh-Hans" if letters and len(_HAN.findall(text)) * 4 >= letters else "en"


def _is_plain(text: str) -> bool:
    """Whether cleaning would change nothing but spaces at the ends, as is so with most texts;
    told in a fraction of the time.
    """
    return (
        text.isprintable()
        and "<" not in text
        and "&" not in text
        and "  " not in text
        and (
            text.isascii() or ("\ufffc" not in text and "\ufffd" not in text and unicodedata.is_normalized("NFC", text))
        )
    )


def _clean_once(text: str) -> str:
    if _MARKUP.search(text):
        text = _AMPERSAND.sub(_entity, _LESS_THAN.sub(_tag, text))
        text = html.unescape(nh3.clean(_CELL.sub(" ", _BLOCK.sub("\n", text)), tags=set()))
    text = _UNWANTED.sub("", _LINE_ENDS.sub("\n", text))
    text = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    if "\n" not in text:
        return text.strip()
    return _MANY_LINES.sub("\n\n", "\n".join(line.strip() for line in text.split("\n"))).strip()


def _tag(match: re.Match[str]) -> str:
    name = match["name"] or ""
    if ":" in name or "-" in name:  # of a namespace, or an element of somebody's own
        return match[0]
    is_tag = name.lower() in _TAGS and (match["rest"] is not None or len(name) > 1)
    return match[0] if is_tag else "&lt;" + match[0][1:]


def _entity(match: re.Match[str]) -> str:
    name = match["name"] or ""
    is_entity = match["end"] == ";" if name[:1] == "#" else f"{name}{match['end'] or ''}" in html5
    return match[0] if is_entity else "&amp;" + match[0][1:]
