"""What a person changed in a text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.differences import diff


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_difference_holds_both_texts(before: str, after: str) -> None:
    changes = diff(before, after)
    assert "".join(c.text for c in changes if c.kind != "in") == before
    assert "".join(c.text for c in changes if c.kind != "out") == after


def test_chinese_is_compared_sign_by_sign() -> None:
    changes = diff("海绿色马克杯", "海蓝色马克杯")
    assert [(c.kind, c.text) for c in changes] == [("same", "海"), ("out", "绿"), ("in", "蓝"), ("same", "色马克杯")]


def test_huge_texts_are_compared_as_a_whole() -> None:
    assert [c.kind for c in diff("a " * 5000, "b " * 5000)] == ["out", "in"]
