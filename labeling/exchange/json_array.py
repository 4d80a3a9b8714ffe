"""An array of JSON in a stream, element by element: one that is broken is named, and the next one read.

A parser of events would end at the first of them, and take all that follows with it.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from core.source import RAW_CHARACTERS

READ_SIZE = 1 << 20
_DECODER = json.JSONDecoder()
_BETWEEN, _BEHIND = re.compile(r"[\s,]*"), re.compile(r"\s*([,\]]?)")
# The group is empty where a text is not closed.
_SIGNS = re.compile(r'"(?:[^"\\]++|\\.)*+("?)|[\[\]{},]', re.DOTALL)
_REST = "from this element on the file cannot be read"


@dataclass(frozen=True, slots=True)
class Element:
    """One element, numbered from 1; or (with `error`) why it has no `value`. `raw` is its beginning as it stands there.

    `breaks_off`: nothing behind it could be read.
    """

    number: int
    value: Any = None
    error: str = ""
    raw: str = ""
    breaks_off: bool = False


def elements(stream: BinaryIO, *, longest: int) -> Iterator[Element]:
    """Yield the elements of the array that `stream` stands at; the last one says so where the array does not end well.

    An element of more than `longest` characters ends the reading: nothing else would keep the memory small.
    """
    return _Array(stream, longest).elements()


class _Array:
    def __init__(self, stream: BinaryIO, longest: int) -> None:
        self.stream, self.longest = stream, longest
        # What is not UTF-8 is kept as lone surrogates, and found in the element that holds it.
        self.decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self.text, self.is_over = "", False

    def elements(self) -> Iterator[Element]:
        while "[" not in self.text and not self.is_over:
            self._read_on(0)
        at, number = self.text.find("[") + 1, 1
        while True:
            at = _BETWEEN.match(self.text, at).end()  # type: ignore[union-attr]  # it matches nothing as well
            if at == len(self.text):
                if self.is_over:
                    yield Element(number, error=f"{_REST}: it breaks off, its array has no end", breaks_off=True)
                    return
                at = self._read_on(at)
                continue
            if self.text[at] == "]":
                if self.text[at + 1 :].strip() or self.stream.read(RAW_CHARACTERS).strip():
                    yield Element(
                        number, error=f"{_REST}: something stands behind the end of its array", breaks_off=True
                    )
                return
            value, end, error = self._element(at)
            raw = self.text[at : at + RAW_CHARACTERS]
            if (len(self.text) if end < 0 else end) - at > self.longest:
                error = f"it is longer than {self.longest:,} characters"
                yield Element(number, error=f"{_REST}: {error}", raw=raw, breaks_off=True)
                return
            if end < 0 and not self.is_over:
                at = self._read_on(at)
                continue
            if end < 0:
                yield Element(number, error=f"{_REST}: {error}", raw=raw, breaks_off=True)
                return
            yield Element(number, value, error, raw=self.text[at : min(end, at + RAW_CHARACTERS)])
            at, number = end, number + 1

    def _element(self, at: int) -> tuple[Any, int, str]:
        """Return the value of the element that begins at `at`, where it ends (-1: not in what was read), its error."""
        try:
            value, end = _DECODER.raw_decode(self.text, at)
            error, behind = "", _BEHIND.match(self.text, end)
            if behind and not behind[1]:
                if behind.end() < len(self.text):  # garbage, or the rest of a number that was cut
                    value, end, error = None, self._end(at), "it is no JSON: something stands behind its value"
                elif not self.is_over:
                    end = -1
        except json.JSONDecodeError as exc:
            value, end, error = None, self._end(at), f"it is no JSON: {exc.msg} at character {exc.pos - at + 1:,}"
        except (RecursionError, ValueError) as exc:  # nested a thousand deep; a number of five thousand digits
            value, end, error = None, self._end(at), f"it is no JSON we take: {exc}"
        if end >= 0 and not _is_utf8(self.text[at:end]):
            return None, end, "it is not UTF-8; save the file as UTF-8"
        return value, end, error

    def _end(self, at: int) -> int:
        """Return where an element that cannot be parsed ends, by its brackets and quotes."""
        depth = 0
        for found in _SIGNS.finditer(self.text, at):
            sign = self.text[found.start()]
            if sign == '"':
                if not found[1]:
                    return -1
            elif sign in "[{":
                depth += 1
            elif sign in "]}":
                depth -= 1
            if depth < 0 or (depth == 0 and sign == ","):
                return found.start()
        return -1

    def _read_on(self, at: int) -> int:
        """Read more, and let go of what lies before `at`. Returns where `at` is then."""
        # As much again as there is: an element that spans many reads is parsed a few times only.
        data = self.stream.read(max(READ_SIZE, len(self.text) - at))
        self.is_over = not data
        self.text = self.text[at:] + self.decode(data, final=self.is_over)
        return 0


def _is_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
