"""Numbers of feeds: decimal signs by column, prices, currencies, ratings. Nothing is guessed in silence."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from catalog.feeds.bad_row import BadRow
from catalog.feeds.facts import make_fact
from catalog.feeds.numerals import read_with
from catalog.feeds.prices import parse_price
from catalog.feeds.ratings import parse_rating
from tests.feed_files import bad, file_of, good, products_in

GERMAN = 'delimiter = ";"\ncurrency = "EUR"\n[fields]\nsku = "sku"\ntitle = "title"\nprice = "price"\n[[facts]]\ncolumn = "weight"\nname = "weight"\nunit = "g"\n'


def test_a_column_with_decimal_commas_is_read_so_throughout_and_that_is_said(tmp_path: Path) -> None:
    content = (
        "sku;title;weight;price\nA;The oats;0,500 kg;2,99\nB;Juice;0,75 l;1,49\nC;Drill bit;3,175 mm;0,990\n"
        "D;Rice;1,800;4,50\nE;Pan;1.299 g;1.299\nF;Pot;1 250 g;1 299,00\n"
    )
    rows = products_in(file_of(tmp_path, "p.csv", content), GERMAN)
    products = good(rows)
    assert {sku: str(p.price) for sku, p in products.items()} == {
        "A": "2.99",
        "B": "1.49",
        "C": "0.99",
        "D": "4.50",
        "E": "1299.00",
        "F": "1299.00",
    }
    weights = {
        sku: (f"{p.facts[0].number.normalize():f}", p.facts[0].unit) for sku, p in products.items() if p.facts[0].number
    }
    assert weights == {
        "A": ("0.5", "kg"),
        "B": ("0.75", "l"),
        "C": ("3.175", "mm"),
        "D": ("1.8", "g"),
        "E": ("1299", "g"),
        "F": ("1250", "g"),
    }
    assert (products["A"].facts[0].value, products["C"].facts[0].value) == ("0.500 kg", "3.175 mm")
    assert rows[0].notes == ("rows read with a decimal comma in price", "rows read with a decimal comma in weight")


def test_a_number_with_two_readings_is_named_unless_something_tells(tmp_path: Path) -> None:
    alone = "sku,title,price\nA,Sofa,1.299\nB,Bed,2.450\n"
    rows = products_in(file_of(tmp_path, "p.csv", alone))
    assert "1.299 or 1299" in bad(rows)[2]
    assert '--decimal "," or "."' in bad(rows)[3]
    mapping = '[fields]\nsku = "sku"\ntitle = "title"\nprice = "price"\n'
    said = good(products_in(file_of(tmp_path, "p.csv", alone), f'decimal = ","\n{mapping}'))
    assert said["A"].price == Decimal(1299)
    told = good(products_in(file_of(tmp_path, "q.csv", 'sku,title,price\nA,Sofa,"1,299"\nB,Bed,19.90\n')))
    assert told["A"].price == Decimal(1299)


def test_prices_of_a_mixed_column_are_read_where_they_are_certain_and_else_named(tmp_path: Path) -> None:
    prices = (
        "1.299 EUR",
        "1.299,00 EUR",
        "1 299,00 EUR",
        "15,00 EUR",
        "12.345 KWD",
        "0,990 EUR",
        "₹1,29,999.00",
        "1'299.00 CHF",
        "10.00 - 20.00 USD",
        "12.00 pcs",
    )
    lines = "".join(f"{n}\tThing\thttps://s.example/{n}\t{price}\n" for n, price in enumerate(prices))
    rows = products_in(file_of(tmp_path, "p.tsv", f"id\ttitle\tlink\tprice\n{lines}"))
    assert {sku: (str(p.price), p.currency) for sku, p in good(rows).items()} == {
        "1": ("1299.00", "EUR"),
        "2": ("1299.00", "EUR"),
        "3": ("15.00", "EUR"),
        "5": ("0.99", "EUR"),
        "6": ("129999.00", "INR"),
        "7": ("1299.00", "CHF"),
        "8": ("10.00", "USD"),
    }
    assert {line: reason[:20] for line, reason in bad(rows).items()} == {
        2: "the price '1.299 EUR",
        6: "the price '12.345 KW",
        11: "'pcs' in the price '",
    }


def test_a_price_without_cents_is_read() -> None:
    assert parse_price("12,- €") == (Decimal(12), "EUR")
    assert parse_price("12,– – 15,– €") == (Decimal(12), "EUR")


def test_three_decimals_are_not_cut_off_in_silence() -> None:
    with pytest.raises(BadRow, match="two decimals"):
        parse_price("12.345 KWD", plainly=read_with("."))
    assert parse_price("12.340 KWD", plainly=read_with(".")) == (Decimal("12.34"), "KWD")
    assert parse_price("19.989999999999998 EUR") == (Decimal("19.99"), "EUR")


@pytest.mark.parametrize("currency", ["EURO", "Euro", "EU\x00R1", "€€", "X" * 300])
def test_what_is_no_currency_is_named(currency: str) -> None:
    with pytest.raises(BadRow, match="is no currency"):
        parse_price("9.50", currency=currency)


@pytest.mark.parametrize(
    ("text", "stars"),
    [
        ("5/5", "5.0"),
        ("4/5", "4.0"),
        ("5.0 out of 5 stars", "5.0"),
        ("★★★★☆", "4.0"),
        ("4½", "4.5"),
        ("4,0", "4.0"),
        ("5 stars", "5.0"),
        ("3", "3.0"),
        ("4.25", "4.2"),
        ("⭐⭐⭐", "3.0"),
    ],
)
def test_stars_are_read(text: str, stars: str) -> None:
    assert str(parse_rating(text)) == stars


@pytest.mark.parametrize("text", ["10/10", "8/4", "0", "6/5", "1/2", "good", "5/5/5", "★★★☆", "11", "4/0"])
def test_stars_of_another_scale_are_named(text: str) -> None:
    with pytest.raises(BadRow, match="rating"):
        parse_rating(text)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("110/240 V", "text"),
        ("12/24 V", "text"),
        ("5/6", "text"),
        ("3/4 in", "quantity"),
        ("1 1/2 in", "quantity"),
        ("10/100", "text"),
    ],
)
def test_two_numbers_with_a_stroke_are_no_fraction(value: str, kind: str) -> None:
    fact = make_fact("x", value, locale="en")
    assert fact
    assert (fact.kind, fact.value) == (kind, value)


def test_a_number_that_has_no_room_is_kept_as_text() -> None:
    for value in ("99999999999999.9999999", "123456789012345678"):
        fact = make_fact("n", value, locale="en")
        assert fact
        assert (fact.kind, fact.number) == ("text", None)
