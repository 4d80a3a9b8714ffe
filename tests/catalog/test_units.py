"""Numbers with units, in English and Chinese."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.units import UNITS, canonical_unit, find_quantities, parse_number, parse_quantity, same_amount


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("1.2 kg", "1.2", "kg"),
        ("5,5 in", "5.5", "in"),
        ("12oz", "12", "oz"),
        ("12 fl. oz", "12", "fl oz"),
        ("3.5 inches", "3.5", "in"),
        ("5-1/2 in", "5.5", "in"),
        ("½ cup", "0.5", "cup"),
        ("500mAh", "500", "mAh"),
        ("1,200 mAh", "1200", "mAh"),
        ("1.200,50 g", "1200.50", "g"),
        ("-5 °C", "-5", "°C"),
        ("240克", "240", "g"),
        ("350 毫升", "350", "ml"),
        ("25.5厘米", "25.5", "cm"),
        ("5000毫安时", "5000", "mAh"),
        ("30小时", "30", "h"),
        ("100％", "100", "%"),
        ("2700K", "2700", "K"),
        ("180 g/m²", "180", "g/m²"),
    ],
)
def test_a_quantity_is_parsed_with_its_canonical_unit(text: str, number: str, unit: str) -> None:
    quantity = parse_quantity(text)
    assert quantity is not None
    assert (quantity.number, quantity.unit) == (Decimal(number), unit)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10 x 20 x 3 cm", [("10", "cm"), ("20", "cm"), ("3", "cm")]),
        ("尺寸10×20×3厘米，净重1.2公斤", [("10", "cm"), ("20", "cm"), ("3", "cm"), ("1.2", "kg")]),
        ("lasts 5–10 hours", [("5", "h"), ("10", "h")]),
        ("a 30-hour battery, 240 g", [("30", "h"), ("240", "g")]),
        ('a 10" x 8" pan', [("10", "in"), ("8", "in")]),
        ("10V/2A adapter", [("10", "V"), ("2", "A")]),
        ("充电2小时，续航30小时", [("2", "h"), ("30", "h")]),
    ],
)
def test_quantities_are_found_in_running_text(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(str(q.number), q.unit) for q in find_quantities(text)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "a 2-in-1 tool, 5 in the box",
        "5G phone with 4K video",
        "the 1960s",
        "3 t-shirts",
        "model X200mm",
        'rated "top 5" by us',
        "10 M followers",
        "99999999999999999999 kg",
        "1/0 kg",
    ],
)
def test_words_that_only_look_like_units_are_left_alone(text: str) -> None:
    assert find_quantities(text) == []


def test_the_same_amount_is_recognised_across_units() -> None:
    def amount(text: str):  # type: ignore[no-untyped-def]
        quantity = parse_quantity(text)
        assert quantity is not None
        return quantity

    assert same_amount(amount("1.2 kg"), amount("1200克"))
    assert same_amount(amount("3.5 inches"), amount("8.9 cm"))
    assert same_amount(amount("212°F"), amount("100 °C"))
    assert not same_amount(amount("1.2 kg"), amount("1.3 kg"))
    assert not same_amount(amount("5 h"), amount("5 g"))


def test_every_symbol_is_its_own_canonical_spelling() -> None:
    assert {symbol: canonical_unit(symbol) for symbol in UNITS} == {symbol: symbol for symbol in UNITS}


def test_a_fraction_over_zero_is_no_number() -> None:
    assert parse_number("1/0") is None


@pytest.mark.parametrize("text", ["110/240 V", "12/24 V", "8/4 g", "10/100 MB"])
def test_two_numbers_with_a_stroke_are_no_fraction(text: str) -> None:
    assert parse_number(text.split()[0]) is None
    assert parse_quantity(text) is None
    assert [str(quantity.number) for quantity in find_quantities(text)] == text.split()[0].split("/")


@pytest.mark.parametrize(
    ("text", "number"), [("0,500", "0.500"), ("3/4", "0.75"), ("15/16", "0.9375"), ("1,500", "1500")]
)
def test_a_nought_before_a_comma_groups_nothing(text: str, number: str) -> None:
    assert parse_number(text) == Decimal(number)


def test_nothing_is_no_number() -> None:
    assert parse_number("") is None


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_searched_without_an_error_and_spans_lie_inside_it(text: str) -> None:
    for quantity in find_quantities(text):
        assert 0 <= quantity.start < quantity.end <= len(text)
        assert quantity.unit in UNITS


@settings(deadline=None)
@given(st.decimals(0, 99999, places=2), st.sampled_from(sorted(set(UNITS) - {"K"})))
def test_a_number_written_with_any_unit_is_read_back(number: Decimal, unit: str) -> None:
    quantity = parse_quantity(f"{number} {unit}")
    assert quantity is not None
    assert (quantity.number, quantity.unit) == (number, unit)


@settings(max_examples=9, deadline=None)
@given(st.sampled_from(["1", "1,", "1 x ", "1-", "9,999", "½", "1/2", "'", '5"']))
def test_a_long_hostile_text_takes_linear_time(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    started = time.process_time()
    find_quantities(text)
    assert time.process_time() - started < 5
