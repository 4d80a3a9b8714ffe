"""Records of CSV files: no line of a refused record becomes a row, and what other tools write is read or named."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from core.exceptions import PermanentError
from core.source import MAX_LINE_BYTES
from tests.feed_files import bad, file_of, good, products_in


@pytest.mark.parametrize(
    "content",
    [
        b'sku,title,description\nA,Pan,"Size 24" wide\nPHANTOM,red,blue\nend"\nB,Hat,A hat\n',
        b'sku,title,description\nA,Pan,"Size 24" caf\xe9\nPHANTOM,red,blue\nend"\nB,Hat,A hat\n',
        b'sku,title,description\nA,Pan,"Called "soft", or\nB,red,blue\nPHANTOM,red,blue\n"warm""\nB,Hat,A hat\n',
        b'sku,title,description\nA,Scarf,"Colours:\nred, blue, green\nsizes: S, M, L\nthe "soft" one"\nB,Hat,A hat\n',
        b'sku,title,description\nA,Wool scarf,"A scarf.\nPHANTOM,very soft,and warm\nIt\x92s made by hand."\nB,Hat,A hat\n',
        b'sku,title,description\nA,Scarf,"Colours:\nred,blue,green\nend",too much\nB,Hat,A hat\n',
        b'sku,title,description\nA,Scarf,"A ""scarf"".\nred,blue,green\nthe "soft" one, it says"\nB,Hat,A hat\n',
        b'"sku","title","description"\n"A","Scarf","Colours:\nred,blue,green\nthe "soft" one"\n"B","Hat","A hat"\n',
        b'sku,title,description\nA,Scarf,"Colours:\nred,blue,green\n'
        + b"x" * (MAX_LINE_BYTES + 9)
        + b'\nred,blue,green\nend"\nB,Hat,A hat\n',
        b'sku,title,description\nA,Scarf,"Colours:\n'
        + b"red blue green\n" * 2_500
        + b'red,blue,green\nend"\nB,Hat,A hat\n',
    ],
    ids=[
        "an inch",
        "an inch, not UTF-8",
        "a word",
        "sloppy quotes",
        "not UTF-8",
        "too wide",
        "a comma behind",
        "all quoted",
        "a long line",
        "too many lines",
    ],
)
def test_no_line_of_a_refused_record_becomes_a_product(content: bytes, tmp_path: Path) -> None:
    rows = products_in(file_of(tmp_path, "p.csv", content))
    assert set(good(rows)) == {"B"}
    assert [(row.line, row.sku) for row in rows if row.error] == [(2, "A")]
    assert "lines 2 to" in bad(rows)[2]


def test_a_row_whose_quote_is_not_closed_costs_no_other(tmp_path: Path) -> None:
    content = (
        'sku,title,description\nA,Pan,"26" wide\nB,Cup,plain\nC,Plate,"Two\nlines"\nD,Lid,"26" wide,x\nE,Pot,"a, b"\n'
    )
    rows = products_in(file_of(tmp_path, "p.csv", content))
    assert set(good(rows)) == {"B", "C", "E"}
    assert set(bad(rows)) == {2, 6}


def test_quotes_escaped_by_a_backslash_are_read(tmp_path: Path) -> None:
    content = (
        'sku,title,description\nA,"24\\" monitor, black","A \\"sharp\\" screen"\nB,"A \\"quoted\\" name",plain\nC,"Plain",ok\n'
        'D,"Ends in backslash\\",ok\nE,"A ""b"" c","Lines \\"one\nred,blue,green\n\\" two"\nF,Next,ok\nG,"A "soft" one",ok\n'
    )
    rows = products_in(file_of(tmp_path, "p.csv", content))
    products = good(rows)
    assert not bad(rows)
    assert (products["A"].title, products["A"].description) == ('24" monitor, black', 'A "sharp" screen')
    assert products["B"].title == 'A "quoted" name'
    assert products["E"].description == 'Lines "one\nred,blue,green\n" two'
    assert products["G"].title == 'A "soft" one'
    assert set(products) == set("ABCDEFG")


@pytest.mark.parametrize(
    "content",
    [
        b"sku,title\rA,Cup\rB,Plate\r",
        b"sep=;\r\nsku;title\r\nA;Cup\r\nB;Plate\r\n",
        b"\xef\xbb\xbfsep=,\nsku,title\nA,Cup\nB,Plate\n",
        b"sku;title\nA;Cup\nB;Plate\n",
        b"sku\ttitle\nA\tCup\nB\tPlate\n",
        b"SKU,Title\nA,Cup\nB,Plate\n",
        b'sku,title\n"=""A""",Cup\n\'B,Plate\n',
        b'sku,title\n="A",Cup\nB\xc2\xa0,Plate\n',
    ],
    ids=["CR alone", "sep=", "sep= behind a BOM", "semicolons", "tabs", "capitals", "guards", "bare guards"],
)
def test_what_spreadsheets_write_is_read(content: bytes, tmp_path: Path) -> None:
    rows = products_in(file_of(tmp_path, "p.csv", content))
    assert {sku: product.title for sku, product in good(rows).items()} == {"A": "Cup", "B": "Plate"}
    assert not bad(rows)


