"""What Label Studio exports beside answers to one question: spans, relations, flat and old forms, and damaged ones."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from labeling.exchange.formats import format_of, open_file
from labeling.exchange.rows import Row, Unusable, as_text, in_our_names
from tests.label_studio_exports import picked, span, task


def rows_of(path: Path) -> list[Row]:
    """All rows of a file."""
    with open_file(path, file_format=format_of(path)) as reading:
        return list(reading.rows)


def saved(path: Path, *tasks: Any) -> list[Row]:
    """The rows of an export of `tasks`."""
    path.write_text(json.dumps(list(tasks)))
    return rows_of(path)


def test_spans_and_relations_are_no_answers_about_the_task(tmp_path: Path) -> None:
    relation = {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"}
    (row,) = saved(tmp_path / "x.json", task("Good", span(0), span(4), relation, relation, picked("Positive")))
    assert row.answers == {"sentiment": ["Positive"]}


def test_a_control_that_is_answered_twice_spoils_no_other(tmp_path: Path) -> None:
    comments = [{"from_name": "comment", "type": "textarea", "value": {"text": [text]}} for text in ("a", "b")]
    one, two = saved(tmp_path / "x.json", task("Good", *comments, picked("Positive")), task("Bad", *comments))
    assert one.answers == {"sentiment": ["Positive"], "comment": Unusable("an answer twice")}
    assert two.error == "comment has an answer twice"


@pytest.mark.parametrize("value", ["choices", 7, True, [], ["choices"]])
def test_a_value_that_is_no_object_is_named(tmp_path: Path, value: Any) -> None:
    good = task("Good", picked("Positive"))
    one, bad, two = saved(tmp_path / "x.json", good, task("Bad", {**picked("x"), "value": value}), good)
    assert (one.error, bad.error, two.error) == ("", "sentiment has a value that is no object", "")


@pytest.mark.parametrize("account", [True, [3], {"email": {"of": "ann"}}, {"id": [3]}])
def test_who_is_no_account_is_named(tmp_path: Path, account: Any) -> None:
    (row,) = saved(tmp_path / "x.json", task("Good", picked("Positive"), completed_by=account))
    assert row.error == "completed_by is no account"


def test_what_a_task_says_of_itself_is_nobodys_answer(tmp_path: Path) -> None:
    (row,) = saved(tmp_path / "x.json", task({"text": "Good", "sentiment": "positive"}, span(0)))
    assert row.answers == {}


def test_the_completions_of_old_versions_are_read(tmp_path: Path) -> None:
    old = task("Good", picked("Positive"), created_at=1_590_000_000, updated_at=None)
    old["completions"] = old.pop("annotations")
    (row,) = saved(tmp_path / "x.json", old)
    assert row.values["annotated_at"] == dt.datetime(2020, 5, 20, 18, 40, tzinfo=dt.UTC)
    assert row.answers == {"sentiment": ["Positive"]}


def test_json_min_and_the_flat_csv_say_the_same(tmp_path: Path) -> None:
    flat = {
        "text": "Good",
        "id": 1,
        "sentiment": "Positive",
        "annotator": 3,
        "annotation_id": 1,
        "created_at": "2026-01-01T10:00:00Z",
        "updated_at": "2026-01-02T10:00:00Z",
        "lead_time": 3.5,
    }
    (row,) = saved(tmp_path / "x.json", flat)
    (tmp_path / "x.csv").write_text(f"{','.join(flat)}\n{','.join(map(str, flat.values()))}\n")
    (cells,) = rows_of(tmp_path / "x.csv")
    for values in (in_our_names(row.values), in_our_names(cells.values)):
        said = {name: as_text(values[name]) for name in ("rater", "annotated_at", "seconds", "sentiment")}
        assert said == {"rater": "3", "annotated_at": "2026-01-02T10:00:00Z", "seconds": "3.5", "sentiment": "Positive"}


def test_names_with_capitals_are_found_and_a_column_of_the_very_name_comes_first() -> None:
    values = in_our_names({"Text": "one", " LABEL ": "positive", "text": "two"})
    assert (values["text"], values["label"], values["Text"]) == ("two", "positive", "one")


@pytest.mark.parametrize("value", [b"Good", {"a": 1}, ["a", "b"], 10**5_000, Unusable("nothing")], ids=type)
def test_what_has_no_text_is_named_and_never_guessed(value: Any) -> None:
    with pytest.raises(ValueError, match=r"bytes|values|too long|nothing"):
        as_text(value)


def test_a_value_as_deep_as_it_may_be_is_read() -> None:
    value: Any = "deep"
    for _ in range(100_000):
        value = [value]
    assert as_text(value) == "deep"
