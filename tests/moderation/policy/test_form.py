"""Length, loops, markup, script; refusals, chatter and leaked prompts."""

from __future__ import annotations

import pytest

from moderation.policy.base import Draft, Fact, Hit, Severity
from moderation.policy.form import LengthCheck, RefusalCheck

GOOD_EN = (
    "Sip slowly: this stoneware mug keeps coffee warm, stacks neatly and goes into the dishwasher after breakfast."
)
GOOD_ZH = "这款陶瓷马克杯握感温润，厚实杯壁留住咖啡的温度，早餐之后可以放心放进洗碗机清洗。"


def form(text: str, *, channel: str = "description", locale: str = "en", title: str = "Stoneware mug") -> list[Hit]:
    return LengthCheck().find(Draft(text, channel, locale, title))


def refusal(text: str, *, prompt: tuple[str, ...] = (), facts: tuple[Fact, ...] = (), title: str = "Mug") -> list[Hit]:
    return RefusalCheck().find(Draft(text, "description", "en", title, facts=facts, prompt_lines=prompt))


def severities(hits: list[Hit]) -> dict[str, str]:
    return {hit.code: hit.severity.value for hit in hits}


@pytest.mark.parametrize(("text", "locale"), [(GOOD_EN, "en"), (GOOD_ZH, "zh-Hans")])
def test_good_copy_has_no_fault_of_form(text: str, locale: str) -> None:
    assert form(text, locale=locale) == []


@pytest.mark.parametrize("text", ["", "   ", "…!", "\u200b\u200b"])
def test_empty_text_blocks(text: str) -> None:
    assert severities(form(text)) == {"empty": "block"}


@pytest.mark.parametrize(
    ("text", "code", "severity"),
    [
        (
            "Luxury Luxury Luxury for everyone who likes a warm drink in the early morning of a day.",
            "repeated_word",
            "block",
        ),
        ("A mug to love and keep and hold. " * 8, "repeated_text", "block"),
        ("A mug that goes on and on and is soooooooooooooooo good for coffee and tea.", "repeated_character", "block"),
        ("A short mug.", "too_short", "warn"),
        (" ".join(f"word{n} is here." for n in range(90)), "too_long", "warn"),
        ("A warm stoneware mug for coffee that stacks neatly and goes into the", "unfinished", "warn"),
        ("A <b>warm</b> stoneware mug for coffee that stacks neatly in any small kitchen.", "html", "warn"),
        ("A warm mug <script>alert(1)</script> for coffee that stacks neatly in any kitchen.", "active_html", "block"),
        ("A **warm** stoneware mug for coffee that stacks neatly in any small kitchen.", "markdown", "warn"),
        ("# Mug\nA warm stoneware mug for coffee that stacks neatly in any small kitchen.", "markdown", "warn"),
        ("A warm stone\ufffdware mug for coffee that stacks neatly in any small kitchen.", "broken_character", "warn"),
        (GOOD_ZH, "wrong_script", "block"),
        (GOOD_EN + " 温润", "wrong_script", "warn"),
    ],
)
def test_a_fault_of_form_is_found(text: str, code: str, severity: str) -> None:
    assert severities(form(text))[code] == severity


def test_english_text_in_a_chinese_slot_blocks_but_a_brand_name_does_not() -> None:
    assert severities(form(GOOD_EN, locale="zh-Hans"))["wrong_script"] == "block"
    assert form("Acme Pro 系列陶瓷马克杯，握感温润，厚实杯壁留住咖啡的温度，放心放进洗碗机。", locale="zh-Hans") == []


def test_a_chinese_loop_blocks() -> None:
    assert "repeated_text" in severities(form("温润陶瓷杯真好用呀" * 8, locale="zh-Hans"))


def test_a_slogan_needs_no_full_stop_and_has_its_own_length() -> None:
    assert form("Mornings, warmed slowly", channel="ad_slogan") == []
    assert "too_long" in severities(form(GOOD_EN, channel="ad_slogan"))


def test_a_product_that_is_called_so_may_repeat_its_name() -> None:
    text = "Bora Bora Bora soap brings a calm sea to your bathroom, with a gentle scent that stays for a while."
    assert "repeated_word" in severities(form(text))
    assert form(text, title="Bora Bora Bora soap") == []


def test_too_long_points_at_what_does_not_fit() -> None:
    text = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    (hit,) = form(text, channel="ad_slogan")
    assert text[hit.start : hit.end] == "sixteen"


