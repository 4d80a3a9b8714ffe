"""No claim without a fact: numbers, units, materials and colours, in English and Chinese."""

from __future__ import annotations

import pytest

from moderation.policy.base import Draft, Fact, Severity
from moderation.policy.claims import Claim
from moderation.policy.grounding import GroundingCheck, claims, grounding_score
from moderation.policy.lexicons import load_lexicon
from moderation.policy.numbers import read_numbers

FACTS = (
    Fact("Width", "26 cm", 26.0, "cm"),
    Fact("Weight", "1.25 kg", 1.25, "kg"),
    Fact("Capacity", "1500 ml", 1500.0, "ml"),
    Fact("Battery life", "12 h", 12.0, "h"),
    Fact("Material", "Solid oak, stainless steel lid"),
    Fact("Colour", "navy"),
    Fact("Contents", "Pack of 2"),
    Fact("Rating", "IP67"),
)
ZH_FACTS = (
    Fact("容量", "1.5升", 1.5, "l"),
    Fact("材质", "纯棉"),
    Fact("颜色", "深蓝色"),
    Fact("口袋", "3个"),
    Fact("续航", "24小时"),
)


def made(
    text: str, *, facts: tuple[Fact, ...] = FACTS, locale: str = "en", title: str = "Keeper", brand: str = ""
) -> list[Claim]:
    return claims(Draft(text, "description", locale, title, brand, facts=facts))


@pytest.mark.parametrize(
    ("text", "claim", "fact"),
    [
        ("It is 26 cm wide.", "26 cm", "Width"),
        ("It is 260 mm wide.", "260 mm", "Width"),
        ("It is 10.2 inches wide.", "10.2 inches", "Width"),
        ("About 10-inch wide.", "10-inch", "Width"),
        ("Weighs 1.3 kg.", "1.3 kg", "Weight"),
        ("Weighs 2.76 lb.", "2.76 lb", "Weight"),
        ("Holds 1.5 litres.", "1.5 litres", "Capacity"),
        ("A twelve-hour battery.", "twelve-hour", "Battery life"),
        ("A 2-pack.", "2", "Contents"),
        ("Two in a box.", "Two", "Contents"),
        ("Sealed to IP67.", "IP67", "Rating"),
        ("Made of wood.", "wood", "Material"),
        ("Oak body.", "Oak", "Material"),
        ("A metal lid.", "metal", "Material"),
        ("In blue.", "blue", "Colour"),
        ("藏青色外观", "藏青色", "Colour"),
        ("不锈钢盖", "不锈钢", "Material"),
    ],
)
def test_a_claim_is_linked_to_the_fact_that_backs_it(text: str, claim: str, fact: str) -> None:
    assert (claim, fact, "") in [(item.text, item.fact, item.code) for item in made(text)]


@pytest.mark.parametrize(
    ("text", "claim", "code", "nearest"),
    [
        ("It is 28 cm wide.", "28 cm", "unsupported_number", "Width: 26 cm"),
        ("It is 26 inches wide.", "26 inches", "unsupported_unit", "Width: 26 cm"),
        ("Weighs 1 kg.", "1 kg", "unsupported_number", "Weight: 1.25 kg"),
        ("Holds 1500 l.", "1500 l", "unsupported_unit", "Capacity: 1500 ml"),
        ("A 24-hour battery.", "24-hour", "unsupported_number", "Battery life: 12 h"),
        ("A 3-pack.", "3", "unsupported_number", ""),
        ("Sealed to IP68.", "IP68", "unsupported_number", ""),
        ("Since 1985.", "1985", "unsupported_number", ""),
        ("A leather strap.", "leather", "unsupported_material", "Material: Solid oak, stainless steel lid"),
        ("Walnut wood body.", "Walnut wood", "contradicted_material", "Material: Solid oak, stainless steel lid"),
        ("A glass body.", "glass body", "contradicted_material", "Material: Solid oak, stainless steel lid"),
        ("In red.", "red", "unsupported_colour", "Colour: navy"),
        ("In turquoise.", "turquoise", "unsupported_colour", "Colour: navy"),
    ],
)
def test_a_claim_without_a_fact_says_what_is_wrong_and_what_comes_closest(
    text: str, claim: str, code: str, nearest: str
) -> None:
    (found,) = [item for item in made(text) if item.text == claim]
    assert (found.code, found.fact) == (code, None)
    if nearest:
        assert found.nearest == nearest


