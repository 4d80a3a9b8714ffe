"""Labels as we write them: read back the same, whole after an interruption, and nothing in it that runs."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from core.exceptions import PermanentError
from labeling.exchange.formats import WRITERS, open_file, writer_of
from labeling.exchange.part import Part
from labeling.exchange.rows import Item, Layout, as_text, spread
from labeling.question import question

AT = dt.datetime(2026, 11, 2, 10, 30, 0, 123456, tzinfo=dt.UTC)
FIELDS = {
    "subject": "text",
    "text": "text",
    "rating": "number",
    "label": "text",
    "n_votes": "integer",
    "labelled_at": "time",
}
NASTY = ["=1+1", "+49 30 1234", "-1", "@here", "'=quoted", 'two\nlines, "quotes"; and\tmore', "好用", ""]
each_format = pytest.mark.parametrize("file_format", WRITERS)


def items(n: int, *, start: int = 0) -> list[Item]:
    """Items with awkward texts and two votes each."""
    return [
        Item(
            {
                "subject": f"s:{i}",
                "text": NASTY[i % len(NASTY)],
                "rating": 4.5 if i % 2 else None,
                "label": "positive",
                "n_votes": 2,
                "labelled_at": AT,
            },
            [
                {"rater": "rater-1", "label": "positive", "annotated_at": AT, "seconds": 2.5},
                {"rater": "rater-2", "label": "neutral", "annotated_at": AT, "seconds": None},
            ],
            {"review_html": "<b>Good</b>", "text": NASTY[i % len(NASTY)]},
        )
        for i in range(start, start + n)
    ]


def layout(*, has_votes: bool = False) -> Layout:
    """The layout of `items`."""
    return Layout(FIELDS, question("sentiment"), has_votes=has_votes)


def written(path: Path, file_format: str, *, has_votes: bool = False) -> Path:
    """Two pages of items, written in one go."""
    writer = writer_of(file_format, path, layout(has_votes=has_votes), position=0)
    writer.write(items(5))
    writer.write(items(5, start=5))
    return writer.finish()


def read(path: Path, file_format: str) -> list[dict[str, str]]:
    """All rows of a file, as text."""
    with open_file(path, file_format=file_format) as reading:
        rows = [row for whole in reading.rows for row in spread(whole)]
    assert not [row.error for row in rows if row.error]
    return [{name: as_text(value) for name, value in row.values.items()} for row in rows]


@each_format
def test_what_is_written_is_read_again(tmp_path: Path, file_format: str) -> None:
    rows = read(written(tmp_path / "x", file_format), file_format)
    assert [row["text"] for row in rows] == [item.values["text"] for item in items(10)]
    assert [row["rating"] for row in rows[:2]] == ["", "4.5"]
    assert {(row["label"], dt.datetime.fromisoformat(row["labelled_at"])) for row in rows} == {("positive", AT)}
    if file_format == "ls-json":
        assert {row["sentiment"] for row in rows} == {"positive"}
        assert {row["rater"] for row in rows} == {""}, "nobody's answer"


@each_format
def test_votes_are_read_again(tmp_path: Path, file_format: str) -> None:
    rows = read(written(tmp_path / "x", file_format, has_votes=True), file_format)
    place = "sentiment" if file_format == "ls-json" else "label"
    votes = [row for row in rows if row.get("rater")]
    assert len(votes) == 20
    assert {(row["rater"], row[place], row["seconds"]) for row in votes} == {
        ("rater-1", "positive", "2.5"),
        ("rater-2", "neutral", ""),
    }
    assert {dt.datetime.fromisoformat(row["annotated_at"]) for row in votes} == {AT}


@each_format
def test_a_file_that_broke_off_goes_on_as_if_nothing_had_happened(tmp_path: Path, file_format: str) -> None:
    whole = read(written(tmp_path / "whole", file_format), file_format)
    writer = writer_of(file_format, tmp_path / "x", layout(), position=0)
    position = writer.write(items(5))
    writer.write(items(2, start=70))  # this page is never noted as written
    writer.close()
    writer = writer_of(file_format, tmp_path / "x", layout(), position=position)
    position = writer.write(items(5, start=5))
    writer.finish()
    # The end may come twice: the process died before the file took its place.
    writer = writer_of(file_format, tmp_path / "x", layout(), position=position)
    assert read(writer.finish(), file_format) == whole


@each_format
def test_an_export_of_nothing_is_a_file_of_its_format(tmp_path: Path, file_format: str) -> None:
    writer = writer_of(file_format, tmp_path / "x", layout(has_votes=True), position=0)
    whole = writer.finish()
    assert not whole.stat().st_size if file_format == "jsonl" else read(whole, file_format) == []


def test_no_cell_of_a_csv_runs_in_a_spreadsheet(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", "csv", has_votes=True)
    with path.open(newline="", encoding="utf-8") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert all(part.startswith('"') for part in path.read_text().splitlines()[0].split(","))


def test_the_libraries_of_others_read_what_we_write(tmp_path: Path) -> None:
    import datasets

    found = datasets.load_from_disk(str(written(tmp_path / "d", "hf", has_votes=True)))
    assert found[1]["rating"] == 4.5
    assert found[1]["votes"][0] == {"rater": "rater-1", "label": "positive", "annotated_at": AT, "seconds": 2.5}
    tasks: list[dict[str, Any]] = json.loads(written(tmp_path / "x.json", "ls-json").read_text())
    assert tasks[0]["data"]["review_html"] == "<b>Good</b>"
    lines = written(tmp_path / "x.jsonl", "jsonl").read_text().splitlines()
    assert json.loads(lines[6])["text"] == NASTY[6]


def test_a_part_goes_on_only_with_the_same_export(tmp_path: Path) -> None:
    part = Part(tmp_path / "x.csv", what={"kind": "a"})
    part.path.write_text("12345")
    part.advance(after=7, n_rows=2, position=5)
    part.advance(after=9, n_rows=1, position=6)
    again = Part(tmp_path / "x.csv", what={"kind": "a"})
    assert (again.after, again.n_rows, again.position) == (9, 3, 6)
    other = Part(tmp_path / "x.csv", what={"kind": "b"})
    assert (other.after, other.n_rows, other.position) == (0, 0, 0)
    assert not other.path.exists()


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("mine")
    with pytest.raises(PermanentError, match="already"):
        Part(tmp_path / "x.csv", what={})
    with pytest.raises(PermanentError, match="no folder"):
        Part(tmp_path / "absent" / "x.csv", what={})


def test_a_part_takes_its_place_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    part = Part(tmp_path / "x.csv", what={})
    part.path.write_text("whole")
    part.advance(after=1, n_rows=1, position=5)
    part.take_place(part.path)
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
