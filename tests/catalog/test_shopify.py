"""Shopify's CSV: rows of a handle in any order, and metafields that are facts."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from catalog.feeds.metafields import metafield
from tests.feed_files import bad, facts, file_of, good, products_in

HEADER = "Handle,Title,Body (HTML),Vendor,Type,Option1 Name,Option1 Value,Variant SKU,Variant Grams,Variant Price,Image Src,Image Position\n"


def test_rows_of_a_handle_may_stand_in_any_order(tmp_path: Path) -> None:
    content = HEADER + (
        "tee,,,,,,,,,,https://s.example/3.jpg,3\n"
        "tee,Tee,<p>x</p>,Acme,Tops,Size,S,TEE-S,200,19.00,https://s.example/1.jpg,1\n"
        "tee,,,,,,M,TEE-M,200,19.00,,\n"
        "cap,,,,,,M,CAP-M,200,19.00,,\n"
        "cap,Cap,<p>x</p>,Acme,Caps,Size,S,CAP-S,200,19.00,https://s.example/2.jpg,1\n"
        "tee,,,,,,L,TEE-L,200,19.00,,\n"
        "mug,Mug,,Acme,Mugs,Title,Default Title,MUG,200,9.00,,\n"
    )
    rows = products_in(file_of(tmp_path, "p.csv", content))
    assert not bad(rows)
    assert {sku: product.title for sku, product in good(rows).items()} == {
        "TEE-S": "Tee – S",
        "TEE-M": "Tee – M",
        "TEE-L": "Tee – L",
        "CAP-S": "Cap – S",
        "CAP-M": "Cap – M",
        "MUG": "Mug",
    }
    assert good(rows)["TEE-M"].image_url == "https://s.example/1.jpg"
    assert facts(good(rows)["CAP-M"]) == {"size": "M", "weight": "200 g"}


RICH = {"type": "root", "children": [{"type": "paragraph", "children": [{"type": "text", "value": "Wash cold"}]}]}


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("Fabric (product.metafields.custom.fabric)", "Cotton", "Cotton"),
        ("Care (product.metafields.custom.care)", json.dumps(RICH), "Wash cold"),
        ("Materials (product.metafields.custom.materials)", '["Cotton","Linen"]', "Cotton, Linen"),
        ("Volume (product.metafields.custom.volume)", '{"value":1.5,"unit":"LITERS"}', "1.5 l"),
        ("Custom (product.metafields.mm-google-shopping.custom_product)", "TRUE", None),
        ("Count (product.metafields.reviews.rating_count)", "12", None),
        ("Rating (product.metafields.custom.rating)", '{"value":"4.7","scale_min":"1.0","scale_max":"5.0"}', None),
        ("Boosts (product.metafields.shopify--discovery--product_search_boost.queries)", "sale", None),
        ("Twin (product.metafields.custom.twin)", "gid://shopify/Product/1", None),
        ("Odd (product.metafields.custom.odd)", "[not JSON", "[not JSON"),
        ("Deep (product.metafields.custom.deep)", "[" * 5_000, "[" * 5_000),
    ],
)
def test_a_metafield_is_a_fact_where_the_merchant_says_one(column: str, value: str, text: str | None) -> None:
    assert metafield(column, value) == ((column.partition(" (")[0], text) if text is not None else None)


def test_a_metafield_that_is_too_long_is_left_out_and_counted(tmp_path: Path) -> None:
    stream = io.StringIO()
    name = "Care (product.metafields.custom.care)"
    csv.writer(stream).writerows([["Handle", "Title", "Variant SKU", name], ["a", "The shirt", "A", "L" * 2_100]])
    (row,) = products_in(file_of(tmp_path, "p.csv", stream.getvalue()))
    assert row.record
    assert (row.record.facts, row.notes) == ((), ("facts left out: too long",))
