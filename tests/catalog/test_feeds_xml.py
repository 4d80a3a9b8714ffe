"""XML feeds as shops write them: text around markup, stray signs, and what becomes of a feed that breaks off."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.feed_files import bad, facts, file_of, good, products_in

ITEM = "<item><g:id>{}</g:id><title>{}</title><link>https://s.example/x</link><g:price>10.00 EUR</g:price>{}</item>\n"


def _feed(*items: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>\n') -> str:
    return (
        f'{head}<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>\n{"".join(items)}</channel></rss>'
    )


def test_text_around_markup_is_kept(tmp_path: Path) -> None:
    feed = _feed(
        ITEM.format("A", "Shirt <i>Deluxe</i> XL", "<description>Soft <b>cotton</b> shirt</description>"),
        ITEM.format("B", "Plain", "<description><p>First.</p><p>Second.</p></description>"),
        ITEM.format(
            "C",
            "C",
            "<description><![CDATA[Soft <b>cotton</b>]]></description><g:material>Cotton <!-- c -->blend</g:material>",
        ),
    )
    products = good(products_in(file_of(tmp_path, "p.xml", feed)))
    assert (products["A"].title, products["A"].description) == ("Shirt Deluxe XL", "Soft cotton shirt")
    assert products["B"].description == "First.\n\nSecond."
    assert (products["C"].description, facts(products["C"])) == ("Soft cotton", {"material": "Cotton blend"})


def test_xhtml_in_atom_is_text(tmp_path: Path) -> None:
    feed = (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0"><entry><g:id>A</g:id><title>Throw</title>'
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Soft <em>and</em> heavy.</div></content></entry></feed>'
    )
    assert good(products_in(file_of(tmp_path, "p.xml", feed)))["A"].description == "Soft and heavy."


@pytest.mark.parametrize("spoiled", ["Bad \x0b char", "Bad &#11; char", "Bad caf\udce9"])
def test_a_character_that_xml_forbids_costs_its_item_alone(spoiled: str, tmp_path: Path) -> None:
    feed = _feed(*(ITEM.format(n, spoiled if n == 2 else "Fine", "") for n in range(1, 33)))
    rows = products_in(file_of(tmp_path, "p.xml", feed))
    assert set(good(rows)) == {str(n) for n in range(1, 33) if n != 2}
    assert [(row.sku, "not allowed in XML" in row.error) for row in rows if row.error] == [("2", True)]


def test_what_tools_leave_in_xml_is_mended(tmp_path: Path) -> None:
    feed = _feed(ITEM.format("A", "Salt & Pepper&nbsp;mill", "<c:note>x</c:note>"), head='\n<?xml version="1.0"?>\n')
    assert good(products_in(file_of(tmp_path, "p.xml", feed)))["A"].title == "Salt & Pepper mill"
    bare = _feed(ITEM.format("A", "Cup", "")).replace(' xmlns:g="http://base.google.com/ns/1.0"', "")
    assert set(good(products_in(file_of(tmp_path, "q.xml", bare)))) == {"A"}
    latin = _feed(ITEM.format("A", "Café", ""), head='<?xml version="1.0" encoding="windows-1252"?>').encode("cp1252")
    assert good(products_in(file_of(tmp_path, "r.xml", latin)))["A"].title == "Café"


def test_a_feed_that_breaks_off_says_so_in_its_last_row(tmp_path: Path) -> None:
    feed = _feed(ITEM.format("A", "A", ""), ITEM.format("B", "B", ""))
    rows = products_in(file_of(tmp_path, "p.xml", feed[: feed.index("<g:id>B")]))
    assert set(good(rows)) == {"A"}
    assert [row.breaks_off for row in rows] == [False, True]
    assert "cannot be read from here on" in bad(rows)[rows[-1].line]


@pytest.mark.parametrize(
    "url",
    [
        "https://img.shop.example/l.jpg?width=600&region=eu&section=2",
        "https://img.shop.example/f.jpg?v=3&timestamp=1700000000",
        "https://img.shop.example/w.jpg?w=1&h=2&currency=USD&copy=1&not",
    ],
)
def test_an_address_is_not_read_as_html(url: str, tmp_path: Path) -> None:
    rows = products_in(
        file_of(tmp_path, "p.csv", f"sku,title,image_url\nA,Lamp,{url}\nB,Lamp,{url.replace('&', '&amp;')}\n")
    )
    assert {product.image_url for product in good(rows).values()} == {url}
