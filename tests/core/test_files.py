"""Files by what they are: workbooks and Parquet as tables and objects, and what is broken, hostile or locked told in words."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from core import workbook
from core.exceptions import PermanentError
from core.files import open_source

NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
AT = dt.datetime(2026, 3, 1, 9, 30)  # noqa: DTZ001  (as a sheet has it)
BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{("&a" + (str(n - 1) if n > 1 else "") + ";") * 10}">' for n in range(1, 9))
    + "]>"
)


def book(path: Path, *rows: list[Any], name: str = "p.xlsx") -> Path:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    made.save(path / name)
    return path / name


def with_part(path: Path, part: str, content: str | bytes) -> Path:
    """A workbook of which one part is `content`."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**parts, part: content}.items():
            archive.writestr(name, data)
    return path


def cells(path: Path) -> list[list[str]]:
    with open_source(path) as source:
        return [list(record.cells) for record in source.csv_records()]


def objects(path: Path) -> list[dict[str, Any]]:
    with open_source(path) as source:
        return [record.data for record in source.json_records()]


def errors(path: Path) -> dict[int, str]:
    with open_source(path) as source:
        records = source.csv_records() if source.kind == "workbook" else source.json_records()
        return {record.line: record.error for record in records if record.error}


# --- Workbooks ---------------------------------------------------------------------------------------------------


def test_a_workbook_is_read_as_its_cells_are_shown(tmp_path: Path) -> None:
    path = book(
        tmp_path,
        [],
        ["sku", "title", "price", "new", "since", None],
        ["00123", "Cup", 19.989999999999998, True, dt.date(2026, 3, 1)],
        [],
        [4010000000000, "Bowl", 12, None, AT],
        ["A", "Plate"],
    )
    assert cells(path) == [
        ["sku", "title", "price", "new", "since"],
        ["00123", "Cup", "19.99", "yes", "2026-03-01"],
        ["4010000000000", "Bowl", "12", "", "2026-03-01T09:30:00"],
        ["A", "Plate", "", "", ""],
    ]
    with open_source(path) as source:
        assert [record.line for record in source.csv_records()] == [2, 3, 5, 6]


