"""An array of JSON, element by element: one that is broken costs itself alone."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.exchange import json_array
from labeling.exchange.json_array import Element, elements


def read(text: str | bytes, *, longest: int = 10_000_000) -> list[Element]:
    """All elements of an array."""
    return list(elements(io.BytesIO(text.encode() if isinstance(text, str) else text), longest=longest))


def values(text: str | bytes) -> list[object]:
    """Their values; an error for one that has none."""
    return [f"error: {element.error}" if element.error else element.value for element in read(text)]


@pytest.mark.parametrize("size", [1, 2, 7, 1 << 20])
@pytest.mark.parametrize(
    "text", ["[]", " [ ]\n", '[1, "two", {"three": [3]}, null, -4.5e1]', '["é漢\\"]", {"a": "}"}]\n\n']
)
def test_an_array_is_read_however_it_comes_in_pieces(monkeypatch: pytest.MonkeyPatch, size: int, text: str) -> None:
    monkeypatch.setattr(json_array, "READ_SIZE", size)
    assert values(text) == json.loads(text)


@given(st.lists(st.recursive(st.none() | st.integers() | st.text(), st.lists), max_size=5), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_whatever_was_written_comes_back(found: list[object], size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_array, "READ_SIZE", size)
        data = json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")
        assert values(data) == json.loads(data)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b'{"a": }', "no JSON"),
        (b'{"a": 1 "b": [2, 3]}', "no JSON"),
        (b'{"a": "line\nfeed"}', "no JSON"),
        (b"{'a': 1}", "no JSON"),
        (b"nothing", "no JSON"),
        (b'{"a": 1} {"b": 2}', "behind its value"),
        (b'{"a": "caf\xe9"}', "not UTF-8"),
        (b'{"a": %s}' % (b"9" * 5_000), "no JSON we take"),
        (b"[" * 100_000 + b"]" * 100_000, "no JSON we take"),
    ],
    ids=lambda value: ascii(value[:20]),
)
def test_a_broken_element_is_named_and_the_next_one_read(broken: bytes, reason: str) -> None:
    one, bad, two = read(b'[{"text": 1}, %s, {"text": 2}]' % broken)
    assert (one.value, two.value, two.number) == ({"text": 1}, {"text": 2}, 3)
    assert reason in bad.error
    assert bad.raw.encode("utf-8", "surrogateescape").startswith(broken[:100])


def test_numbers_of_any_length_are_read() -> None:
    assert values(f'[{{"id": {2**70}, "x": 1e999, "y": -1e-999}}]') == [{"id": 2**70, "x": float("inf"), "y": 0}]


@pytest.mark.parametrize(
    "text", ['[{"a": 1}', '[{"a": 1}, {"a": ', '[{"a": 1}, {"a": "b', '[{"a": 1}] x', '[{"a": 1}] [2]']
)
def test_a_file_that_does_not_end_well_keeps_what_came_before_and_says_so(text: str) -> None:
    one, end = read(text)
    assert one.value == {"a": 1}
    assert (end.number, "cannot be read" in end.error) == (2, True)


def test_what_is_too_long_ends_the_reading() -> None:
    one, end = read(json.dumps([1, "x" * 1_000, 2]), longest=500)
    assert (one.value, end.number, "longer than 500" in end.error) == (1, 2, True)
