"""A finding brings what mends it: the value that the fact has, or the clause cut."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings

from moderation.policy.base import Draft, Fact, Hit, Severity
from moderation.policy.fixups import Fixup, apply_fixups, read_fixup
from moderation.policy.grounding import GroundingCheck
from tests.moderation.policy.test_binding import told


def draft(text: str, facts: dict[str, str]) -> Draft:
    return Draft(text, "description", "en", "Thing", facts=[Fact(name, value) for name, value in facts.items()])


def warned(made: Draft) -> list[Hit]:
    return [hit for hit in GroundingCheck().find(made) if hit.severity != Severity.INFO]


def mended(made: Draft) -> str:
    found = [read_fixup(hit.evidence) for hit in warned(made)]
    return apply_fixups(made.text, [fixup for fixup in found if fixup])


@pytest.mark.parametrize(
    ("text", "facts", "after"),
    [
        (
            "It measures 30 cm wide and 20 cm tall.",
            {"Width": "20 cm", "Height": "30 cm"},
            "It measures 20 cm wide and 30 cm tall.",
        ),
        ("It is 30-inch wide.", {"Width": "20 in"}, "It is 20-inch wide."),
        ("It is 26 inches wide.", {"Width": "26 cm"}, "It is 26 cm wide."),
        ("It weighs 1.8 m.", {"Weight": "350 g"}, "It weighs 350 g."),
        ("A good lamp. The price is 350 g.", {"Weight": "350 g"}, "A good lamp."),
        (
            "A lamp in sage, made of 80 g of clay, for the desk.",
            {"Colour": "sage", "Material": "clay"},
            "A lamp in sage, for the desk.",
        ),
        ("The box holds a dozen candles.", {"Pieces": "10"}, "The box holds 10 candles."),
        ("A sturdy jug in red. It pours well.", {"Colour": "navy"}, "A sturdy jug in navy. It pours well."),
        ("A sturdy bag, sealed to IP68, with a zip.", {"Rating": "IP67"}, "A sturdy bag, with a zip."),
        (
            "They resist water to IPX4 and are light, with clear sound and noise cancelling.",
            {"Water resistance": "IPX4", "Noise cancelling": "no", "Sound": "clear", "Weight": "light"},
            "They resist water to IPX4 and are light, with clear sound.",
        ),
        ("柜子宽30厘米，高20厘米，好用。", {"宽度": "20厘米", "高度": "30厘米"}, "柜子宽20厘米，高30厘米，好用。"),
        ("这款裙子采用真丝面料，手感很好。", {"材质": "棉"}, "这款裙子采用棉面料，手感很好。"),
    ],
)
def test_a_fixup_puts_the_value_of_the_fact_or_cuts_the_clause(text: str, facts: dict[str, str], after: str) -> None:
    made = draft(text, facts)
    assert mended(made) == after
    assert warned(draft(after, facts)) == []


def test_a_text_that_would_be_empty_without_the_claim_has_no_fixup() -> None:
    (hit,) = warned(draft("Made in Italy.", {"Origin": "China"}))
    assert read_fixup(hit.evidence) is None


@pytest.mark.parametrize(
    "text", ["Made in Italy. Sealed to IP68.", "It weighs 1.8 kg. It holds 30 litres!", "重30公斤。宽20厘米。"]
)
def test_a_text_of_which_all_claims_together_leave_nothing_has_no_fixups(text: str) -> None:
    found = warned(draft(text, {"Origin": "China"}))
    assert len(found) == 2
    assert [read_fixup(hit.evidence) for hit in found] == [None, None]


def test_a_value_that_is_several_is_not_put_in_the_place_of_one() -> None:
    (hit,) = warned(draft("In red. It pours well.", {"Colour": "navy, green"}))
    assert read_fixup(hit.evidence) == Fixup(0, 8, "")


def test_of_two_fixups_that_overlap_one_is_made() -> None:
    assert apply_fixups("one two three", [Fixup(0, 3, "1"), Fixup(2, 7, "x"), Fixup(8, 13, "3")]) == "1 two 3"
    assert apply_fixups("one", [Fixup(0, 30, "x")]) == "one"


@pytest.mark.parametrize("evidence", [{}, {"fixup": 1}, {"fixup": {"start": 3, "end": 2, "text": ""}}, {"fixup": {}}])
def test_evidence_without_a_fixup_that_can_be_read_has_none(evidence: dict[str, object]) -> None:
    assert read_fixup(evidence) is None


@settings(max_examples=100, deadline=None)
@given(told())
def test_exchanged_values_are_put_right(case: tuple[dict[str, str], list[str], str]) -> None:
    facts, phrasings, joint = case
    for order in permutations(facts.values()):
        text = joint.join(phrasing.format(value) for phrasing, value in zip(phrasings, order, strict=True)) + "."
        after = mended(draft(text, facts))
        assert warned(draft(after, facts)) == [], (text, after)
