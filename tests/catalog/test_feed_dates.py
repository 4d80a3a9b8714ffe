"""When a review was written: the usual forms are read, what cannot be held is refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from catalog.feeds.bad_row import BadRow
from catalog.feeds.dates import parse_moment
from tests.feed_files import bad, file_of, reviews_in


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-03-22 14:21:01 UTC", "2022-03-22T14:21:01+00:00"),
        ("2022-03-22T14:21:01+02:00", "2022-03-22T12:21:01+00:00"),
        ("2022-03-22 14:21:01 +0200", "2022-03-22T12:21:01+00:00"),
        ("2022-03-22", "2022-03-22T00:00:00+00:00"),
        ("2022/03/22 14:21", "2022-03-22T14:21:00+00:00"),
        ("22.03.2022", "2022-03-22T00:00:00+00:00"),
        ("03/22/2022", "2022-03-22T00:00:00+00:00"),
        ("22/03/2022 14:21", "2022-03-22T14:21:00+00:00"),
        ("March 22, 2022", "2022-03-22T00:00:00+00:00"),
        ("Mar 22nd, 2022", "2022-03-22T00:00:00+00:00"),
        ("22 Mar 2022", "2022-03-22T00:00:00+00:00"),
        ("Mar. 22, 2022 at 2:21 PM", "2022-03-22T14:21:00+00:00"),
        ("2022/3/2 12:05 am", "2022-03-02T00:05:00+00:00"),
        ("Tue, 22 Mar 2022 14:21:01 +0000", "2022-03-22T14:21:01+00:00"),
        ("Tue Mar 22 2022 15:21:01 GMT+0100 (CET)", "2022-03-22T14:21:01+00:00"),
        ("Tuesday, March 22, 2022", "2022-03-22T00:00:00+00:00"),
        ("1647958861", "2022-03-22T14:21:01+00:00"),
        ("1647958861000", "2022-03-22T14:21:01+00:00"),
        ("2022年3月22日", "2022-03-22T00:00:00+00:00"),
    ],
)
def test_the_usual_forms_are_read(text: str, expected: str) -> None:
    moment = parse_moment("written_at", text)
    assert moment
    assert moment.isoformat() == expected


@pytest.mark.parametrize("text", ["", "0000-00-00 00:00:00", "0000-00-00", "NULL", "\\N", "n/a", "None"])
def test_no_date_is_no_date(text: str) -> None:
    assert parse_moment("written_at", text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("03/04/2022", "day or the month first"),
        ("31/31/2022", "no ISO 8601 date or time, nor of another usual form: say its format"),
        ("Smarch 3, 2022", "no ISO 8601 date or time, nor of another usual form: say its format"),
        ("soon", "no ISO 8601 date or time, nor of another usual form: say its format"),
        ("2026-13-40", "no ISO 8601 date or time, nor of another usual form: say its format"),
        ("0001-01-01T00:00:00+02:00", "out of range"),
        ("0001-01-01T00:00:00", "out of range"),
        ("9999-12-31T23:59:59-05:00", "out of range"),
        ("1012-01-01", "out of range"),
        ("99999999999999999999", "no ISO 8601"),
    ],
)
def test_what_cannot_be_read_or_held_is_named(text: str, reason: str) -> None:
    with pytest.raises(BadRow, match=reason):
        parse_moment("written_at", text, hint="say its format")


def test_a_mapping_says_how_dates_are_written(tmp_path: Path) -> None:
    mapping = '[fields]\ntext = "body"\nwritten_at = { column = "when", format = "%d/%m/%Y" }\n'
    rows = reviews_in(file_of(tmp_path, "r.csv", "body,when\nFine,03/04/2022\nOdd,2022-04-03\n"), mapping)
    assert rows[0].record
    assert rows[0].record.written_at == dt.datetime(2022, 4, 3, tzinfo=dt.UTC)
    assert "not written as %d/%m/%Y" in bad(rows)[3]