def test_an_apostrophe_that_is_meant_stays(tmp_path: Path) -> None:
    rows = products_in(file_of(tmp_path, "p.csv", "sku,title\nA,'Tis the season\nB,'90s lamp\n"))
    assert [product.title for product in good(rows).values()] == ["'Tis the season", "'90s lamp"]


def test_a_number_that_a_spreadsheet_shortened_is_no_sku(tmp_path: Path) -> None:
    rows = products_in(file_of(tmp_path, "p.csv", "sku,title\n4.01E+12,Cup\n1E3,Plate\n"))
    assert "format its column as text" in bad(rows)[2]
    assert set(good(rows)) == {"1E3"}


def test_a_mapping_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    rows = products_in(
        file_of(tmp_path, "p.csv", "Item,Name\nA,Cup\n"), '\ufeff[fields]\nsku = "Item"\ntitle = "Name"\n'
    )
    assert set(good(rows)) == {"A"}


def test_a_line_that_is_not_utf_8_is_named_with_the_way_out(tmp_path: Path) -> None:
    rows = products_in(file_of(tmp_path, "p.csv", b"sku,title\nA,caf\xe9\nB,Cup\n"))
    assert "save the file as UTF-8" in bad(rows)[2]


def test_a_workbook_is_told_from_an_archive(tmp_path: Path) -> None:
    for name, reason in (("xl/workbook.xml", "workbook .* cannot be read.*CSV UTF-8"), ("feed.csv", "zip archive")):
        with zipfile.ZipFile(tmp_path / "p.csv", "w") as archive:
            archive.writestr(name, "<workbook/>")
        with pytest.raises(PermanentError, match=reason):
            products_in(tmp_path / "p.csv")
    with pytest.raises(PermanentError, match="Excel workbook"):
        products_in(file_of(tmp_path, "p.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100))


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        ('currency = "Euro"\n', "currency: 'Euro'"),
        ('locale = "german-of-the-north"\n', "locale"),
        ('[fields]\nwritten_at = { column = "a", format = "%d %d" }\n', "fields.written_at.format"),
        ('[fields]\nwritten_at = { column = "a", format = "%Q" }\n', "fields.written_at.format"),
        ('[fields]\nsku = { column = "a", format = "%d" }\n', "fields.sku.format"),
        ('decimal = ";"\n', "decimal"),
        ('[localized_titles]\nde = "b"\n', "localized_titles.de"),
        ('[[facts]]\ncolumn = "b"\nname = "x"\nlocale = "an-endless-locale"\n', "facts.locale"),
        ('[[facts]]\ncolumn = "b"\nname = "x"\nunit = "blorp"\n', "facts.unit"),
        ('[[facts]]\ncolumn = "b"\nname = "' + "n" * 121 + '"\n', "facts.name"),
    ],
)
def test_a_mapping_that_no_row_could_be_stored_with_is_refused(mapping: str, reason: str, tmp_path: Path) -> None:
    fields = '[fields]\nsku = "a"\ntitle = "b"\n'
    text = (
        mapping if "[fields]" in mapping else mapping + fields if "=" in mapping.splitlines()[0] else fields + mapping
    )
    with pytest.raises(PermanentError, match=reason):
        products_in(file_of(tmp_path, "p.csv", "a,b\n1,2\n"), text)
