"""JSONL as programs write it, and languages that are none of ours."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from catalog.languages import other_language
from core.exceptions import PermanentError
from tests.feed_files import bad, facts, file_of, good, products_in, reviews_in


def test_nulls_lists_and_numbers_of_programs_are_read(tmp_path: Path) -> None:
    lines = (
        '{"sku":"A","title":"Null fact","facts":{"color":null,"size":"M"}}\n{"sku":"B","title":"Facts null","facts":null}\n'
        '{"sku":12345.0,"title":"Float sku"}\n{"sku":"D","title":"Price","price":1e3,"currency":"EUR"}\n'
        '{"sku":"F","title":"List","facts":{"colors":["red","blue"]}}\n{"sku":"G","title":"Num","facts":{"capacity":1e3,"w":0.1}}\n'
        '{"sku":"H","title":"Object","price":{"amount":"12.00","currency":"EUR"}}\n{"sku":"I","title":"Images","image_url":["https://s.example/1.jpg"]}\n'
    )
    rows = products_in(file_of(tmp_path, "p.jsonl", lines))
    products = good(rows)
    assert not bad(rows)
    assert set(products) == {"A", "B", "12345", "D", "F", "G", "H", "I"}
    assert (facts(products["A"]), facts(products["F"])) == ({"size": "M"}, {"colors": "red, blue"})
    assert facts(products["G"]) == {"capacity": "1000", "w": "0.1"}
    assert (products["D"].price, products["H"].price, products["H"].currency) == (Decimal(1000), Decimal(12), "EUR")
    assert products["I"].image_url == "https://s.example/1.jpg"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"sku":"A","title":"T","price":NaN}', "NaN"),
        ('{"sku":"A","title":"T","title":"U"}', "'title' stands there twice"),
        ('{"sku":"A","title":"T","barcode":"1"}', "give a mapping"),
        ('{"sku":"A","title":"T","locale":"de"}', "locale"),
        ('{"sku":"A","title":{"de":"Kessel","en":"Kettle"}}', "locale"),
        ('{"sku":"A","title":"T","price":1e999999}', "out of range"),
        ('{"sku":"A","title":"T","facts":{"x":' + "[" * 900 + "]" * 900 + "}}", "fact 'x'"),
        ('{"sku":"A","title":"やかん、銅でできています"}', "Japanese"),
        ('{"sku":"A","title":"Медный чайник"}', "Cyrillic"),
    ],
)
def test_what_is_no_product_of_ours_is_named(line: str, reason: str, tmp_path: Path) -> None:
    assert reason in bad(products_in(file_of(tmp_path, "p.jsonl", line + "\n")))[1]


def test_a_mapping_says_which_keys_are_which(tmp_path: Path) -> None:
    mapping = (
        '[fields]\nsku = "id"\ntitle = "name"\nprice = "offer.price"\ncurrency = "offer.currency"\n'
        'image_url = { column = "images", split = "|", take = 1 }\n[[facts]]\ncolumn = "weight"\nname = "weight"\nunit = "g"\n'
    )
    odd = '{"id":8,"name":"Cup","weight":{"g":1}}\n'
    rows = products_in(file_of(tmp_path, "o.jsonl", odd), mapping)
    assert (rows[0].sku, rows[0].error) == ("8", "it is an object where a text was expected")
    line = '{"id":7,"name":"Cup","offer":{"price":9.5,"currency":"EUR"},"images":["a.jpg","b.jpg"],"weight":240,"more":1}\n'
    product = good(products_in(file_of(tmp_path, "p.jsonl", line), mapping))["7"]
    assert (product.title, product.price, product.currency, product.image_url) == (
        "Cup",
        Decimal("9.5"),
        "EUR",
        "a.jpg",
    )
    assert facts(product) == {"weight": "240 g"}
    (row,) = reviews_in(
        file_of(tmp_path, "r.jsonl", '{"body":"Good","stars":5}\n'), '[fields]\ntext = "body"\nrating = "stars"\n'
    )
    assert row.record
    assert row.record.rating == 5


def test_a_list_of_products_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="an object on each line"):
        products_in(file_of(tmp_path, "p.json", '[\n{"sku": "A"}\n]\n'))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Sehr gut, gerne wieder", "German"),
        ("Très bon produit, je recommande", "French"),
        ("Muy bueno, lo recomiendo", "Spanish"),
        ("Very good", ""),
        ("Love it!!!", ""),
        ("很好用", ""),
    ],
)
def test_a_short_review_in_another_language_is_told(text: str, language: str) -> None:
    assert other_language(text, is_review=True) == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Ein Wasserkocher mit Temperaturwahl für den Tee, der nicht tropft", "German"),
        ("Une bouilloire pour le thé avec un bec très fin dans une belle boîte", "French"),
        ("Una tetera de cobre con una tapa para el té", "Spanish"),
        ("A kettle for tea that does not drip", ""),
        ("Le Creuset La Mer Kettle", ""),
        ("Eau de la Mer", ""),
        ("铜制水壶", ""),
        ("", ""),
    ],
)
def test_another_language_is_told_where_words_or_letters_tell(text: str, language: str) -> None:
    assert other_language(text) == language
