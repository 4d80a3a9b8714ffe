"""Feeds that are out to do harm, or were made with care for nothing: the good rows are taken, and nothing ends in a traceback."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import pyarrow as pa
import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from catalog.models import Product
from tests.feed_files import bad, file_of, good, products_in

pytestmark = pytest.mark.django_db
GOOD = '{"sku":"G1","title":"The good cup"}\n'
ITEM = "<item><g:id>G1</g:id><title>The good cup</title></item>"
RSS = '<rss xmlns:g="http://base.google.com/ns/1.0"><channel>{}</channel></rss>'
LAUGHS = "<!DOCTYPE x [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY a{n} '{f'&a{n - 1};' * 10 if n > 1 else '&a;' * 10}'>" for n in range(1, 10)
)


@pytest.mark.parametrize(
    "line",
    [
        '{"sku":"B","title":"The x","facts":{"a":' + "[" * 100_000 + "]" * 100_000 + "}}",
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        '{"sku":"B","title":"The x","price":1' + "0" * 5_000 + "}",
        '{"sku":1' + "0" * 4_000 + ',"title":"The x"}',
        '{"sku":"B","title":"The x","price":-Infinity}',
        '{"sku":"B","title":"The x","price":1e999999999999}',
        '{"sku":"B","title":"The x","price":-1}',
        '{"sku":{"a":1},"title":"The x"}',
        '{"sku":"\\ud800","title":"The x"}',
        '{"sku":"B","title":"<b\\ud800>","price":-1}',
        '{"sku":"B","title":"\\ud800\\u0000"}',
        '{"sku":"B","title":"The x","image_url":"\\\\\\\\evil.example\\\\x"}',
        '{"sku":"B","title":"The x","image_url":"javascript:alert(1)"}',
        json.dumps({"sku": "B", "title": "The x", "facts": {f"f{n}": n for n in range(50_000)}}),
        json.dumps({"sku": "B", "title": {f"l{n}": "x" for n in range(50_000)}}),
        '\ufeff{"sku":"B","title":"The x"}',
        '{"sku":"B","title":"The x"}{"sku":"C","title":"The y"}',
        "null",
    ],
    ids=lambda line: ascii(line[:24]),
)
def test_a_line_of_json_costs_itself_alone(line: str, tmp_path: Path) -> None:
    rows = products_in(file_of(tmp_path, "p.jsonl", GOOD + line + "\n" + GOOD.replace("G1", "G2")))
    assert set(good(rows)) == {"G1", "G2"}
    assert set(bad(rows)) == {2}


@pytest.mark.parametrize(
    ("head", "body", "is_read"),
    [
        (LAUGHS + "]>", "<item><g:id>B</g:id><title>&a9;</title></item>", False),
        (
            '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
            "<item><g:id>B</g:id><title>&a;</title></item>",
            False,
        ),
        ("", "<item>" + "<a>" * 100_000 + "</a>" * 100_000 + "</item>", True),
        ("", "<item " + " ".join(f'a{n}="1"' for n in range(50_000)) + "/>", True),
        ("", "<item><g:id>B\x00</g:id><title>The x</title></item>", True),
        *(
            (f'<?xml version="1.0" encoding="{name}"?>', "", False)
            for name in ("rot13", "idna", "punycode", "undefined", "hex", "no-such")
        ),
        *(
            (f'<?xml version="1.0" encoding="{name}"?>', "", True)
            for name in ("utf-16", "UTF-16LE", "ucs-2", "latin-1", "gb18030")
        ),
    ],
    ids=lambda value: ascii(str(value)[:40]),
)
def test_xml_is_read_or_refused(head: str, body: str, is_read: bool, tmp_path: Path) -> None:
    path = file_of(tmp_path, "p.xml", head + RSS.format(ITEM + body))
    if is_read:
        assert "G1" in good(products_in(path))
    with pytest.raises(CommandError) if not is_read else _nothing():
        call_command("import_products", str(path))


class _nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *exc: object) -> None: ...


@pytest.mark.parametrize(
    ("content", "skus"),
    [
        ("sku,title\r\nG1,The cup\nG2,The bowl\r\nG3,The pan\rG4,The pot\n", "G1 G2 G3 G4"),
        ("\ufeff\ufeffsku,title\nG1,The cup\n", "G1"),
        ("sku,title\nG1,The cup,\nG2,The bowl,,\n", "G1 G2"),
        ("sku,title\nG1,The\x00 cup\n\x00\x00,\x00\n", "G1"),
        ("sku,title\nB," + "x" * 3_000_000 + "\nG1,The cup\n", "G1"),
        (
            'sku,title\nB,"The open\n' + "".join(f"G{n},The cup\n" for n in range(2_500)),
            " ".join(f"G{n}" for n in range(2_500)),
        ),
        ("sku,title," + ",".join(f"c{n}" for n in range(50_000)) + "\nG1,The cup," + "," * 49_999 + "\n", "G1"),
        ("sku,title\nG1,<script>alert(1)</script>The cup\nB,<style>x</style>\n", "G1"),
    ],
    ids=["line ends", "marks", "delimiters", "NUL", "long", "open quote", "columns", "script"],
)
def test_of_a_table_the_good_rows_are_read(content: str, skus: str, tmp_path: Path) -> None:
    products = good(products_in(file_of(tmp_path, "p.csv", content)))
    assert set(products) == set(skus.split())
    assert not [product for product in products.values() if "<" in product.title or "\x00" in product.title]


@pytest.mark.parametrize(
    "content", ['sep="\nsku"title\nG1"The cup\n', "sku,title,title\nA,The cup,x\n", "\x00" * 1_000, "\n\n", "sku\nA\n"]
)
def test_a_table_that_nobody_can_read_is_refused_in_words(content: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"column|header"):
        call_command("import_products", str(file_of(tmp_path, "p.csv", content)))


@pytest.mark.parametrize(
    "mapping",
    [
        'delimiter = "\\""',
        'delimiter = "\\n"',
        'delimiter = "\\u0000"',
        "a = " + "[" * 5_000,
        'locale = "\\u0000"',
        "\x00",
    ],
)
def test_a_mapping_that_means_nothing_is_refused_in_words(mapping: str, tmp_path: Path) -> None:
    path = file_of(tmp_path, "p.csv", "sku,title\nA,The cup\n")
    with pytest.raises(CommandError, match="mapping"):
        call_command("import_products", str(path), "--mapping", str(file_of(tmp_path, "m.toml", mapping)))


# --- What a reference parser reads, we read ----------------------------------------------------------------------

WORD = st.text(st.sampled_from("abc äé中\"',;\t=+-@\\.0"), min_size=1, max_size=12)
ROWS = st.lists(st.tuples(WORD, WORD), min_size=1, max_size=8)


def _as_csv(rows: list[tuple[str, str]]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream).writerows([("sku", "title"), *rows])
    return stream.getvalue().encode()


def _as_jsonl(rows: list[tuple[str, str]]) -> bytes:
    return "".join(json.dumps({"sku": sku, "title": title}) + "\n" for sku, title in rows).encode()


def _as_xml(rows: list[tuple[str, str]]) -> bytes:
    items = "".join(f"<item><g:id>{escape(sku)}</g:id><title>{escape(title)}</title></item>" for sku, title in rows)
    return RSS.format(items).encode()


def _as_xlsx(rows: list[tuple[str, str]]) -> bytes:
    made, stream = openpyxl.Workbook(), io.BytesIO()
    made.active.append(["sku", "title"])
    for number, row in enumerate(rows, start=2):
        for column, text in enumerate(row, start=1):
            made.active.cell(number, column, text).data_type = "s"
    made.save(stream)
    return stream.getvalue()


def _as_parquet(rows: list[tuple[str, str]]) -> bytes:
    stream = io.BytesIO()
    parquet.write_table(pa.table({"sku": [sku for sku, _ in rows], "title": [title for _, title in rows]}), stream)
    return stream.getvalue()


WRITERS: dict[str, Any] = {
    "p.csv": _as_csv,
    "p.jsonl": _as_jsonl,
    "p.xml": _as_xml,
    "p.xlsx": _as_xlsx,
    "p.parquet": _as_parquet,
}


@pytest.mark.parametrize("name", WRITERS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(ROWS)
def test_each_row_that_the_writer_of_a_format_wrote_is_read(
    name: str, tmp_path: Path, rows: list[tuple[str, str]]
) -> None:
    read = products_in(file_of(tmp_path, name, WRITERS[name](rows)), 'locale = "en"\n')
    # A guard of a spreadsheet before a key is taken off, and what is empty when cleaned is no sku and no title.
    expected = [(sku, title) for sku, title in rows if sku.strip(" \t'=\"") and title.strip(" \t'=\"")]
    titles = {row.record.title for row in read if row.record}
    missing = [(sku, title) for sku, title in expected if " ".join(title.split()) not in titles]
    assert not [row for row in missing if row[1].lstrip()[:1] not in "='"], bad(read)


def test_none_of_them_is_left_in_the_catalogue_by_a_refused_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        call_command(
            "import_products",
            str(file_of(tmp_path, "p.xml", '<?xml version="1.0" encoding="rot13"?>' + RSS.format(ITEM))),
        )
    assert not Product.objects.exists()
