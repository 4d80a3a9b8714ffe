"""How drafts are set: what is mended in each language, and that no letter, no digit and no value is touched."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.drafting.tidying import tidy

SIGNS = [
    *list("aZé9 07.,;:!?\"'“”‘’()-/%½…\n\t\xa0\u3000，。；：！？、（）「」『』ＡｚA９米克重中好"),
    "kg",
    "350",
    "g ",
    "Levi’s",
    "1,5",
]
TEXTS = st.lists(st.sampled_from(SIGNS), max_size=40).map("".join)
VALUES = st.lists(st.sampled_from(SIGNS), min_size=1, max_size=4).map("".join).map(str.strip)
LOCALES = st.sampled_from(["en", "zh-Hans"])
QUOTES = st.sampled_from(["straight", "curly"])
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def said(text: str) -> list[str]:
    """The letters and digits of a text in their order, wide ones as narrow ones."""
    return [sign for sign in unicodedata.normalize("NFKC", text) if sign.isalnum()]


def numbers(text: str) -> list[str]:
    return NUMBER.findall("".join(unicodedata.normalize("NFKC", sign) if sign.isdigit() else sign for sign in text))


@settings(max_examples=600, deadline=None)
@given(TEXTS, LOCALES, QUOTES)
def test_letters_and_digits_stay_in_their_order(text: str, locale: str, quotes: str) -> None:
    assert said(tidy(text, locale=locale, quotes=quotes)) == said(text)  # type: ignore[arg-type]


@settings(max_examples=600, deadline=None)
@given(TEXTS, LOCALES, QUOTES)
def test_numbers_stay_the_same_numbers(text: str, locale: str, quotes: str) -> None:
    assert numbers(tidy(text, locale=locale, quotes=quotes)) == numbers(text)  # type: ignore[arg-type]


@settings(max_examples=600, deadline=None)
@given(TEXTS, st.lists(VALUES, max_size=3), LOCALES, QUOTES)
def test_numbers_beside_values_of_the_product_do_too(text: str, keep: list[str], locale: str, quotes: str) -> None:
    assert numbers(tidy(text, locale=locale, keep=keep, quotes=quotes)) == numbers(text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("locale", "text", "keep"),
    [
        ("zh-Hans", '27"宽屏，配32"支架', ["27", "32"]),
        ("en", "Holds 10，000 beads, at 10：30", ["10"]),
        ("en", "A 12,,500 or 12..500 lumen lamp", ["500"]),
        ("en", "The A50g is light", ["A5"]),
    ],
)
def test_a_value_does_not_hide_that_a_digit_stands_beside_a_sign(locale: str, text: str, keep: list[str]) -> None:
    assert tidy(text, locale=locale, keep=keep) == text


@settings(max_examples=600, deadline=None)
@given(TEXTS, st.lists(VALUES, max_size=3), LOCALES, QUOTES)
def test_doing_it_again_changes_nothing(text: str, keep: list[str], locale: str, quotes: str) -> None:
    once = tidy(text, locale=locale, keep=keep, quotes=quotes)  # type: ignore[arg-type]
    assert tidy(once, locale=locale, keep=keep, quotes=quotes) == once  # type: ignore[arg-type]


@settings(max_examples=600, deadline=None)
@given(TEXTS, VALUES.filter(lambda value: len(value) > 1), TEXTS, LOCALES)
def test_a_value_of_the_product_stays_to_the_letter(before: str, value: str, after: str, locale: str) -> None:
    text = f"{before} {value} {after}"
    assert tidy(text, locale=locale, keep=[value]).count(value) >= len(re.findall(re.escape(value), text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A  mug\u00a0for tea .", "A mug for tea."),
        ("Soft,warm and light.", "Soft, warm and light."),
        ("It holds 350ml and weighs 0.4kg.", "It holds 350 ml and weighs 0.4 kg."),
        ("The “Harbour” mug, Robin’s own.", 'The "Harbour" mug, Robin\'s own.'),
        ("Warm!! Really?? Yes..", "Warm! Really? Yes."),
        ("Warm, light,, and dry;; good.", "Warm, light, and dry; good."),
        ("Ｓｏｆｔ ， ｗａｒｍ。Light", "Soft, warm. Light"),
        ("Wait... it is here.", "Wait... it is here."),
    ],
)
def test_english_is_set_as_english(text: str, expected: str) -> None:
    assert tidy(text, locale="en") == expected


@pytest.mark.parametrize(
    "text",
    [
        "A 5G phone with 4K video, 1,000 nits and 27” of screen.",
        "Model X-350g, USB 5V/2A, M8g thread, 3M tape.",
        "It costs $9.50, at 10:30, for 3,5 or 3.5 of 5.",
        "See shop.example/a,b or write e.g. 12:30.",
        "Is it warm?! It is 5'10\" tall.",
    ],
)
def test_what_only_looks_untidy_is_left_alone(text: str) -> None:
    assert tidy(text, locale="en") == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("杯身柔软,容量350 毫升.", "杯身柔软，容量350毫升。"),
        ("「海港」杯，『好』看。", "“海港”杯，‘好’看。"),
        ('名为"海港"的杯子', "名为“海港”的杯子"),
        ("重量 ３５０ 克！！", "重量 350克！"),
        ("杯子 ， 好看 。 真的(很好)", "杯子，好看。真的（很好）"),
        ("比例为3:2，版本2.0，约1,000 米。", "比例为3:2，版本2.0，约1,000米。"),
        ("轻盈 透气", "轻盈 透气"),
    ],
)
def test_chinese_is_set_as_chinese(text: str, expected: str) -> None:
    assert tidy(text, locale="zh-Hans") == expected


def test_curly_quotes_where_the_house_wants_them() -> None:
    text = 'The "Harbour" mug is Robin\'s own, 27" wide.'
    assert tidy(text, locale="en", quotes="curly") == 'The “Harbour” mug is Robin’s own, 27" wide.'


def test_what_the_facts_write_is_written_so() -> None:
    text = "Levi’s jeans,  350g , and 12V/2A。"
    assert tidy(text, locale="en", keep=["Levi’s", "350g", "12V/2A"]) == "Levi’s jeans, 350g, and 12V/2A."
    assert tidy("净含量500 克", locale="zh-Hans", keep=["500 克"]) == "净含量500 克"
