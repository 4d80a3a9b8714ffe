"""Which language a feed is in: told by each text, or by all of them together, or said; never English for want of another."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from catalog.feeds.habits import ASSUMED
from catalog.languages import surely_in
from ecomsite.env import BASE_DIR
from tests.feed_files import bad, file_of, good, products_in, reviews_in

DATA = Path(os.environ.get("ECOMSITE_DATA_DIR", BASE_DIR.parent / "shared" / "data"))
GERMAN = "sku,title\nA,Wasserkocher Edelstahl\nB,Kupferkessel\nC,Teekanne\nD,Kaffeemaschine mit Mahlwerk\nE,Kissen für Sofa\n"


def test_short_titles_of_a_german_feed_do_not_become_english(tmp_path: Path) -> None:
    rows = products_in(file_of(tmp_path, "p.csv", GERMAN))
    reasons = bad(rows)
    assert not good(rows)
    assert all("German" in reason and "locale" in reason for reason in reasons.values())
    assert "--locale en or zh-Hans" in reasons[3]


def test_a_feed_that_gives_no_full_sentence_is_told_by_its_letters(tmp_path: Path) -> None:
    french = "sku,title\n" + "".join(f"{n},{t}\n" for n, t in enumerate(("Théière", "Chaise", "Bouilloire", "Tasse")))
    assert not good(products_in(file_of(tmp_path, "p.csv", french)))
    english = "sku,title\n" + "".join(
        f"{n},{t}\n" for n, t in enumerate(("Linen towel", "Wool scarf", "Cotton blanket"))
    )
    rows = products_in(file_of(tmp_path, "q.csv", english))
    assert {product.locale for product in good(rows).values()} == {"en"}


def test_of_a_text_too_short_to_tell_it_is_said_that_it_was_taken_for_english(tmp_path: Path) -> None:
    (row,) = products_in(file_of(tmp_path, "p.csv", "sku,title\nA,Hat\n"))
    assert row.record
    assert (row.record.locale, row.notes) == ("en", (ASSUMED,))
    (row,) = products_in(file_of(tmp_path, "q.csv", "sku,title\nA,A hat for the winter\n"))
    assert row.record
    assert (row.record.locale, row.notes) == ("en", ())


def test_a_short_text_is_of_the_language_that_the_others_are_of(tmp_path: Path) -> None:
    chinese = (
        '{"sku":"A","title":"铜制水壶"}\n{"sku":"B","title":"iPhone 15"}\n{"sku":"C","title":"Kettle for the stove"}\n'
    )
    assert good(products_in(file_of(tmp_path, "p.jsonl", chinese)))["B"].locale == "en"
    assert (
        good(products_in(file_of(tmp_path, "q.jsonl", chinese[: chinese.index('{"sku":"C"')])))["B"].locale == "zh-Hans"
    )


def test_where_a_feed_is_in_two_languages_a_text_that_tells_neither_is_named(tmp_path: Path) -> None:
    feed = (
        "sku,title\nA,The kettle that does not drip\nB,Der Kessel der nicht tropft und immer heiß ist\nC,Lampe 7\n"
        "D,A lamp for the desk and the bed\n"
    )
    assert "several languages" in bad(products_in(file_of(tmp_path, "p.csv", feed)))[4]


def test_what_is_said_stands_above_what_is_told(tmp_path: Path) -> None:
    assert len(good(products_in(file_of(tmp_path, "p.csv", GERMAN), 'locale = "en"\n'))) == 5
    shopify = "Handle,Title,Variant SKU\na,Kupferkessel,A\nb,Teekanne Keramik,B\nc,Wasserkocher Edelstahl,C\n"
    assert not good(products_in(file_of(tmp_path, "s.csv", shopify)))
    assert len(good(products_in(file_of(tmp_path, "s.csv", shopify), 'locale = "en-GB"\n'))) == 3


def test_a_short_german_review_is_named(tmp_path: Path) -> None:
    rows = reviews_in(
        file_of(tmp_path, "r.jsonl", '{"text": "Tolles Produkt, schnelle Lieferung"}\n{"text": "I like it"}\n')
    )
    assert "German" in bad(rows)[1]


@pytest.mark.parametrize(
    ("name", "column", "most"),
    [("abtbuy_crowd/products.csv", "name", 2), ("amazon_products_1k/products.csv", "Product Name", 2)],
)
def test_of_real_english_titles_hardly_one_is_taken_for_another_language(name: str, column: str, most: int) -> None:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"real data absent: {path} (set ECOMSITE_DATA_DIR)")
    with path.open(newline="", encoding="utf-8") as stream:
        titles = [row[column] for row in csv.DictReader(stream) if row[column].strip()]
    # The second half: the first one was looked at when the bounds were set.
    others = [(title, name) for title in titles[1::2] if (name := surely_in(title)) not in ("", "en")]
    assert len(others) <= most, others
