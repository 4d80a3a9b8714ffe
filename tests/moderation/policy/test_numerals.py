"""Numbers in words, in English and Chinese, are read as the amounts they are."""

from __future__ import annotations

import time

import pytest

from moderation.policy.numbers import read_numbers


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("one hundred and fifty kilometres", [("one hundred and fifty kilometres", "150", "km")]),
        ("a hundred and fifty kilometres", [("a hundred and fifty kilometres", "150", "km")]),
        ("two thousand five hundred pieces", [("two thousand five hundred", "2500", "")]),
        ("one point five litres", [("one point five litres", "1.5", "l")]),
        ("two and a half metres", [("two and a half metres", "2.5", "m")]),
        ("half a litre", [("half a litre", "0.5", "l")]),
        ("a quarter-inch gap", [("a quarter-inch", "0.25", "in")]),
        ("three quarters of an inch", [("three quarters of an inch", "0.75", "in")]),
        ("a day and a half", [("a day and a half", "1.5", "day")]),
        ("a dozen candles", [("a dozen", "12", "")]),
        ("half a dozen eggs", [("half a dozen", "6", "")]),
        ("two dozen pens", [("two dozen", "24", "")]),
        ("a pair of lamps", [("pair", "2", "")]),
        ("a pair of jeans", []),
        ("it weighs a kilo", [("a kilo", "1", "kg")]),
        ("a metre long", [("a metre", "1", "m")]),
        ("one-year warranty", [("one-year", "1", "year")]),
        ("one of a kind, in a second, a hundred ways", []),
        ("6 ft 2 in tall", [("6 ft 2 in", "74", "in")]),
        ("1 h 30 min", [("1 h 30 min", "90", "min")]),
        ("半斤装", [("半斤", "0.5", "斤")]),
        ("两斤半", [("两斤半", "2.5", "斤")]),
        ("一打彩铅", [("一打", "12", "")]),
        ("一打开就亮", []),
        ("高一米八", [("一米八", "1.8", "m")]),
        ("1米75的杆", [("1米75", "1.75", "m")]),
        ("百分之二十", [("百分之二十", "20", "%")]),
        ("一斤装", [("一斤", "1", "斤")]),
        ("衣身四周都有收口", []),
    ],
)
def test_a_number_in_words_is_read_with_its_unit_and_span(text: str, numbers: list[tuple[str, str, str]]) -> None:
    assert [(text[item.start : item.end], str(item.value), item.unit) for item in read_numbers(text)] == numbers


def test_a_part_number_in_groups_is_one_name() -> None:
    assert [item.token for item in read_numbers("part 0 261 231 188 fits")] == ["0261231188"]


@pytest.mark.parametrize(
    "piece",
    ["a hundred and ", "half a ", "two and a ", "twenty-", "three quarters of a ", "半", "一米", "百分之", "1 ft "],
)
def test_reading_takes_time_in_proportion_to_the_text(piece: str) -> None:
    def seconds(length: int) -> float:
        text, best = piece * (length // len(piece)), 9.0
        for _ in range(3):
            start = time.process_time()
            read_numbers(text)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(32_000) < 8 * seconds(8_000) + 0.1
