"""Limits on decoding: what may come next, by data alone."""

from __future__ import annotations

import re

import pytest

from inference.contracts import CopyBrief, Fact
from inference.writing.grammars import as_gbnf, as_regex, guided
from inference.writing.limits import Limits
from moderation.drafting.limits import limits_for

BOTTLE = CopyBrief(
    "description",
    "en",
    "ThermoPeak Bottle 500",
    "ThermoPeak",
    "Drinkware",
    [
        Fact("Weight", "350 g"),
        Fact("Length", "18 cm"),
        Fact("Material", "stainless steel"),
        Fact("Dimensions", "10 x 20.5 cm"),
        Fact("Lids", "2"),
        Fact("Rating", "IP67"),
        Fact("Cable length", "1.8 m"),
        Fact("Colour", "sage green"),
    ],
)
CHINESE = CopyBrief(
    "description",
    "zh-Hans",
    "云岭保温杯",
    "云岭",
    "水具",
    [Fact("重量", "350 克"), Fact("材质", "不锈钢"), Fact("颜色", "黑色")],
)


def pieces_of(text: str) -> list[str]:
    """As a tokenizer with single digits cuts it: words with the space in front, digits one by one."""
    return re.findall(r" ?[^\W\d_\u4e00-\u9fff]+|[\u4e00-\u9fff]|\d| ?[^\w\s]+|\s+", text)


def refused_at(limits: Limits, text: str) -> str:
    """Return the piece that is refused, with what stands before it; "" where all of `text` may be written."""
    said = ""
    for piece in pieces_of(text):
        if not limits.allows(said, piece):
            return said + piece
        said += piece
    return "" if limits.may_end(said) else said + "\n"


@pytest.mark.parametrize(
    "text",
    [
        "The ThermoPeak Bottle 500 weighs 350 g and is 18 cm long.",
        "It has 2 lids, and with two lids it is rated IP67.",
        "Made of stainless steel in sage green, it measures 10 x 20.5 cm.",
        "The cable is 1.8 m long. It is made of steel.",
        "A 350-gram body.",
        "An 18-cm ThermoPeak for the road; I like it.",
    ],
)
def test_what_the_facts_hold_may_be_written(text: str) -> None:
    assert refused_at(limits_for(BOTTLE), text) == ""


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("It weighs 351 g.", "It weighs 351"),
        ("It weighs 18 cm.", "It weighs 1"),
        ("It weighs 1.8 m.", "It weighs 1"),
        ("It is 350 g long.", "It is 350 g long"),
        ("The price is 350 g.", "The price is 3"),
        ("a length of about 350 g", "a length of about 3"),
        ("It weighs 350.", "It weighs 350."),
        ("It weighs 350 kg.", "It weighs 350 kg"),
        ("It holds 500 ml.", "It holds 500 ml"),
        ("made of 350 g of steel", "made of 3"),
        ("It runs for 350 g", "It runs for 3"),
        ("The cable length 18 cm", "The cable length 18"),
        ("It weighs ½ kg", "It weighs ½"),
        ("It weighs Ⅶ kg", "It weighs Ⅶ"),
        ("A bottle # one", "A bottle #"),
        ("A bottle\nlike", "A bottle\n"),
        ("350 glasses", "350 glasses"),
        ("It weighs 350 grams. It weighs 350 g", "It weighs 350 grams. It weighs 3"),
        ("rated IP68", "rated IP68"),
        ("It has three lids", "It has three"),
        ("It is made of leather", "It is made of leather"),
        ("It comes in red", "It comes in red"),
        ("Made in Germany", "Made in Germany"),
        ("An award-winning bottle", "An award"),
        ("A bottle like the Yeti", "A bottle like the Yeti"),
    ],
)
def test_what_no_fact_holds_is_refused_where_it_begins_to_be_said(text: str, at: str) -> None:
    assert refused_at(limits_for(BOTTLE), text) == at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("云岭保温杯重350克，黑色不锈钢。", ""),
        ("重360克", "重36"),
        ("采用纯棉", "采用纯棉"),
        ("价格350克", "价格3"),
        ("红色", "红色"),
    ],
)
def test_chinese_is_held_to_its_facts(text: str, at: str) -> None:
    assert refused_at(limits_for(CHINESE), text) == at


def test_a_number_under_way_goes_on_as_the_facts_have_it() -> None:
    limits = limits_for(BOTTLE)
    assert " g" in limits.ways_on("It weighs 350")
    assert "8 cm" in limits.ways_on("It is 1")
    assert limits.ways_on("It is made of steel") == []


def test_without_numbers_none_may_be_written() -> None:
    limits = limits_for(CopyBrief("description", "en", "Oak Spoon", facts=[Fact("Material", "oak")]))
    assert refused_at(limits, "An oak spoon of 5") == "An oak spoon of 5"
    assert re.fullmatch(as_regex(limits), "An oak spoon.")
    assert not re.fullmatch(as_regex(limits), "An oak spoon of 5 g.")


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("It weighs 350 g and has 2 lids, rated IP67.", True),
        ("It is 10 x 20.5 cm.", True),
        ("It weighs 351 g.", False),
        ("It weighs 350 kg.", False),
        ("It has 22 lids.", False),
        ("It has 2", True),
    ],
)
def test_a_server_is_told_the_numbers_as_an_expression(text: str, holds: bool) -> None:
    assert bool(re.fullmatch(as_regex(limits_for(BOTTLE)), text)) == holds


def test_each_kind_of_server_is_told_in_its_own_words() -> None:
    limits = limits_for(BOTTLE)
    assert guided(limits, "vllm_structured_outputs") == {"structured_outputs": {"regex": as_regex(limits)}}
    assert guided(limits, "vllm_guided_regex") == {"guided_regex": as_regex(limits)}
    grammar = guided(limits, "llama_cpp_grammar")["grammar"]
    assert grammar == as_gbnf(limits)
    assert grammar.startswith("root ::= piece* number?\n")
    assert '"350 g"' in grammar


def test_a_number_without_a_unit_is_not_followed_by_what_begins_like_one() -> None:
    limits = limits_for(CopyBrief("description", "en", "Squeeze Bottle 750", "", "", []))
    assert not limits.allows("It comes in 750", " millilitle")
    assert not limits.allows("It comes in 750 milli", "lit")
    assert limits.allows("The Squeeze Bottle 750", " keeps")
