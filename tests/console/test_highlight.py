"""Marks, differences and facts in untrusted text."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from ecomsite.console import highlight


@dataclass(frozen=True)
class Hit:
    severity: str
    start: int | None
    end: int | None
    message: str = "found"


def test_overlapping_findings_show_the_gravest_and_all_messages() -> None:
    pieces = highlight.mark("abcdef", [Hit("warn", 0, 4, "one"), Hit("block", 2, 6, "two")])
    assert [(p.text, p.severity, p.titles) for p in pieces] == [
        ("ab", "warn", ("one",)),
        ("cd", "block", ("one", "two")),
        ("ef", "block", ("two",)),
    ]


def test_a_finding_about_the_whole_text_marks_nothing() -> None:
    assert [p.severity for p in highlight.mark("abc", [Hit("block", None, None)])] == [""]


def test_invisible_signs_are_named() -> None:
    pieces = highlight.mark("a\u202eb", [])
    assert [p.text for p in pieces] == ["a", "U+202E", "b"]
    assert pieces[1].control == "RIGHT-TO-LEFT OVERRIDE"


@given(
    st.text(),
    st.lists(st.tuples(st.sampled_from(["info", "warn", "block"]), st.integers(0, 60), st.integers(0, 60)), max_size=6),
)
def test_marking_never_loses_or_adds_visible_text(text: str, spans: list[tuple[str, int, int]]) -> None:
    pieces = highlight.mark(text, [Hit(*span) for span in spans])
    kept = "".join(piece.text for piece in pieces if not piece.control)
    assert kept == highlight.INVISIBLE.sub("", text)


def test_facts_said_in_the_text_are_ticked_whatever_the_spacing() -> None:
    facts = [{"name": "capacity", "value": "350 ml"}, {"name": "colour", "value": "red"}, {"name": "x", "value": ""}]
    assert [fact.is_said for fact in highlight.facts_in("Holds 350ml.", facts)] == [True, False, False]
