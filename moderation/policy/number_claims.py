"""Claims of numbers and quantities: read, converted and compared with the numbers of the facts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from catalog.units import UNITS, Quantity
from moderation.policy.base import Severity
from moderation.policy.claims import Claim, Kind
from moderation.policy.evidence import Evidence, KnownNumber
from moderation.policy.lexicons import load_lexicon
from moderation.policy.numbers import Number, read_numbers

# Rounding that copy may do: "about 10 inches" for 26 cm, "1.3 kg" for 1.25 kg.
SAME_UNIT_TOLERANCE: Final = Decimal("0.04")
CONVERTED_TOLERANCE: Final = Decimal("0.05")
# Two seams, three tiers, four buttons: what a picture shows and no feed counts. A set of two is another matter.
_PART: Final = re.compile(r"\s?(?:个|条|根|块|层|颗|种|款|排|道|面|侧|边|片|朵|处|缕|圈|色)(?!装|一套)")
_SET: Final = re.compile(
    r"[ -]?(?:件套|只装|件装|个装|片装|支装|瓶装|袋装|packs?|pieces?|pcs?|sets?|counts?|ct)(?![a-z])|\s?in a box", re.I
)
_FEW: Final = 5


def number_claims(text: str, evidence: Evidence) -> Iterator[Claim]:
    """Yield every number of `text` with the fact that has it, or with what is wrong."""
    judged: dict[tuple[Decimal | None, str, str, int], tuple[str | None, str, str]] = {}
    for number in read_numbers(text):
        key = (number.value, number.unit, number.token, number.decimals)
        if key not in judged:
            judged[key] = _judge(number, evidence)
        fact, code, nearest = judged[key]
        kind: Kind = "quantity" if number.unit else "number"
        severity = Severity.INFO if _is_minor(text, number, evidence) else Severity.WARN
        yield Claim(
            number.start, number.end, kind, text[number.start : number.end], fact, code, nearest, severity=severity
        )


def _is_minor(text: str, number: Number, evidence: Evidence) -> bool:
    """Whether a bare number only counts parts, or stands where the facts hold no number;
    never so for sets and units.
    """
    if number.unit or number.token or number.value is None:
        return _is_pure(text, number, evidence)
    if _SET.match(text, number.end):
        return False
    return not evidence.numbers or (number.value < _FEW and _PART.match(text, number.end) is not None)


def _is_pure(text: str, number: Number, evidence: Evidence) -> bool:
    """“100% cotton” where a fact says cotton: the share is the copy's own, the material is not."""
    if number.value != 100 or number.unit != "%":
        return False
    lexicon = load_lexicon("materials")
    said = next(lexicon.mentions(text[number.end : number.end + 20]), None)
    return said is not None and any(lexicon.backs(known.name, said.name) for known in evidence.materials)


def _judge(number: Number, evidence: Evidence) -> tuple[str | None, str, str]:
    """Return (fact that backs it, or None; code of the fault; nearest fact)."""
    if number.token:
        source = evidence.find_wording(number.token) or next(
            (known.source for known in evidence.numbers if known.number.token == number.token), None
        )
        return (source.name, "", "") if source else (None, "unsupported_number", "")
    value = number.value
    if value is None:
        return None, "unsupported_number", ""
    known_numbers = [known for known in evidence.numbers if known.number.value is not None]
    for known in known_numbers:
        if _backs(known.number, number) or _is_price_in_pounds(known, number):
            return known.source.name, "", ""
    if number.unit:
        for known in known_numbers:
            # The number is right and the unit is not: 26 inches for 26 cm.
            if known.number.value == value:
                return None, "unsupported_unit", _quote(known)
    return None, "unsupported_number", _nearest(number, known_numbers)


def _backs(known: Number, claim: Number) -> bool:
    known_value, value = known.value, claim.value
    if known_value is None or value is None:
        return False
    if not claim.unit:
        # A bare number may repeat a quantity ("the 26 wide one") but not round it.
        return known_value == value
    if not known.unit or known.dimension != claim.dimension:
        return False
    expected = _convert(known.quantity, claim.unit)
    gap = abs(expected - value)
    if gap == 0:
        return True
    largest = max(abs(expected), abs(value))
    is_rounded = gap <= Decimal("0.5").scaleb(-claim.decimals)
    if known.unit == claim.unit:
        return is_rounded and gap <= SAME_UNIT_TOLERANCE * largest
    return gap <= Decimal("0.01") * largest or (is_rounded and gap <= CONVERTED_TOLERANCE * largest)


def _is_price_in_pounds(known: KnownNumber, claim: Number) -> bool:
    """“20 pounds” is a weight unless the fact says £20."""
    return claim.unit == "lb" and "£" in known.source.text and known.number.value == claim.value


def _convert(quantity: Quantity, unit: str) -> Decimal:
    if quantity.unit == unit:
        return quantity.number
    target = UNITS[unit]
    return quantity.in_base / target.factor - target.offset


def _nearest(claim: Number, known_numbers: Sequence[KnownNumber]) -> str:
    alike = [known for known in known_numbers if known.number.dimension == claim.dimension]
    if not alike or claim.value is None:
        return ""
    value = claim.value

    def distance(known: KnownNumber) -> Decimal:
        number = known.number
        amount = _convert(number.quantity, claim.unit) if number.unit and claim.unit else number.value
        return abs((amount or Decimal(0)) - value)

    return _quote(min(alike, key=distance))


def _quote(known: KnownNumber) -> str:
    return f"{known.source.name}: {known.source.text}"