@pytest.mark.parametrize(
    "text",
    [
        "容量1.5升",
        "容量１．５升",
        "容量一点五升",
        "容量1500毫升",
        "三个口袋",
        "纯棉面料",
        "蓝色外观",
        "续航24小时",
        "续航二十四小时",
    ],
)
def test_a_chinese_claim_is_linked_to_its_fact(text: str) -> None:
    found = made(text, facts=ZH_FACTS, locale="zh-Hans")
    assert found, text
    assert all(item.fact for item in found), found


@pytest.mark.parametrize(
    ("text", "claim", "code"),
    [
        ("容量两升", "两升", "unsupported_number"),
        ("四个口袋", "四", "unsupported_number"),
        ("真丝面料", "真丝", "contradicted_material"),
        ("真皮拼接", "真皮", "contradicted_material"),
        ("金属拉链", "金属", "unsupported_material"),
        ("红色外观", "红色", "unsupported_colour"),
        ("容量1.5毫升", "1.5毫升", "unsupported_unit"),
    ],
)
def test_a_chinese_claim_without_a_fact_is_found(text: str, claim: str, code: str) -> None:
    assert [(item.text, item.code) for item in made(text, facts=ZH_FACTS, locale="zh-Hans")] == [(claim, code)]


@pytest.mark.parametrize(
    "text",
    [
        "One of a kind, first in line, there for you 24/7.",
        "Leather-look trim, a silk-like touch and no plastic.",
        "Good with green tea, red wine or a glass of milk. It will cool down.",
        "一件好物，四季百搭，十分好看，千变万化。",
        "1. Rinse it.\n2. Dry it.",
    ],
)
def test_an_idiom_is_no_claim(text: str) -> None:
    assert made(text, facts=()) == []


def test_the_products_own_name_is_no_claim() -> None:
    assert all(item.fact for item in made("The Red Barn 500 keeps warm.", title="Red Barn 500", facts=()))


def test_a_unit_in_the_name_of_a_fact_counts() -> None:
    assert [item.fact for item in made("Weighs 240 g.", facts=(Fact("Weight (g)", "240"),))] == ["Weight (g)"]


def test_the_check_warns_and_carries_its_evidence() -> None:
    (hit,) = GroundingCheck().find(Draft("It is 28 cm wide.", "description", "en", "Keeper", facts=FACTS))
    assert hit.severity is Severity.WARN
    assert hit.evidence == {
        "claim": "28 cm",
        "kind": "quantity",
        "nearest_fact": "Width: 26 cm",
        "attribute": "width",
        "attribute_at": [12, 16],
        "fixup": {"start": 6, "end": 11, "text": "26 cm"},
    }


def test_the_score_falls_with_each_unbacked_claim_and_rises_with_each_fact() -> None:
    def score(text: str) -> float:
        return grounding_score(Draft(text, "description", "en", "Keeper jug", "Acme", facts=FACTS))

    plain = score("A jug for the table.")
    one = score("A jug for the table, 26 cm wide.")
    two = score("A jug for the table, 26 cm wide, in navy.")
    wrong = score("A jug for the table, 26 cm wide, in red.")
    worse = score("A jug for the table, 28 cm wide, in red.")
    named = score("The Acme jug for the table, 26 cm wide, in navy.")
    assert plain < one < two < named <= 1.0
    assert worse < wrong < one
    assert score("  ") == 0.0


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("两百五十毫升", [("两百五十毫升", 250, "ml")]),
        ("一万二千个", [("一万二千", 12000, "")]),
        ("twenty-four hours", [("twenty-four hours", 24, "h")]),
        ("five hundred sheets", [("five hundred", 500, "")]),
        ("5–10 cm", [("5", 5, "cm"), ("10 cm", 10, "cm")]),
        ("a 3-in-1 set", [("3", 3, "")]),
        ("1,200 sheets", [("1,200", 1200, "")]),
    ],
)
def test_numbers_are_read_with_their_units_and_spans(text: str, numbers: list[tuple[str, int, str]]) -> None:
    assert [(text[item.start : item.end], item.value, item.unit) for item in read_numbers(text)] == numbers


@pytest.mark.parametrize("name", ["materials", "colours"])
def test_every_spelling_of_a_lexicon_is_read_as_its_word(name: str) -> None:
    lexicon = load_lexicon(name)
    for spelling, word in lexicon.names.items():
        assert word in {mention.name for mention in lexicon.mentions(f" {spelling} ")}, spelling


def test_oak_may_be_called_wood_but_wood_not_oak() -> None:
    lexicon = load_lexicon("materials")
    assert lexicon.backs("oak", "wood")
    assert not lexicon.backs("wood", "oak")
    assert lexicon.are_rivals("cotton", "leather")
    assert lexicon.are_rivals("copper", "steel")
    assert not lexicon.are_rivals("cotton", "metal")
