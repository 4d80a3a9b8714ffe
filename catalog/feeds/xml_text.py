"""The text of an XML file, mended where shops' tools break it.

Stray `&`, HTML's entities, prefixes nobody declared, an empty line before the declaration. What cannot be a character
of XML is marked, for the item that holds it to be named.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from catalog.feeds.bad_row import BadRow
from core.source import Source

REPAIRED = "\ufdd0"  # a character that no text has
_CHUNK = 65_536
_LONGEST_ENTITY = 40
_GOOGLE = "http://base.google.com/ns/1.0"
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_STRAY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,8}|#x[0-9a-fA-F]{1,6});)")
_REFERENCE = re.compile(r"&#(?:x([0-9a-fA-F]{1,6})|(\d{1,8}));")
_PREFIX = re.compile(r"<([A-Za-z_][\w.-]*):[A-Za-z_]")
_ROOT = re.compile(r"<(?![?!])[\w:.-]+")
_TRIAL = "<rss/>"
_MARK = "catalog.xml_text"


def _marked(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return REPAIRED, error.end


codecs.register_error(_MARK, _marked)


def pieces_of(source: Source) -> Iterator[tuple[int, str]]:
    """Yield the file piece by piece, each with the number of lines left out before it all.

    Raises `BadRow` for an encoding nobody knows.
    """
    source.stream.seek(0)
    beginning = source.stream.read(_CHUNK)
    declared = _DECLARED.search(beginning)
    name = declared[1].decode() if declared else "utf-8"
    if name.lower().startswith(("utf-16", "utf-32", "ucs")):
        name = "utf-8"  # its declaration could not be read otherwise
    try:
        # `rot13` and `idna` are codecs, and no encodings of files.
        if _TRIAL.encode().decode(name, errors=_MARK) != _TRIAL:
            raise LookupError
        decoder = codecs.getincrementaldecoder(name)(errors=_MARK)
    except (LookupError, ValueError):
        raise BadRow(f"the encoding {name!r} is unknown") from None
    text = decoder.decode(beginning).removeprefix("\ufeff")
    skipped = text[: len(text) - len(text.lstrip())].count("\n")
    text = _with_prefixes(text.lstrip())
    while True:
        chunk = source.stream.read(_CHUNK)
        text += decoder.decode(chunk, final=not chunk)
        # An entity may be cut in two, so its beginning waits for the rest.
        cut = text.rfind("&", max(len(text) - _LONGEST_ENTITY, 0)) if chunk else -1
        cut = len(text) if cut < 0 or ";" in text[cut:] else cut
        yield skipped, _mended(text[:cut])
        text = text[cut:]
        if not chunk:
            return


def _mended(text: str) -> str:
    text = _FORBIDDEN.sub(REPAIRED, text)
    return _REFERENCE.sub(_character, _STRAY.sub("&amp;", text))


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16) if match[1] else int(match[2])
    is_one = code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
    return match[0] if is_one else REPAIRED


def _with_prefixes(text: str) -> str:
    """Declare the prefixes that are used and not declared, at the root; every feed means Google's `g` by `g`."""
    absent = sorted({prefix for prefix in _PREFIX.findall(text) if f"xmlns:{prefix}" not in text} - {"xml"})
    declared = "".join(f' xmlns:{prefix}="{_GOOGLE if prefix == "g" else f"urn:{prefix}"}"' for prefix in absent)
    return _ROOT.sub(lambda match: match[0] + declared, text, count=1) if declared else text