@pytest.mark.parametrize(
    "text",
    [
        "I cannot fulfil this request as it goes against OpenAI use case policy.",
        "I'm sorry but I cannot assist with that.",
        "As an AI language model, I do not own a mug.",
        "As an AI language model I can't taste coffee.",
        "I’m unable to write that.",
        "Sorry, I can't help with this mug.",
        "作为一个人工智能，我无法提供这款杯子的描述。",
        "作为AI语言模型，我没有喝过咖啡。",
        "很抱歉，我无法完成您的要求。",
        "I сannot fulfil this.",  # the c is Cyrillic
    ],
)
def test_a_refusal_blocks(text: str) -> None:
    hits = refusal(text)
    assert severities(hits).get("refusal") == "block", hits


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Sure! Here is a product description: A mug.", "chatter"),
        ("Here's a short slogan for your mug: Warm up.", "chatter"),
        ("A warm mug. Let me know if you want another.", "chatter"),
        ("当然！这款杯子很温润。", "chatter"),
        ("以下是为您撰写的文案：温润好杯。", "chatter"),
        ("Product facts: stoneware, 300 ml.", "leaked_marker"),
        ("A mug.<|im_end|>", "leaked_marker"),
        ("```\nA mug.\n```", "leaked_marker"),
        ("Assistant: A warm mug.", "leaked_marker"),
        ("商品信息：陶瓷", "leaked_marker"),
        ("Meet [Product Name], the mug.", "placeholder"),
        ("Meet {{brand}} mugs.", "placeholder"),
        ("【品牌名】马克杯", "placeholder"),
    ],
)
def test_talk_that_is_not_for_the_shopper_blocks(text: str, code: str) -> None:
    assert severities(refusal(text)).get(code) == "block"


def test_an_echoed_instruction_blocks_and_the_span_covers_it() -> None:
    prompt = ("Write only what the facts below support, in one paragraph.", "Short line.")
    text = "A warm mug. Write only what the facts below support, in one paragraph! It stacks."

    (hit,) = refusal(text, prompt=prompt)

    assert hit.code == "prompt_leak"
    assert text[hit.start : hit.end] == "Write only what the facts below support, in one paragraph"


def test_a_chinese_instruction_that_is_echoed_blocks() -> None:
    hits = refusal("温润好杯。只根据下面给出的事实写一段商品描述。", prompt=("只根据下面给出的事实写一段商品描述。",))
    assert [hit.code for hit in hits] == ["prompt_leak"]


def test_a_fence_of_the_prompt_blocks() -> None:
    text = "A warm mug. END_OF_DATA"
    (hit,) = refusal(text, prompt=("PRODUCT_DATA", "END_OF_DATA"))
    assert (hit.code, text[hit.start : hit.end]) == ("prompt_leak", "END_OF_DATA")


def test_what_the_facts_say_is_no_leak() -> None:
    fact = Fact("care", "Wash by hand in warm water and dry with a soft cloth")
    prompt = ("care: Wash by hand in warm water and dry with a soft cloth",)
    assert refusal("Wash by hand in warm water and dry with a soft cloth.", prompt=prompt, facts=(fact,)) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("I left out the price. A warm mug.", "refusal"),
        ("The weight was not provided in the brief.", "refusal"),
        ("Option 2: A mug for two.", "chatter"),
        ("方案一：温润好杯。", "chatter"),
        ("抱歉，这个商品没法写。", "refusal"),
        ("因为缺少尺寸信息，您可以自行补充。", "refusal"),
        ("It has [feature 1] and [feature 2].", "placeholder"),
    ],
)
def test_talk_that_most_likely_is_not_for_the_shopper_goes_to_a_person(text: str, code: str) -> None:
    assert severities(refusal(text)).get(code) == "warn"


@pytest.mark.parametrize(
    "text",
    [
        "Sure, this mug is small, but it keeps its heat.",
        "Of course, this bag is washable.",
        "当然，好茶离不开好水。",
        "We have left out plastic wherever we could.",
        "The screws are supplied with the shelf.",
        "您可以自行调整亮度，建议您更换滤芯。",
        "Note: the lid gets hot.",
        "The option 2: no such thing.",
    ],
)
def test_a_shop_that_speaks_to_a_shopper_is_left_alone(text: str) -> None:
    assert refusal(text) == []


def test_a_title_about_language_models_only_warns() -> None:
    hits = refusal("Speaks of the knowledge cutoff with wit.", title="The Knowledge Cutoff, a novel")
    assert {hit.severity for hit in hits} == {Severity.WARN}


@pytest.mark.parametrize(
    "text", [GOOD_EN, GOOD_ZH, "Sure to please. Here comes the sun.", "I'm a morning person's mug."]
)
def test_ordinary_copy_is_no_refusal(text: str) -> None:
    assert refusal(text) == []
