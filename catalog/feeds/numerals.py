"""How a feed writes numbers: `1,299.00`, `1.299,00`, `1 299,00`, `1'299.00`, `1,29,999.00`. Told from whole columns.

`1.299` and `1,299` alone may be either. What else stands in the column decides; if nothing does, the rest of the feed;
if that is silent or says both, the number is refused with a reason, and a mapping may say `decimal = ","`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import partial

from catalog.cleaning import clean_line
from catalog.feeds.bad_row import BadRow

COMMA, POINT = ",", "."
# Writes the numbers in a text plainly, as the column that it is of is read. Raises `BadRow` for one with two readings.
Plainly = Callable[[str], str]
# Digits with separators between them; a space is one only before three digits that end there.
_NUMERAL = re.compile(r"(?<![\w.,])[.,]?\d+(?:[.,'’]\d+|[ \u00a0\u2009\u202f](?=\d{3}(?!\d))\d{3})*(?![\d])")
_SPACES = re.compile(r"[ \u00a0\u2009\u202f]")
_ENDS_OPEN = 3  # as many digits after a sign may be a group of thousands, or decimals


class Numerals:
    """What the columns of one feed say about the decimal sign. `decimal`: what the merchant said, which settles it."""

    def __init__(self, *, decimal: str = "", usual: str = "") -> None:
        self.said, self.usual = decimal, usual
        self.seen: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def learn(self, column: str, texts: Iterable[str]) -> None:
        """Take note of the numbers in `texts` that can be read in one way only."""
        for text in texts:
            if COMMA not in text and POINT not in text:
                continue
            for match in _NUMERAL.finditer(text[:200]):
                if sign := _certain_decimal(match[0]):
                    self.seen[column][sign] += 1

    def decimal_of(self, column: str) -> str:
        """Return the decimal sign of a column; empty where nobody can tell."""
        if self.said:
            return self.said
        own = set(self.seen[column]) if column in self.seen else set()
        signs = own or {sign for counts in self.seen.values() for sign in counts}
        if not signs:
            return self.usual
        return signs.pop() if len(signs) == 1 else ""


def note_of(column: str) -> str:
    """Return what is counted where a number of `column` was read with a decimal comma."""
    return f"rows read with a decimal comma in {clean_line(column)[:60]}"


def with_points(text: str, *, decimal: Callable[[], str], signs: set[str] | None = None) -> str:
    """Return `text` with each number in it written plainly: no grouping, a point before decimals.

    `decimal` tells the sign of its column, and is asked only where that is needed; raises `BadRow` where it is empty.
    `signs` gets those that decimals were read behind.
    """
    if text.isdecimal():
        return text
    return _NUMERAL.sub(lambda match: _plain(match[0], decimal, signs), text)


def read_with(sign: str) -> Plainly:
    """Return what reads numbers whose decimal sign is `sign`; with none, it refuses those with two readings."""
    return partial(with_points, decimal=lambda: sign)


def _plain(numeral: str, decimal: Callable[[], str], signs: set[str] | None) -> str:
    parts = _parts(numeral)
    if parts is None:
        sign = COMMA if COMMA in numeral else POINT
        whole, _, rest = numeral.partition(sign)
        if not (decided := decimal()):
            raise BadRow(
                f"{numeral!r} may be {whole}.{rest} or {whole}{rest}, and its column does not tell: "
                'write the column alike, or say --decimal "," or "." (in a mapping: decimal = ",")'
            )
        parts = (whole, rest, sign) if sign == decided else (whole + rest, "", "")
    whole, fraction, sign = parts
    if fraction and signs is not None:
        signs.add(sign)
    return f"{whole}.{fraction}" if fraction else whole


def _certain_decimal(numeral: str) -> str:
    parts = _parts(numeral)
    return parts[2] if parts else ""


def _parts(numeral: str) -> tuple[str, str, str] | None:
    """Return whole part, decimals and the decimal sign that follows from them; None where there are two readings.

    What is grouped like no number (`1.2.3`) comes back as it is.
    """
    text = re.sub(r"['’]", "", _SPACES.sub("", numeral))
    is_grouped = text != numeral
    signs = [character for character in text if character in ".,"]
    if not signs:
        return text, "", ""
    sign = signs[-1]
    whole, _, rest = text.rpartition(sign)
    other = COMMA if sign == POINT else POINT
    if len(set(signs)) == 2:
        if signs.count(sign) == 1 and _is_grouped_by(whole, other):
            return whole.replace(other, ""), rest, sign
        return numeral, "", ""
    if len(signs) > 1:
        return (text.replace(sign, ""), "", other) if _is_grouped_by(text, sign) else (numeral, "", "")
    if len(rest) != _ENDS_OPEN or is_grouped or not re.fullmatch(r"[1-9]\d{0,2}", whole):
        return whole or "0", rest, sign
    return None


def _is_grouped_by(text: str, sign: str) -> bool:
    sign = re.escape(sign)
    return bool(re.fullmatch(rf"\d{{1,3}}(?:{sign}\d{{3}})+|\d{{1,2}}(?:{sign}\d{{2}})+{sign}\d{{3}}", text))
