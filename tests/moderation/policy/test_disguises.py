"""Disguises that are read through, and claims beside a denial, a name or another meaning."""

from __future__ import annotations

import pytest

from moderation.policy.base import Draft, Severity
from moderation.policy.disguise import unmask
from moderation.policy.folding import fold
from moderation.policy.profanity import ProfanityCheck
from moderation.policy.rules import PolicyRulesCheck


def draft(text: str) -> Draft:
    locale, title = ("en", "Product") if text[0].isascii() else ("zh-Hans", "商品")
    return Draft(text, "description", locale, title)


def ruled(text: str) -> set[str]:
    """Return the codes of what the packs ask a person about."""
    return {hit.code for hit in PolicyRulesCheck().find(draft(text)) if hit.severity is not Severity.INFO}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("h e a l s  a c n e fast", "heals acne fast"),
        ("h-e-a-l-s", "heals"),
        ("c🌿u🌿r🌿e🌿s", "cures"),
        ("治 / 疗失眠", "治疗失眠"),
        ("免💰费💰领", "免费领"),
        ("zhi liao 失眠", "zhi liao 失眠"),
        ("治liao失眠", "治疗失眠"),
        ("抖 y in", "抖音"),
    ],
)
def test_a_disguise_is_read_through(written: str, meant: str) -> None:
    folded = fold(written)
    reading = unmask(folded) or folded
    assert reading.text == meant
    start = reading.text.index(meant[0])
    assert 0 <= reading.span(start, start + len(meant))[1] <= len(written)


@pytest.mark.parametrize("text", ["Sizes S M L and XL", "a 3 / 4 sleeve", "红/白/蓝三色可选", "USB A接口", "T恤"])
def test_honest_writing_is_no_disguise_of_a_claim(text: str) -> None:
    assert not ruled(text)
    assert not ProfanityCheck().find(draft(text))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("No mess: heals acne.", "medical_claim"),
        ("No risk cures eczema.", "medical_claim"),
        ("Never fails to cure eczema.", "medical_claim"),
        ("不含酒精抗菌喷雾。", "health_claim"),
        ("比戴森还安静。", "style_comparison"),
        ("别家卖的都是劣质货。", "style_comparison"),
    ],
)
def test_a_claim_is_found_beside_a_denial_or_a_name(text: str, code: str) -> None:
    assert code in ruled(text)


@pytest.mark.parametrize(
    "text",
    [
        "No cream cures eczema.",
        "免费这两个字我们从不写。",
        "它不是市面上最轻的。",
        "三折伞，收起来只有手掌长。",
        "Fits AirPods and the iPhone.",
        "适用于华为手机的支架。",
    ],
)
def test_a_word_that_is_denied_or_means_something_else_asks_for_nothing(text: str) -> None:
    assert not ruled(text)


def test_an_insult_to_the_reader_is_vulgar_and_luck_is_not() -> None:
    assert ProfanityCheck().find(draft("Only an idiot would pass."))
    assert ProfanityCheck().find(draft("只有傻x才不买。"))
    assert not ProfanityCheck().find(draft("An idiot-proof timer."))
    assert not ProfanityCheck().find(draft("狗屎运挂件。"))
