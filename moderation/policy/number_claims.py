"""Claims of numbers and quantities: read, bound to what the sentence says they are of, and compared with the facts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from catalog.units import same_amount
from moderation.policy.around_numbers import limit_of, name_patterns, names_beside
from moderation.policy.base import Severity
from moderation.policy.binding import bind
from moderation.policy.claims import Claim, Kind
from moderation.policy.comparison import Judgement, Said, judge
from moderation.policy.evidence import Evidence, KnownNumber
from moderation.policy.lexicons import load_lexicon
from moderation.policy.numbers import Number, read_numbers

# Two seams, three tiers, four buttons: what a picture shows and no feed counts. A set of two is another matter.
_PART: Final = re.compile(r"\s?(?:个|条|根|块|层|颗|种|款|排|道|面|侧|边|片|朵|处|缕|圈|色)(?!装|一套)")
_SET: Final = re.compile(
    r"[ -]?(?:件套|只装|件装|个装|片装|支装|瓶装|袋装|packs?|pieces?|pcs?|sets?|counts?|ct)(?![a-z])|\s?in a box", re.I
)
_FEW: Final = 5
# Said in a word, these count only where a fact has their like: a dozen, a pair, half an hour, all day and all night.
_IN_A_WORD: Final = re.compile(
    r"(?:.{0,12}dozen|pair|twin|triple|quadruple|.{0,3}打|all day and .*|half .*|an? .*|半.{1,3}|一.{1,3})", re.I
)
_COUNT_FACT: Final = re.compile(
    r"quantit|piece|count|pack|content|number of|pcs|units?\b|数量|件数|片数|支数|包数|枚数", re.I
)
_AGAIN: Final = re.compile(r"\.?\s?[(/]\s?|\s?（")
_AGAIN_TOLERANCE: Final = Decimal("0.15")
_ONE_RANGE: Final = re.compile(r"\s{0,2}(?:[-–—~～x×*✕至到]|to|and|by)\s{0,2}", re.I)


def number_claims(text: str, evidence: Evidence) -> Iterator[Claim]:
    """Yield every number of `text` with the fact that has it, or with what is wrong; a wrong range is one claim."""
    before: Claim | None = None
    last: Number | None = None
    for number, claim in _each(text, evidence):
        if before and last and _is_one_error(text, before, claim, last, number):
            before = replace(before, end=claim.end, text=text[before.start : claim.end], instead="")
        else:
            if before:
                yield before
            before = claim
        last = number
    if before:
        yield before


def _is_one_error(text: str, one: Claim, other: Claim, last: Number, number: Number) -> bool:
    """“10 x 20 cm”, “from 5 to 7 kg”, “40 lb (18 kg)”: both wrong, of the same thing, or the same amount once more."""
    if not one.code or not other.code or one.severity != other.severity:
        return False
    if _AGAIN.fullmatch(text, one.end, other.start) and last.unit and number.dimension == last.dimension:
        return same_amount(last.quantity, number.quantity, tolerance=_AGAIN_TOLERANCE)
    is_range = _ONE_RANGE.fullmatch(text, one.end, other.start) is not None
    return is_range and (one.code, one.attribute) == (other.code, other.attribute)


def _each(text: str, evidence: Evidence) -> Iterator[tuple[Number, Claim]]:
    judged: dict[object, Judgement] = {}
    numbers = read_numbers(text)
    names = list(name_patterns(evidence)) if numbers else []
    for number, binding in zip(numbers, bind(text, numbers), strict=True):
        said = Said(number, binding, limit_of(text, number), names_beside(text, number, names))
        of = (binding.measure.name, binding.part) if binding else None
        key = (number.value, number.unit, number.token, number.decimals, of, said.limit, said.beside)
        if key not in judged:
            judged[key] = judge(said, evidence)
        found = judged[key]
        kind: Kind = "quantity" if number.unit else "number"
        is_open = found.code != "contradicted_attribute" and not binding
        claim = Claim(
            number.start,
            number.end,
            kind,
            text[number.start : number.end],
            found.backing.source.name if found.backing else None,
            found.code,
            _quote(found.nearest),
            severity=Severity.INFO if is_open and _is_minor(text, number, evidence) else Severity.WARN,
            attribute=binding.measure.name if binding else "",
            attribute_at=(binding.start, binding.end) if binding else None,
            instead=found.nearest.text if found.nearest and found.is_instead else "",
            has_unit_of_fact=found.nearest is not None and found.nearest.number.unit == number.unit,
        )
        yield number, claim


def _is_minor(text: str, number: Number, evidence: Evidence) -> bool:
    """Whether a bare number only counts parts, or stands where the facts hold no number;
    never so for sets and units.
    """
    if _IN_A_WORD.fullmatch(text, number.start, number.end):
        return not _is_counted(number, evidence)
    if number.token:
        return _is_label(number.token, evidence)
    if number.unit or number.value is None:
        return _is_pure(text, number, evidence)
    if _SET.match(text, number.end):
        return False
    return not evidence.numbers or (number.value < _FEW and _PART.match(text, number.end) is not None)


def _is_counted(number: Number, evidence: Evidence) -> bool:
    if number.unit:
        return any(known.number.dimension == number.dimension for known in evidence.numbers)
    return any(not known.number.unit and _COUNT_FACT.search(known.source.name) for known in evidence.numbers)


def _is_label(token: str, evidence: Evidence) -> bool:
    """“Row H1”: a letter and a digit name nothing, unless the facts have one of the same letter (A5 for A4)."""
    if not re.fullmatch(r"[a-z]\d", token):
        return False
    return not any(known.number.token[:1] == token[0] and len(known.number.token) <= 3 for known in evidence.numbers)


def _is_pure(text: str, number: Number, evidence: Evidence) -> bool:
    """“100% cotton” where a fact says cotton: the share is the copy's own, the material is not."""
    if number.value != 100 or number.unit != "%":
        return False
    lexicon = load_lexicon("materials")
    said = next(lexicon.mentions(text[number.end : number.end + 20]), None)
    return said is not None and any(lexicon.backs(known.name, said.name) for known in evidence.materials)


def _quote(known: KnownNumber | None) -> str:
    return f"{known.source.name}: {known.source.text}" if known else ""
