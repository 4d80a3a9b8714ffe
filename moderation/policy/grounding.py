"""No claim without a fact: every number, unit, material and colour of a draft is linked to what backs it, or reported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from catalog.units import UNITS, Quantity
from moderation.policy.base import MAX_EXAMINED, Check, Draft, Hit, Severity
from moderation.policy.evidence import Evidence, KnownNumber, KnownWord
from moderation.policy.folding import fold
from moderation.policy.lexicons import Lexicon, Mention, load_lexicon
from moderation.policy.numbers import Number, read_numbers
from moderation.policy.words import words_of

# Rounding that copy may do: "about 10 inches" for 26 cm, "1.3 kg" for 1.25 kg.
SAME_UNIT_TOLERANCE: Final = Decimal("0.04")
CONVERTED_TOLERANCE: Final = Decimal("0.05")

Kind = Literal["number", "quantity", "material", "colour"]


@dataclass(frozen=True)
class Claim:
    """Something the draft says at start:end that a fact must back.

    `fact` names the fact (or title, brand, category) that backs it. Where none does, `code` says what is wrong and
    `nearest` quotes the fact that comes closest, if any.
    """

    start: int
    end: int
    kind: Kind
    text: str
    fact: str | None = None
    code: str = ""
    nearest: str = ""


class GroundingCheck(Check):
    """Claims of numbers, units, materials and colours that no fact backs; a person confirms or dismisses each."""

    name = "grounding"
    version = "1"

    def find(self, draft: Draft) -> list[Hit]:
        """Return a warning for each claim without a fact behind it."""
        return [
            Hit(
                claim.code,
                Severity.WARN,
                _message(claim),
                claim.start,
                claim.end,
                {"claim": claim.text[:200], "kind": claim.kind, "nearest_fact": claim.nearest[:200]},
            )
            for claim in claims(draft)
            if claim.code
        ]


def claims(draft: Draft) -> list[Claim]:
    """Return every claim of `draft` in the order of the text, with the fact that backs it or what is wrong with it."""
    text = draft.text[:MAX_EXAMINED]
    evidence = Evidence(draft)
    names = _name_spans(text, draft)
    found = [
        *_number_claims(text, evidence),
        *_material_claims(text, evidence),
        *_colour_claims(text, evidence),
    ]
    return sorted((_own_name(claim, names) for claim in found), key=lambda claim: (claim.start, claim.end, claim.kind))


def grounding_score(draft: Draft) -> float:
    """Return how well the facts back `draft`, in [0, 1]; it ranks the drafts of one request.

    score = p * (0.5 + 0.35 * r + 0.15 * t), where p = ((b + 1) / (c + 1))² for b backed of c claims (1 without
    claims, so saying nothing false is not punished), r = share of the facts the text mentions, out of as many as the
    channel has room for (4 in a description, 2 in a recommendation line, 1 in a slogan), t = 1 where the brand stands
    in the text, else the share of the title's words that do. It falls with each unbacked claim and rises with each
    fact mentioned.
    """
    if not draft.text.strip():
        return 0.0
    made = claims(draft)
    backed = sum(1 for claim in made if claim.fact is not None)
    precision = ((backed + 1) / (len(made) + 1)) ** 2
    return precision * (0.5 + 0.35 * _recall(draft, made) + 0.15 * _names_product(draft))


_ROOM: Final = {"description": 4, "recommendation": 2, "ad_slogan": 1}


def _recall(draft: Draft, made: Sequence[Claim]) -> float:
    if not draft.facts:
        return 1.0
    said = set(words_of(draft.text).words)
    linked = {claim.fact for claim in made}
    mentioned = sum(1 for fact in draft.facts if fact.name in linked or _shares_words(fact.value, said))
    return min(1.0, mentioned / min(len(draft.facts), _ROOM.get(draft.channel, 4)))


def _shares_words(value: str, said: set[str]) -> bool:
    words = {word for word in words_of(value).words if word.isalpha()}
    return bool(words) and 2 * len(words & said) > len(words)


def _names_product(draft: Draft) -> float:
    if draft.brand and fold(draft.brand).text in fold(draft.text).text:
        return 1.0
    title = set(words_of(draft.title).words)
    return len(title & set(words_of(draft.text).words)) / len(title) if title else 0.0


# --- The product's own name is no claim ---------------------------------------------------------------------------
def _name_spans(text: str, draft: Draft) -> list[tuple[int, int]]:
    folded = fold(text)
    spans = []
    for name in {fold(draft.title).text.strip(), fold(draft.brand).text.strip()} - {""}:
        at = folded.text.find(name)
        while at >= 0:
            spans.append(folded.span(at, at + len(name)))
            at = folded.text.find(name, at + len(name))
    return spans


def _own_name(claim: Claim, names: Sequence[tuple[int, int]]) -> Claim:
    if claim.code and any(start <= claim.start and claim.end <= end for start, end in names):
        return Claim(claim.start, claim.end, claim.kind, claim.text, fact="title")
    return claim


# --- Numbers ------------------------------------------------------------------------------------------------------
def _number_claims(text: str, evidence: Evidence) -> Iterator[Claim]:
    judged: dict[tuple[Decimal | None, str, str, int], tuple[str | None, str, str]] = {}
    for number in read_numbers(text):
        key = (number.value, number.unit, number.token, number.decimals)
        if key not in judged:
            judged[key] = _judge_number(number, evidence)
        fact, code, nearest = judged[key]
        kind: Kind = "quantity" if number.unit else "number"
        yield Claim(number.start, number.end, kind, text[number.start : number.end], fact, code, nearest)


def _judge_number(number: Number, evidence: Evidence) -> tuple[str | None, str, str]:
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
    return None, "unsupported_number", _nearest_number(number, known_numbers)


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


def _nearest_number(claim: Number, known_numbers: Sequence[KnownNumber]) -> str:
    alike = [known for known in known_numbers if known.number.dimension == claim.dimension]
    if not alike or claim.value is None:
        return ""
    value = claim.value

    def distance(known: KnownNumber) -> Decimal:
        number = known.number
        amount = _convert(number.quantity, claim.unit) if number.unit and claim.unit else number.value
        return abs((amount or Decimal(0)) - value)

    return _quote(min(alike, key=distance))


# --- Materials and colours ----------------------------------------------------------------------------------------
def _material_claims(text: str, evidence: Evidence) -> Iterator[Claim]:
    lexicon = load_lexicon("materials")
    for mention in lexicon.mentions(text):
        known = _backing(mention, evidence.materials, lexicon)
        if known:
            yield _claim(text, mention, "material", fact=known.source.name)
            continue
        rival = next((item for item in evidence.stated_materials if lexicon.are_rivals(item.name, mention.name)), None)
        closest = rival or next(iter(evidence.stated_materials or evidence.materials), None)
        # Wood said to be oak is not contradicted, and a metal zip does not contradict cotton; neither is known, though.
        is_kin = any(lexicon.are_related(item.name, mention.name) for item in evidence.stated_materials)
        code = "contradicted_material" if rival and not is_kin else "unsupported_material"
        yield _claim(text, mention, "material", code=code, nearest=_quote(closest) if closest else "")


def _colour_claims(text: str, evidence: Evidence) -> Iterator[Claim]:
    lexicon = load_lexicon("colours")
    for mention in lexicon.mentions(text):
        known = _backing(mention, evidence.colours, lexicon)
        if known:
            yield _claim(text, mention, "colour", fact=known.source.name)
        else:
            nearest = _quote(evidence.colours[0]) if evidence.colours else ""
            yield _claim(text, mention, "colour", code="unsupported_colour", nearest=nearest)


def _backing(mention: Mention, known: Sequence[KnownWord], lexicon: Lexicon) -> KnownWord | None:
    return next((word for word in known if lexicon.backs(word.name, mention.name)), None)


def _claim(
    text: str, mention: Mention, kind: Kind, *, fact: str | None = None, code: str = "", nearest: str = ""
) -> Claim:
    return Claim(mention.start, mention.end, kind, text[mention.start : mention.end], fact, code, nearest)


def _quote(known: KnownNumber | KnownWord) -> str:
    return f"{known.source.name}: {known.source.text}"


_MESSAGES: Final = {
    "unsupported_number": "No fact says “{}”.",
    "unsupported_unit": "The facts have this number with another unit than “{}”.",
    "unsupported_material": "No fact says “{}”.",
    "contradicted_material": "The facts name another material than “{}”.",
    "unsupported_colour": "No fact says “{}”.",
}


def _message(claim: Claim) -> str:
    said = _MESSAGES[claim.code].format(claim.text[:80])
    return f"{said} Nearest: {claim.nearest[:200]}" if claim.nearest else said