def test_the_first_sheet_that_holds_anything_is_read_whatever_the_name_of_the_file(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.create_sheet("data").append(["sku", "title"])
    made.save(tmp_path / "p.xlsx")
    (tmp_path / "p.xlsx").rename(tmp_path / "p.csv")
    assert cells(tmp_path / "p.csv") == [["sku", "title"]]


def test_a_row_that_is_too_wide_is_named(tmp_path: Path) -> None:
    assert errors(book(tmp_path, ["sku", "title"], ["A", "Cup", "more"])) == {2: "3 columns where the header has 2"}


def test_a_sheet_that_cannot_be_read_to_its_end_says_so(tmp_path: Path) -> None:
    head = '<row r="1"><c r="A1" t="inlineStr"><is><t>sku</t></is></c></row>'
    sheet = f'<worksheet {NS}><sheetData>{head}<row r="2"><c r="A2"><v>no number</v></c></row></sheetData></worksheet>'
    path = with_part(book(tmp_path, ["sku"]), "xl/worksheets/sheet1.xml", sheet)
    with open_source(path) as source:
        *_, last = source.csv_records()
    assert last.breaks_off
    assert "cannot be read" in last.error


@pytest.mark.parametrize("row", [1_048_577, 10**15])
def test_a_row_that_no_sheet_has_ends_the_reading(tmp_path: Path, row: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "LAST_ROW", 10_000)
    far = f'<row r="{row}"><c r="A{row}" t="inlineStr"><is><t>x</t></is></c></row>'
    sheet = f'<worksheet {NS}><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>sku</t></is></c></row>{far}</sheetData></worksheet>'
    path = with_part(book(tmp_path, ["sku"]), "xl/worksheets/sheet1.xml", sheet)
    assert "more than 10,000 rows" in next(iter(errors(path).values()))


@pytest.mark.parametrize(
    ("part", "content", "reason"),
    [
        (
            "xl/worksheets/sheet1.xml",
            f'{BOMB}<worksheet {NS}><sheetData><row r="1"><c t="inlineStr"><is><t>&a8;</t></is></c></row></sheetData></worksheet>',
            "",
        ),
        ("xl/workbook.xml", "<workbook", ""),
        ("xl/worksheets/sheet1.xml", f"<worksheet {NS}><sheetData/></worksheet>", "holds no table"),
        ("xl/media/image.png", b"\0" * 2_000_000, "unpacks to more than"),
    ],
)
def test_a_hostile_workbook_is_refused_with_the_way_out(
    tmp_path: Path, part: str, content: str | bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MOST_BYTES", 1_000_000)
    path = with_part(book(tmp_path, ["sku"]), part, content)
    with pytest.raises(PermanentError, match=rf"(?s){reason}.*CSV UTF-8"):
        raise PermanentError(f"{cells(path)} {errors(path)}")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("p.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old kind"),
        ("p.xlsx", b"PK\x03\x04rubbish", "cannot be read"),
        ("p.csv", b"PK\x03\x04rubbish", "zip archive"),
        ("p.parquet", b"PAR1", "no Parquet file"),
        ("p.parquet", b"PAR1" + b"\xff" * 5_000 + b"PAR1", "no Parquet file"),
        ("p.csv", "sku,title\n".encode("utf-16-le"), "UTF-16"),
        ("p.csv", "sku,title\n".encode("utf-16-be"), "UTF-16"),
        ("p.csv", b"", "is empty"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(PermanentError, match=reason), open_source(tmp_path / name):
        pass


def test_a_spreadsheet_of_another_program_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    with pytest.raises(PermanentError, match=r"LibreOffice.*\.xlsx"), open_source(tmp_path / "p.ods"):
        pass


PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn")), max_size=20).filter(
    lambda text: "_x" not in text
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(PLAIN, min_size=2, max_size=4), min_size=1, max_size=5))
def test_a_workbook_says_what_was_written_into_it(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    made = openpyxl.Workbook()
    made.active.append(["a", "b", "c", "d"])
    for number, row in enumerate(rows, start=2):
        for column, text in enumerate(row, start=1):
            made.active.cell(number, column, text).data_type = "s"  # `=1` is no formula
    stream = io.BytesIO()
    made.save(stream)
    path = tmp_path_factory.mktemp("book") / "p.xlsx"
    path.write_bytes(stream.getvalue())
    expected = [row + [""] * (4 - len(row)) for row in rows if any(text.strip() for text in row)]
    assert [[cell.strip() for cell in row] for row in cells(path)[1:]] == [[c.strip() for c in row] for row in expected]


# --- Parquet -----------------------------------------------------------------------------------------------------


def written(path: Path, table: pa.Table) -> Path:
    parquet.write_table(table, path / "p.parquet")
    return path / "p.parquet"


def test_parquet_is_read_as_objects(tmp_path: Path) -> None:
    table = pa.table(
        {
            "sku": ["A", None],
            "price": [1.5, float("nan")],
            "short": pa.array([1.3, None], pa.float32()),
            "n": [1, 2],
            "day": [dt.date(2026, 3, 1), None],
            "facts": pa.array([[("weight", "1 kg")], None], pa.map_(pa.string(), pa.string())),
            "tags": [["a", "b"], []],
        }
    )
    first, second = objects(written(tmp_path, table))
    assert first == {
        "sku": "A",
        "price": Decimal("1.5"),
        "short": Decimal("1.3"),
        "n": 1,
        "day": "2026-03-01",
        "facts": {"weight": "1 kg"},
        "tags": ["a", "b"],
    }
    assert second == {"sku": None, "price": None, "short": None, "n": 2, "day": None, "facts": None, "tags": []}


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (pa.array([b"x"], pa.binary()), "bytes"),
        (pa.array([float("inf")]), "without end"),
        (pa.array([2**60], pa.timestamp("ms")), "cannot be read"),
        (
            pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]),
            "cannot be read",
        ),
    ],
)
def test_a_value_that_has_no_word_costs_its_row_alone(tmp_path: Path, column: Any, reason: str) -> None:
    table = pa.table({"x": pa.concat_arrays([column, pa.nulls(1, column.type)])})
    path = written(tmp_path, table)
    assert reason in errors(path)[1]
    assert objects(path)[1] == {"x": None}


def test_a_parquet_file_that_is_damaged_within_says_where(tmp_path: Path) -> None:
    path = written(tmp_path, pa.table({"x": ["abc"] * 100}))
    data = bytearray(path.read_bytes())
    data[10:40] = bytes(255 - byte for byte in data[10:40])
    path.write_bytes(data)
    with open_source(path) as source:
        *_, last = source.json_records()
    assert last.breaks_off
