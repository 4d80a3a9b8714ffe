"""What grounding says of parts, making, care, places, sums and ratios."""

from __future__ import annotations

import pytest

from moderation.policy.base import Draft, Fact, Severity
from moderation.policy.grounding import GroundingCheck


def draft(text: str, **facts: str) -> Draft:
    locale, title = ("en", "Product") if text[0].isascii() else ("zh-Hans", "商品")
    return Draft(text, "description", locale, title, facts=[Fact(name, value) for name, value in facts.items()])


def codes(text: str, **facts: str) -> set[str]:
    """Return the codes of what grounding asks a person about."""
    return {hit.code for hit in GroundingCheck().find(draft(text, **facts)) if hit.severity is not Severity.INFO}


@pytest.mark.parametrize(
    ("text", "facts", "code"),
    [
        ("A coat with steel buttons.", {"buttons": "brass"}, "contradicted_attribute"),
        ("The dial is green.", {"dial": "white"}, "contradicted_attribute"),
        ("The strap is adjustable.", {"strap": "fixed"}, "contradicted_attribute"),
        ("把手是塑料的，很轻。", {"把手": "橡木"}, "contradicted_attribute"),
        ("表盘是白的。", {"表盘": "黑色"}, "contradicted_attribute"),
        ("肩带可调。", {"肩带": "固定"}, "contradicted_attribute"),
        ("Put it into the dishwasher.", {"care": "wash by hand"}, "contradicted_attribute"),
        ("Hand-woven in small lots.", {"technique": "machine-made"}, "contradicted_attribute"),
        ("手绘的青花碗。", {"工艺": "贴花"}, "contradicted_attribute"),
        ("A flute in G major.", {"tuning": "D major"}, "contradicted_attribute"),
        ("可以放进烤箱。", {"烤箱": "不可用"}, "contradicted_yes_no"),
        ("Forged in Solingen by hand.", {"origin": "India"}, "unsupported_origin"),
        ("Carved in Italy from olive.", {"origin": "Portugal"}, "contradicted_origin"),
        ("M@de in It4ly.", {"origin": "India"}, "contradicted_origin"),
        ("安徽种植的茶。", {"产地": "湖南"}, "contradicted_origin"),
        ("It is three times as long as it is wide.", {"length": "90 cm", "width": "45 cm"}, "contradicted_attribute"),
        ("高是宽的三倍。", {"高": "90 cm", "宽": "45 cm"}, "contradicted_attribute"),
        ("Lid and pan weigh 4 kg together.", {"lid weight": "0.6 kg", "pan weight": "2.1 kg"}, "unsupported_number"),
        ("A novel of over 300 pages.", {"pages": "180"}, "unsupported_number"),
    ],
)
def test_what_a_fact_contradicts_is_found(text: str, facts: dict[str, str], code: str) -> None:
    assert code in codes(text, **facts)


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("A coat with brass buttons.", {"buttons": "brass"}),
        ("The strap is not adjustable.", {"strap": "fixed"}),
        ("把手是橡木的，很轻。", {"把手": "橡木"}),
        ("表盘是黑的。", {"表盘": "黑色"}),
        ("Wash by hand.", {"care": "hand wash only"}),
        ("Do not put it in the dishwasher.", {"care": "hand wash only"}),
        ("Handmade bowls.", {"technique": "hand-thrown"}),
        ("不可以放进烤箱。", {"烤箱": "不可用"}),
        ("Forged in Solingen by hand.", {"origin": "Solingen, Germany"}),
        ("It is twice as long as it is wide.", {"length": "90 cm", "width": "45 cm"}),
        ("高是宽的两倍。", {"高": "90 cm", "宽": "45 cm"}),
        ("Lid and pan weigh 2.7 kg together.", {"lid weight": "0.6 kg", "pan weight": "2.1 kg"}),
        ("A novel of over 300 pages.", {"pages": "312"}),
        ("2021年的普洱。", {"年份": "2021"}),
    ],
)
def test_what_the_facts_say_is_left_alone(text: str, facts: dict[str, str]) -> None:
    assert not codes(text, **facts)
