"""Each feed format, read from fixtures of its own kind, and what hostile files do to it."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal
from pathlib import Path

import pytest

from catalog.feeds.bad_row import BadRow
from catalog.feeds.base import FeedRow, ProductRecord, make_product
from catalog.feeds.detection import detect_format, products_of, reviews_of
from catalog.feeds.facts import make_fact
from catalog.feeds.mapping import read_mapping
from catalog.feeds.prices import parse_price
from core.csv_records import NOT_UTF_8
from core.exceptions import PermanentError
from core.source import MAX_LINE_BYTES, Source

FEEDS = Path(__file__).parent / "feeds"


def _read(path: Path, feed_format: str | None = None, mapping: Path | None = None) -> list[FeedRow[ProductRecord]]:
    with Source(path) as source:
        rules = read_mapping(mapping)
        feed_format = feed_format or detect_format(source, has_mapping=rules is not None and rules.names_columns)
        return list(products_of(source, feed_format=feed_format, mapping=rules))


def _good(rows: list[FeedRow[ProductRecord]]) -> dict[str, ProductRecord]:
    return {row.record.sku: row.record for row in rows if row.record}


def _facts(record: ProductRecord) -> dict[str, str]:
    return {fact.name: fact.value for fact in record.facts}


def _file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("merchant.tsv", "merchant_tsv"),
        ("merchant.xml", "merchant_xml"),
        ("merchant_atom.xml", "merchant_xml"),
        ("shopify.csv", "shopify"),
    ],
)
def test_the_format_is_told_from_the_file(name: str, expected: str) -> None:
    with Source(FEEDS / name) as source:
        assert detect_format(source) == expected


def test_shopify_variants_become_products_and_html_becomes_text() -> None:
    rows = _read(FEEDS / "shopify.csv")
    good = _good(rows)
    assert set(good) == {"MUG-M", "MUG-S", "tea-towel"}
    moss = good["MUG-M"]
    assert moss.title == "Stone Mug – Moss"
    assert moss.description == "Holds heat.\n\nDishwasher safe\n\n350 ml"
    assert _facts(moss) == {"glaze": "Moss", "weight": "420 g", "material": "Stoneware"}
    assert (moss.price, moss.image_url) == (Decimal("18.00"), "https://shop.example/moss.jpg")
    assert good["MUG-S"].image_url == "https://shop.example/sand.jpg"
    assert _facts(good["tea-towel"]) == {"material": "Cotton"}
    assert [(row.line, row.error) for row in rows if row.error] == [
        (5, "this variant has no SKU while others of its handle have one"),
        (8, "the title is empty"),
    ]


def test_merchant_tsv_is_read_with_details_as_facts() -> None:
    rows = _read(FEEDS / "merchant.tsv")
    good = _good(rows)
    assert set(good) == {"GM-1", "GM-2", "GM-4"}
    assert good["GM-1"].description == "A long apron.\nTwo pockets."
    assert _facts(good["GM-1"]) == {
        "color": "Sand",
        "material": "Linen",
        "product weight": "310 g",
        "Pocket count": "2",
        "Washing": "40 °C, inside out",
    }
    assert (good["GM-2"].price, good["GM-2"].currency) == (Decimal("1049.00"), "USD")
    assert good["GM-4"].locale == "zh-Hans"
    weight = next(fact for fact in good["GM-4"].facts if fact.name == "product weight")
    assert (weight.kind, weight.number, weight.unit) == ("quantity", Decimal("1.1"), "kg")
    assert [(row.line, row.sku, row.error) for row in rows if row.error] == [
        (5, "GM-3", "the price 'soon' cannot be read")
    ]


def test_merchant_xml_is_read_in_both_dialects() -> None:
    rows = _read(FEEDS / "merchant.xml")
    lamp = _good(rows)["GX-1"]
    assert lamp.description == "Warm & quiet."
    assert (lamp.price, lamp.currency, lamp.category) == (Decimal("59.90"), "GBP", "Home > Lighting")
    assert _facts(lamp) == {"color": "Brass", "Colour temperature": "2700K", "Dimmable": "yes"}
    assert [(row.line, row.error) for row in rows if row.error] == [(27, "the title is empty")]
    assert _good(rows)["GX-3"].title == "Floor Lamp"
    throw = _good(_read(FEEDS / "merchant_atom.xml"))["GA-1"]
    assert (throw.title, throw.description, _facts(throw)) == ("Wool Throw", "Soft and heavy.", {"material": "Wool"})


def test_an_xml_bomb_is_refused_and_what_came_before_a_break_stands(tmp_path: Path) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><rss><item>&b;</item></rss>'
    (row,) = _read(_file(tmp_path, "bomb.xml", bomb))
    assert "entities and DTDs" in row.error
    text = (FEEDS / "merchant.xml").read_text()
    rows = _read(_file(tmp_path, "broken.xml", text[: text.index("<g:id>GX-3")] + "</oops>"))
    assert set(_good(rows)) == {"GX-1"}
    assert "cannot be read from here on" in rows[-1].error


def test_an_endless_xml_text_costs_one_row_and_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.xml"
    with path.open("w") as stream:
        stream.write("<rss><item><id>A</id><title>")
        for _ in range(60):
            stream.write("x" * 1_000_000)
        stream.write("</title></item><item><id>B</id><title>Fine</title></item></rss>")
    tracemalloc.start()
    rows = _read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert set(_good(rows)) == {"B"}
    assert "longer than" in rows[0].error
    assert peak < 20_000_000


def test_a_line_of_100_mb_costs_one_row_and_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.jsonl"
    with path.open("w") as stream:
        stream.write('{"sku": "A", "title": "Before"}\n{"sku": "X", "title": "')
        for _ in range(100):
            stream.write("x" * 1_000_000)
        stream.write('"}\n{"sku": "B", "title": "After"}\n')
    tracemalloc.start()
    rows = _read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert set(_good(rows)) == {"A", "B"}
    assert [(row.line, row.error) for row in rows if row.error] == [
        (2, f"the line is longer than {MAX_LINE_BYTES:,} bytes")
    ]
    assert peak < 20_000_000


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "no JSON"),
        ("[1]", "no JSON object"),
        ("[" * 100_000, "no JSON"),
        ('{"sku": "A", "title": "T", "price": NaN}', "no JSON"),
        ('{"sku": "A", "title": "T", "price": ' + "9" * 9_000 + "}", "no JSON"),
        ('{"sku": "A", "title": "T", "price": -5}', "price"),
        ('{"sku": "A", "title": ""}', "title is empty"),
        ('{"title": "T"}', "sku is empty"),
        ('{"sku": "A", "title": ["T"]}', "title is neither"),
        ('{"sku": "A", "title": "T", "facts": {"x": {"y": 1}}}', "neither string, number"),
        ('{"sku": "A", "title": "T", "facts": 1}', "facts is no object"),
        ('{"sku": "A", "title": "T", "image_url": "javascript:alert(1)"}', "image_url"),
        ('{"sku": "A", "title": "T", "image_url": "../../etc/passwd"}', "image_url"),
        ('{"sku": "A", "title": "T", "locale": "xx"}', "locale"),
        ('{"sku": "A", "title": "T", "colour": "red"}', "unknown keys: colour"),
        ('{"sku": "' + "s" * 121 + '", "title": "T"}', "sku is 121 characters long"),
    ],
)
def test_a_bad_json_line_is_named_with_its_reason(line: str, reason: str, tmp_path: Path) -> None:
    rows = _read(_file(tmp_path, "p.jsonl", f'{{"sku": "1", "title": "T"}}\n{line}\n{{"sku": "2", "title": "T"}}\n'))
    assert set(_good(rows)) == {"1", "2"}
    assert rows[1].line == 2
    assert reason in rows[1].error


def test_jsonl_holds_both_languages_and_types_its_facts(tmp_path: Path) -> None:
    line = (
        '{"sku": 7, "title": {"en": "Kettle", "zh-Hans": "水壶"}, "price": 49.5, "currency": "usd",'
        ' "facts": {"en": {"capacity": "1.2 l", "cups": 6, "whistles": true}, "zh-Hans": {"容量": "1.2升", "鸣笛": true}}}'
    )
    record = _good(_read(_file(tmp_path, "p.jsonl", line)))["7"]
    assert (record.title, record.localized_titles, record.currency) == ("Kettle", {"zh-Hans": "水壶"}, "USD")
    assert [(f.locale, f.name, f.kind, f.number, f.unit) for f in record.facts] == [
        ("en", "capacity", "quantity", Decimal("1.2"), "l"),
        ("en", "cups", "number", Decimal(6), ""),
        ("en", "whistles", "boolean", None, ""),
        ("zh-Hans", "容量", "quantity", Decimal("1.2"), "l"),
        ("zh-Hans", "鸣笛", "boolean", None, ""),
    ]


def test_an_unclosed_quote_costs_its_own_row_alone(tmp_path: Path) -> None:
    rows = _read(
        _file(
            tmp_path,
            "p.csv",
            'sku,title,description\n1,A,ok\n2,B,"left open\n3,C,ok\n4,D,"two\nlines"\n5,E,"open at the end\n6,F,ok\n',
        )
    )
    assert set(_good(rows)) == {"1", "3", "4", "6"}
    assert [row.line for row in rows if row.error] == [3, 7]
    assert [row.line for row in rows if row.record] == [2, 4, 5, 8]


def test_rows_of_the_wrong_width_or_encoding_are_named(tmp_path: Path) -> None:
    content = b"sku,title\n1,A\n2,B,extra\n3,caf\xe9\n\n,,\n4,D\n"
    rows = _read(_file(tmp_path, "p.csv", content))
    assert set(_good(rows)) == {"1", "4"}
    assert [(row.line, row.error) for row in rows if row.error][:2] == [
        (3, "3 columns where the header has 2"),
        (4, NOT_UTF_8),
    ]


def test_a_byte_order_mark_and_windows_line_ends_are_no_trouble(tmp_path: Path) -> None:
    assert set(_good(_read(_file(tmp_path, "p.csv", b"\xef\xbb\xbfsku,title\r\n1,A\r\n")))) == {"1"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04....", "zip archive"),
        (b"\x1f\x8b....", "gzip archive"),
        ("sku".encode("utf-16"), "UTF-16"),
    ],
)
def test_a_file_that_is_no_feed_at_all_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=reason):
        _read(_file(tmp_path, "p.csv", content))


def test_a_csv_of_unknown_columns_asks_for_a_mapping_and_names_them(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"--mapping.*Item No, Name"):
        _read(_file(tmp_path, "p.csv", "Item No,Name\n1,A\n"))


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        ("[fields", "cannot be read"),
        ("fields = 3", "wrong at fields"),
        ('colour = "red"', "wrong at colour"),
        ('[[facts]]\ncolumn = "A"', "either `name`, or `key`"),
        ('[fields]\nsku = "A"\ntitle = "Gone"', "no column Gone"),
        ('[fields]\nsku = "A"\ntitle = "B"\ncolour = "B"', "unknown fields: colour"),
    ],
)
def test_a_wrong_mapping_is_refused_with_the_place(mapping: str, reason: str, tmp_path: Path) -> None:
    path = _file(tmp_path, "m.toml", mapping)
    with pytest.raises(PermanentError, match=reason):
        _read(_file(tmp_path, "p.csv", "A,B\n1,2\n"), mapping=path)


def test_a_mapping_splits_joins_takes_and_keeps(tmp_path: Path) -> None:
    mapping = _file(
        tmp_path,
        "m.toml",
        'delimiter = ";"\ncurrency = "EUR"\n[fields]\nsku = "No"\ntitle = "Name"\nbrand = { value = "Acme" }\n'
        'category = { column = "Path", split = "|", join = " > " }\nimage_url = { column = "Pics", split = "|", take = 1 }\n'
        'price = "Price"\n[localized_titles]\nzh-Hans = "中文"\n[[facts]]\ncolumn = "W"\nname = "weight"\nunit = "g"\n'
        '[[facts]]\ncolumn = "Spec"\nsplit = "|"\nkey = ":"\nkeep = { Colour = "colour" }\n',
    )
    content = (
        "No;Name;Path;Pics;Price;中文;W;Spec\n1;Kettle;A | B| C;x.jpg|y.jpg;9,50;水壶;240;Colour: red | ASIN: B0\n"
    )
    record = _good(_read(_file(tmp_path, "p.csv", content), mapping=mapping))["1"]
    assert (record.category, record.image_url, record.brand) == ("A > B > C", "x.jpg", "Acme")
    assert (record.price, record.currency) == (Decimal("9.50"), "EUR")
    assert record.localized_titles == {"zh-Hans": "水壶"}
    assert _facts(record) == {"weight": "240 g", "colour": "red"}


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("12.00 USD", "12.00", "USD"),
        ("$1,265.00", "1265.00", "USD"),
        ("€ 9,50", "9.50", "EUR"),
        ("¥199", "199.00", "CNY"),
        ("89元", "89.00", "CNY"),
        ("$74.99 - $249.99", "74.99", "USD"),
        ("7", "7.00", ""),
    ],
)
def test_prices_are_read(text: str, amount: str, currency: str) -> None:
    assert parse_price(text) == (Decimal(amount), currency)


@pytest.mark.parametrize("text", ["Total price:", "-5", "$6.94 $ 6 . 94", "99999999999 USD", "free", "1.2.3"])
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(BadRow, match="price"):
        parse_price(text)


def test_a_record_is_cleaned_on_every_field() -> None:
    fact = make_fact(" <b>weight</b> ", "1.2\u00a0kg\x00", locale="en")
    assert fact
    record = make_product(
        sku=" K-1 ", title="<i>Kettle</i>\n&amp; Cup", brand="\u202eAcme", facts=lambda locale: [fact, fact]
    )
    assert (record.sku, record.title, record.brand) == ("K-1", "Kettle & Cup", "Acme")
    assert [(f.name, f.value, f.unit) for f in record.facts] == [("weight", "1.2 kg", "kg")]


def test_reviews_are_read_and_judged(tmp_path: Path) -> None:
    lines = (
        '{"text": "Lovely", "sku": "K-1", "rating": 4.5, "written_at": "2026-03-01"}\n'
        '{"text": "太好用了", "rating": "5"}\n{"text": ""}\n{"text": "x", "rating": 11}\n{"text": "x", "written_at": "soon"}\n'
        '{"text": "x", "written_at": "2026-13-40"}\n{"text": {"a": 1}}\n'
    )
    with Source(_file(tmp_path, "r.jsonl", lines)) as source:
        rows = list(reviews_of(source, feed_format="jsonl", mapping=None))
    assert [row.line for row in rows if row.record is None] == [3, 4, 5, 6, 7]
    assert rows[0].record
    assert rows[0].record.rating == Decimal("4.5")
    assert rows[1].record
    assert rows[1].record.locale == "zh-Hans"
