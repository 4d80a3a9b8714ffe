"""Compare a number of a draft with those of the facts, and first with those of what the sentence says it is of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from typing import Final

from catalog.units import UNITS, Quantity
from moderation.policy.binding import Binding
from moderation.policy.evidence import Evidence, KnownNumber
from moderation.policy.numbers import Number

# Rounding that copy may do: "about 10 inches" for 26 cm, "1.3 kg" for 1.25 kg.
SAME_UNIT_TOLERANCE: Final = Decimal("0.04")
CONVERTED_TOLERANCE: Final = Decimal("0.05")
# A bare number said with "over" or "nearly" is rounded off by no more than this share.
ROUNDED_OFF: Final = Decimal("0.1")
# "Under 2 kg" is true of 1.8 kg; of 200 g it says nothing.
BOUND_REACH: Final = {"under": Decimal(2), "over": Decimal(2), "nearly": Decimal("1.15")}


@dataclass(frozen=True)
class Judgement:
    """Which fact backs a number; or the code of what is wrong, and the number of the facts that comes closest.

    `is_instead`: that number is of what the sentence speaks of, so it could stand in the place of the one said.
    """

    backing: KnownNumber | None = None
    code: str = ""
    nearest: KnownNumber | None = None
    is_instead: bool = False


@dataclass(frozen=True)
class Said:
    """A number as its sentence has it: what it is of, whether under, over or each, facts whose names are beside it."""

    number: Number
    binding: Binding | None = None
    limit: str = ""
    beside: frozenset[str] = frozenset()


def judge(said: Said, evidence: Evidence) -> Judgement:
    """Return which fact backs what is said, or what is wrong with it.

    `unsupported_unit`: in this unit it cannot be. `contradicted_attribute`: the value is right of something else, and
    the facts have another one for what it is said of. `unsupported_number`: no fact has it.
    """
    number = said.number
    if number.unit == "year" and number.value is not None and 1900 <= number.value <= 2100:
        number = replace(number, unit="")  # 2019年 names a year and measures none
        said = replace(said, number=number)
    if number.token:
        return _judge_token(number, evidence)
    if number.value is None:
        return Judgement(code="unsupported_number")
    known = [item for item in evidence.numbers if item.number.value is not None]
    own, others = _of_the_same(said.binding, known)
    comparable = [item for item in own if not number.unit or _are_comparable(item, number)]
    if backing := _backing(said, comparable if comparable else others):
        return _exchanged_by_name(said, backing, known) or Judgement(backing)
    if said.limit == "sum" and (part := _added_up(number, known)):
        return Judgement(part)
    if said.limit == "each" and (whole := _shared_out(number, known)):
        return Judgement(whole)
    if said.binding and said.binding.measure.excludes(number.dimension):
        return Judgement(None, "unsupported_unit", next(iter(own), None), is_instead=True)
    elsewhere = _backing(said, known)
    if comparable and elsewhere:
        return Judgement(None, "contradicted_attribute", _closest(number, comparable), is_instead=True)
    if elsewhere:
        return Judgement(code="unsupported_number", nearest=elsewhere)
    pool = comparable or known
    # The number is right and the unit is not: 26 inches for 26 cm.
    if number.unit and (wrong := next((item for item in pool if item.number.value == number.value), None)):
        return Judgement(None, "unsupported_unit", wrong, is_instead=True)
    closest = _closest(number, pool)
    return Judgement(None, "unsupported_number", closest, is_instead=bool(comparable) or _is_only_one(said, pool))


def _judge_token(number: Number, evidence: Evidence) -> Judgement:
    same = next((known for known in evidence.numbers if known.number.token == number.token), None)
    source = evidence.find_wording(number.token)
    if source is not None:
        return Judgement(KnownNumber(source, number))
    return Judgement(same) if same else Judgement(code="unsupported_number")


def _of_the_same(
    binding: Binding | None, known: Sequence[KnownNumber]
) -> tuple[Sequence[KnownNumber], Sequence[KnownNumber]]:
    """Return the numbers that facts state of what `binding` names, and those that may back it where there are none."""
    if binding is None or binding.measure.is_generic:
        return (), known
    measure = binding.measure
    of_it = [item for item in known if item.measure is measure]
    own = [item for item in of_it if item.part == binding.part]
    if own:
        return own, ()
    # The facts do not say it of the whole, or of this part: they may all the same (the one cable of a lamp).
    kin = [
        item
        for item in known
        if item.measure is None
        or item.measure.is_generic
        or item.measure.name in measure.kin
        or measure.name in item.measure.kin
    ]
    return (), [*of_it, *kin]


def _exchanged_by_name(said: Said, backing: KnownNumber, known: Sequence[KnownNumber]) -> Judgement | None:
    """“8 drawers” where the fact Seats is 8 and Drawers is 3: the name beside the number is of another fact."""
    if said.binding or not said.beside or backing.source.name in said.beside:
        return None
    number = said.number
    named = [item for item in known if item.source.name in said.beside and item.number.dimension == number.dimension]
    if not named or _backing(said, named):
        return None
    return Judgement(None, "contradicted_attribute", _closest(number, named), is_instead=True)


def _is_only_one(said: Said, known: Sequence[KnownNumber]) -> bool:
    """Whether the facts have one amount of this dimension alone, so that no other can be meant."""
    if said.binding and said.binding.part:
        return False
    return len({item.number.value for item in known if item.number.dimension == said.number.dimension}) == 1


def _shared_out(number: Number, known: Sequence[KnownNumber]) -> KnownNumber | None:
    """“8 flavours, three bags each” where the facts say 8 and 24."""
    values = {item.number.value for item in known}
    each = number.value or Decimal(0)
    return next((item for item in known if item.number.value and item.number.value * each in values), None)


def _added_up(number: Number, known: Sequence[KnownNumber]) -> KnownNumber | None:
    """“With the pot it is 2.7 kg” where the facts say 0.6 and 2.1: two or three amounts of facts together."""
    alike = {item.source.name: item for item in known if number.unit and item.number.dimension == number.dimension}
    for several in (*combinations(list(alike.values())[:8], 2), *combinations(list(alike.values())[:8], 3)):
        whole = sum((convert(item.number.quantity, number.unit) for item in several), Decimal(0))
        if backs(Number(0, 0, whole, number.unit), number):
            return several[0]
    return None


# --- Two numbers --------------------------------------------------------------------------------------------------
def _backing(said: Said, known: Iterable[KnownNumber]) -> KnownNumber | None:
    number = said.number
    return next(
        (
            item
            for item in known
            if backs(item.number, number)
            or _is_price_in_pounds(item, number)
            or (said.limit in BOUND_REACH and _is_within(said.limit, item.number, number))
        ),
        None,
    )


def backs(known: Number, claim: Number) -> bool:
    """Return whether `known` may be told as `claim`: the same amount, rounded or converted as copy does."""
    known_value, value = known.value, claim.value
    if known_value is None or value is None:
        return False
    if not claim.unit:
        # A bare number may repeat a quantity ("the 26 wide one") but not round it.
        return known_value == value
    if _is_fluid(known, claim):
        return backs(known, Number(claim.start, claim.end, value, "fl oz", decimals=claim.decimals))
    if not known.unit or known.dimension != claim.dimension:
        return False
    expected = convert(known.quantity, claim.unit)
    gap = abs(expected - value)
    if gap == 0:
        return True
    largest = max(abs(expected), abs(value))
    is_rounded = gap <= Decimal("0.5").scaleb(-claim.decimals)
    if known.unit == claim.unit:
        return is_rounded and gap <= SAME_UNIT_TOLERANCE * largest
    return gap <= Decimal("0.01") * largest or (is_rounded and gap <= CONVERTED_TOLERANCE * largest)


def _are_comparable(known: KnownNumber, claim: Number) -> bool:
    return (
        known.number.dimension == claim.dimension
        or _is_fluid(known.number, claim)
        or (claim.unit == "lb" and "£" in known.source.text)
    )


def _is_fluid(known: Number, claim: Number) -> bool:
    """A 12 oz can of 355 ml: ounces are fluid ones where the fact is a volume."""
    return claim.unit == "oz" and known.dimension == "volume"


def _is_within(limit: str, known: Number, claim: Number) -> bool:
    if known.value is None or claim.value is None or known.dimension != claim.dimension:
        return False
    if not claim.unit:  # "a little over three hundred" for 312
        gap = (known.value - claim.value) * (-1 if limit == "nearly" else 1)
        return claim.value % 10 == 0 and 0 < gap <= ROUNDED_OFF * claim.value
    amount = convert(known.quantity, claim.unit)
    if limit == "over":
        return claim.value <= amount <= BOUND_REACH[limit] * claim.value
    return amount <= claim.value <= BOUND_REACH[limit] * amount


def _is_price_in_pounds(known: KnownNumber, claim: Number) -> bool:
    """“20 pounds” is a weight unless the fact says £20."""
    return claim.unit == "lb" and "£" in known.source.text and known.number.value == claim.value


def convert(quantity: Quantity, unit: str) -> Decimal:
    """Return the amount of `quantity` in `unit`, of the same dimension."""
    if quantity.unit == unit:
        return quantity.number
    target = UNITS[unit]
    return quantity.in_base / target.factor - target.offset


def _closest(claim: Number, known: Sequence[KnownNumber]) -> KnownNumber | None:
    alike = [item for item in known if item.number.dimension == claim.dimension]
    if not alike or claim.value is None:
        return None
    value = claim.value

    def distance(item: KnownNumber) -> Decimal:
        number = item.number
        amount = convert(number.quantity, claim.unit) if number.unit and claim.unit else number.value
        return abs((amount or Decimal(0)) - value)

    return min(alike, key=distance)
