"""A number is compared with the facts about what its sentence says it is of."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.policy.base import Draft, Fact
from moderation.policy.binding import bind
from moderation.policy.claims import Claim
from moderation.policy.grounding import claims
from moderation.policy.measures import stated_by
from moderation.policy.numbers import read_numbers


def judged(text: str, facts: dict[str, str], locale: str = "en") -> list[Claim]:
    stated = [Fact(name, value) for name, value in facts.items()]
    found = claims(Draft(text, "description", locale, "Thing", facts=stated))
    return [claim for claim in found if claim.kind in ("number", "quantity")]


@pytest.mark.parametrize(
    ("text", "of"),
    [
        ("It measures 30 cm wide and 20 cm tall", ["width", "height"]),
        ("20 cm in width and 30 cm in height", ["width", "height"]),
        ("a width of 20 cm and a height of about 30 cm", ["width", "height"]),
        ("Width 20 cm Height 30 cm", ["width", "height"]),
        ("20 cm width 30 cm height", ["width", "height"]),
        ('10"W x 8"H', ["width", "height"]),
        ("10 x 8 x 4 inches (L x W x H)", ["length", "width", "height"]),
        ("It weighs < 2 kg", ["weight"]),
        ("40 hours of battery life, charges in 2 hours", ["battery life", "charging time"]),
        ("The price is 350 g", ["price"]),
        ("made of 80 g of Sage Green", ["material"]),
        ("宽26厘米，高30厘米", ["width", "height"]),
        ("26厘米宽", ["width"]),
        ("重约1.2公斤", ["weight"]),
        ("A twelve-hour battery", [""]),
    ],
)
def test_a_number_is_bound_to_what_the_sentence_says_it_is_of(text: str, of: list[str]) -> None:
    assert [item.measure.name if item else "" for item in bind(text, read_numbers(text))] == of


@pytest.mark.parametrize(
    ("name", "measure", "part"),
    [
        ("Cable length (m)", "length", "cable"),
        ("ItemWeight", "weight", ""),
        ("Shipping Weight", "weight", "shipping"),
        ("Weight capacity", "load", ""),
        ("净含量", "content", ""),
        ("Colour", "", ""),
    ],
)
def test_the_name_of_a_fact_says_what_its_value_is_of(name: str, measure: str, part: str) -> None:
    stated = stated_by(name)
    assert (stated.measure.name if stated.measure else "", stated.part) == (measure, part)


@pytest.mark.parametrize(
    ("text", "facts", "found"),
    [
        (
            "It measures 30 cm wide and 20 cm tall.",
            {"Width": "20 cm", "Height": "30 cm"},
            [("30 cm", "contradicted_attribute", "Width: 20 cm"), ("20 cm", "contradicted_attribute", "Height: 30 cm")],
        ),
        ("It weighs 1.8 m.", {"Weight": "2 kg"}, [("1.8 m", "unsupported_unit", "Weight: 2 kg")]),
        ("The price is 350 g.", {"Weight": "350 g"}, [("350 g", "unsupported_unit", "")]),
        ("Made of 80 g of oak.", {"Weight": "80 g"}, [("80 g", "unsupported_unit", "")]),
        (
            "320 kg in weight and a breaking strength of 320 g.",
            {"Weight": "320 g", "Breaking strength": "320 kg"},
            [
                ("320 kg", "contradicted_attribute", "Weight: 320 g"),
                ("320 g", "contradicted_attribute", "Breaking strength: 320 kg"),
            ],
        ),
        (
            "The cord is 30 cm long.",
            {"Cable length": "1.8 m", "Length": "30 cm"},
            [("30 cm", "contradicted_attribute", "Cable length: 1.8 m")],
        ),
        (
            "8 drawers and 3 seats.",
            {"Seats": "8", "Drawers": "3"},
            [("8", "contradicted_attribute", "Drawers: 3"), ("3", "contradicted_attribute", "Seats: 8")],
        ),
        ("Hot for 36 hours.", {"Hot": "24 h", "Cold": "36 h"}, [("36 hours", "contradicted_attribute", "Hot: 24 h")]),
        ("宽30厘米。", {"宽度": "26厘米", "高度": "30厘米"}, [("30厘米", "contradicted_attribute", "宽度: 26厘米")]),
        ("Measures 12 x 9 cm.", {"Size": "10 x 8 cm"}, [("12 x 9 cm", "unsupported_number", "Size: 10 x 8 cm")]),
        ("It takes 10 lbs. (4.5 kg).", {"Load": "3 kg"}, [("10 lbs. (4.5 kg", "unsupported_number", "Load: 3 kg")]),
        ("The box holds a dozen.", {"Pieces": "10"}, [("a dozen", "unsupported_number", "Pieces: 10")]),
        ("It weighs nearly 3 kg.", {"Weight": "1.8 kg"}, [("3 kg", "unsupported_number", "Weight: 1.8 kg")]),
        ("A twin pack.", {"Pack of": "3"}, [("twin", "unsupported_number", "Pack of: 3")]),
        ("半斤装的红枣。", {"净含量": "500g"}, [("半斤", "unsupported_number", "净含量: 500g")]),
    ],
)
def test_an_exchanged_or_impossible_value_is_one_finding_each(
    text: str, facts: dict[str, str], found: list[tuple[str, str, str]]
) -> None:
    assert [(claim.text, claim.code, claim.nearest) for claim in judged(text, facts) if claim.code] == found


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("Holds a full 12 oz can.", {"Capacity": "355 ml"}),
        ("It suits sleepers up to 6 ft 2 in tall.", {"Max height": "188 cm"}),
        ("It weighs < 2 kg and is > 30 cm tall.", {"Weight": "1.8 kg", "Height": "32 cm"}),
        ("The cord is 1.8 m long.", {"Cable length": "1.8 m", "Length": "30 cm"}),
        ("It is 30 cm deep.", {"Length": "30 cm", "Width": "20 cm"}),
        ("Hot for 24 hours and cold for a day and a half.", {"Hot": "24 h", "Cold": "36 h"}),
        ("Only 2 in the pack of 4 fit the small burner.", {"Pack": "4", "Small burner": "2"}),
        ("8 inches tall and 10 inches wide.", {"Dimensions (W x H)": "10 x 8 inches"}),
        ("八种口味各三包。", {"口味": "8种", "包数": "24包"}),
        ("Replaces 0 261 231 188.", {"Part numbers": "0261231188, 0261231173"}),
        ("It weighs nearly 2 kg.", {"Weight": "1.8 kg"}),
        ("It stands 3 ¾ inches tall.", {"Height": "3.75 in"}),
        ("It costs around 30 pounds.", {"Price range": "more than £30"}),
        ("Suitable for Christmas and Easter.", {"Width": "3 cm"}),
        ("Rows H1 and H2.", {"Contents": "D3, B12"}),
        ("一玩就是半小时。", {}),
    ],
)
def test_what_the_facts_say_in_other_words_is_no_finding(text: str, facts: dict[str, str]) -> None:
    assert [claim for claim in judged(text, facts) if claim.code and claim.severity != "info"] == []


# --- Whatever the phrasing ----------------------------------------------------------------------------------------
PHRASINGS = {
    "Width": ["{} wide", "a width of {}", "{} in width", "width: {}"],
    "Height": ["{} tall", "{} high", "a height of about {}", "height {}"],
    "Depth": ["{} deep", "a depth of {}", "depth: {}"],
    "Weight": ["weighs {}", "a weight of {}", "weighs only {}", "{} in weight"],
    "Breaking strength": ["a breaking strength of {}", "breaking strength: {}"],
    "Battery life": ["a battery life of {}", "{} of battery life", "lasts up to {}"],
    "Charging time": ["a charging time of {}", "charges in {}", "charging time: {}"],
    "宽度": ["宽{}", "宽度为{}", "{}宽"],
    "高度": ["高{}", "高度约{}", "{}高"],
    "净重": ["净重{}", "重约{}"],
    "承重": ["承重{}", "承重可达{}"],
}
UNITS = {
    "cm": ["Width", "Height", "Depth"],
    "kg": ["Weight", "Breaking strength"],
    "hours": ["Battery life", "Charging time"],
    "厘米": ["宽度", "高度"],
    "公斤": ["净重", "承重"],
}


@st.composite
def told(draw: st.DrawFn) -> tuple[dict[str, str], list[str], str]:
    """Return facts of one unit with values that no rounding makes equal, a phrasing for each, and what joins them."""
    unit = draw(st.sampled_from(sorted(UNITS)))
    names = UNITS[unit]
    values = draw(
        st.lists(
            st.sampled_from([3, 7, 12, 19, 26, 40, 55, 80, 120, 350]), min_size=len(names), max_size=3, unique=True
        )
    )
    space = "" if unit in ("厘米", "公斤") else " "
    facts = {name: f"{value}{space}{unit}" for name, value in zip(names, values, strict=False)}
    phrasings = [draw(st.sampled_from(PHRASINGS[name])) for name in names]
    joint = draw(st.sampled_from(["，", "。"] if not space else [", ", " and ", ". It: ", "; "]))
    return facts, phrasings, joint


@settings(max_examples=200, deadline=None)
@given(told())
def test_a_true_sentence_gives_no_finding_and_an_exchanged_one_does(
    case: tuple[dict[str, str], list[str], str],
) -> None:
    facts, phrasings, joint = case
    values = list(facts.values())
    for order in permutations(values):
        text = joint.join(phrasing.format(value) for phrasing, value in zip(phrasings, order, strict=True)) + "."
        wrong = {claim.start for claim in judged(text, facts) if claim.code}
        assert len(wrong) == sum(value != true for value, true in zip(order, values, strict=True)), text
