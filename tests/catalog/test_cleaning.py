"""Untrusted text made plain."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog.cleaning import clean_address, clean_line, clean_text, language_of


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("<p>Holds heat.</p><ul><li>350&nbsp;ml</li><li>Safe</li></ul>", "Holds heat.\n\n350 ml\n\nSafe"),
        ("Salt &amp; Pepper", "Salt & Pepper"),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("<script>alert(1)</script>Kettle<style>p{}</style>", "Kettle"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;Kettle", "Kettle"),
        ("&amp;lt;img src=x onerror=alert(1)&amp;gt;Kettle", "Kettle"),
        ("a\x00b\x07c\x1b[31m", "abc[31m"),
        ("safe\u202egnp.exe", "safegnp.exe"),
        ("safe&#8238;gnp.exe", "safegnp.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("e\u0301te\u0301", "été"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("  many \t\u00a0 spaces  ", "many spaces"),
        ("<table><tr><th>Weight</th><td>1.2 kg</td><td>steel</td></tr></table>", "Weight 1.2 kg steel"),
        ("Top<hr>Bottom<hr/>End", "Top\nBottom\nEnd"),
        ("sizes <M and >XL, <L", "sizes <M and >XL, <L"),
        ("fits <M", "fits <M"),
        ("<b>bold</b> <M> &copy 2024 &reg; AT&T", "bold <M> © 2024 ® AT&T"),
        ("See https://a.example/?w=600&region=eu&copy=1", "See https://a.example/?w=600&region=eu&copy=1"),
        ("family 👩\u200d👩\u200d👧 stays", "family 👩\u200d👩\u200d👧 stays"),
    ],
)
def test_text_is_cleaned(dirty: str, clean: str) -> None:
    assert clean_text(dirty) == clean


@pytest.mark.parametrize(
    "url",
    [
        "https://img.shop.example/l.jpg?width=600&region=eu&section=2&timestamp=17&currency=USD&copy=1&not",
        "demo/a b.svg",
    ],
)
def test_an_address_is_not_read_as_html(url: str) -> None:
    assert clean_address(f" {url}\x00\n") == url
    assert clean_address(url.replace("&", "&amp;amp;")) == url


def test_a_line_has_no_breaks() -> None:
    assert clean_line("Copper<br>Kettle\n\n2 l") == "Copper Kettle 2 l"


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("Copper kettle", "en"),
        ("铜制水壶", "zh-Hans"),
        ("USB-C 充电线 快充版", "zh-Hans"),
        ("", "en"),
    ],
)
def test_the_language_is_told_by_the_letters(text: str, locale: str) -> None:
    assert language_of(text) == locale


MARKUP = st.lists(
    st.sampled_from(
        ["<b>", "</p>", "<script>", "&lt;", "&amp;", "&#60;", "<", ">", "x", " ", "<!--", "-->", "&#0;", "/", "i"]
    ),
    max_size=30,
).map("".join)


@settings(deadline=None)
@given(st.text(max_size=300) | MARKUP)
@example("&amp;amp;amp;amp;amp;amp;lt;b&amp;gt;")
def test_cleaning_twice_changes_nothing_more_and_leaves_no_control_character(text: str) -> None:
    once = clean_text(text)
    assert clean_text(once) == once
    assert not [c for c in once if c != "\n" and unicodedata.category(c) in ("Cc", "Cs")]
    once.encode("utf-8")


@settings(deadline=None)
@given(MARKUP)
def test_no_tag_survives(text: str) -> None:
    assert "<script" not in clean_text(text).lower()
