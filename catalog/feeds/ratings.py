"""Stars of a customer review, as shops and their tools write them."""

from __future__ import annotations

import re
from decimal import Decimal

from catalog.feeds.bad_row import BadRow
from catalog.units import parse_number

LONGEST = 60  # characters
_OUT_OF = re.compile(r"(?P<stars>[^/]{1,8}?)\s*(?:/|\bout of\b|\bof\b)\s*(?P<scale>\d{1,4}(?:[.,]0+)?)", re.I)
_WORD = re.compile(r"\s*(?:stars?|★|⭐️?)$", re.I)
_DRAWN = re.compile(r"(?P<full>[★⭐]\ufe0f?(?:[★⭐]\ufe0f?)*)(?P<empty>☆*)")


def parse_rating(text: str) -> Decimal | None:
    """Return the stars, 1 to 5, of `4`, `4,5`, `4½`, `4/5`, `4.0 out of 5 stars`, `★★★★☆`; None when the text is empty.

    Raises `BadRow` for anything else: of another scale than five nobody has said what it comes to here.
    """
    text = text.strip()
    if not text:
        return None
    if len(text) > LONGEST:
        raise BadRow(f"the rating {text[:40]!r}… is not a number from 1 to 5")
    stars = _drawn(text)
    if stars is None:
        plain = _WORD.sub("", text)
        if out_of := _OUT_OF.fullmatch(plain):
            if parse_number(out_of["scale"]) != 5:
                raise BadRow(f"the rating {text[:40]!r} is on another scale than 1 to 5")
            plain = _WORD.sub("", out_of["stars"])
        stars = None if re.fullmatch(r"\d+/\d+", plain) else parse_number(plain)
    if stars is None or not 1 <= stars <= 5:
        raise BadRow(f"the rating {text[:40]!r} is not a number from 1 to 5")
    return stars.quantize(Decimal("0.1"))


def _drawn(text: str) -> Decimal | None:
    drawn = _DRAWN.fullmatch(text.replace(" ", ""))
    if drawn is None:
        return None
    full, empty = sum(sign in "★⭐" for sign in drawn["full"]), len(drawn["empty"])
    return Decimal(full) if not empty or full + empty == 5 else None
