"""Labels as others write them: each format read row by row, and what is broken in it named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.exceptions import PermanentError
from labeling.exchange import label_studio
from labeling.exchange.formats import format_of, open_file
from labeling.exchange.rows import Row, as_text, spread


def rows_of(path: Path, file_format: str = "") -> list[Row]:
    """All rows of a file."""
    with open_file(path, file_format=file_format or format_of(path)) as reading:
        return list(reading.rows)


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _tasks(path: Path, *tasks: Any) -> Path:
    return _write(path, json.dumps(list(tasks)))


def _picked(label: str, name: str = "sentiment") -> list[dict[str, Any]]:
    return [{"from_name": name, "to_name": "review", "type": "choices", "value": {"choices": [label]}}]


@pytest.mark.parametrize("name", ["x.json", "x.jsonl", "x.csv"])
def test_how_much_was_read_is_told(tmp_path: Path, name: str) -> None:
    text = '[{"data": {}}]' if name == "x.json" else '{"text": 1}\n{"text": 2}\n'
    with open_file(_write(tmp_path / name, text), file_format=format_of(tmp_path / name)) as reading:
        list(reading.rows)
        assert reading.share_read() == 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_may_be_separated_by_any_of_three_signs(tmp_path: Path, delimiter: str) -> None:
    lines = [["text", "label"], ['"Good, and; cheap\nmug"', "positive"], ["Bad", "negative"]]
    (one, two) = rows_of(_write(tmp_path / "x.csv", "\n".join(delimiter.join(line) for line in lines)))
    assert (one.line, one.values) == (2, {"text": "Good, and; cheap\nmug", "label": "positive"})
    assert (two.line, two.values) == (4, {"text": "Bad", "label": "negative"})


def test_a_broken_row_of_a_csv_is_named_and_the_next_one_read(tmp_path: Path) -> None:
    rows = rows_of(_write(tmp_path / "x.csv", "text,label\nGood,positive,1\nBad,negative\n"))
    assert [(row.line, bool(row.error)) for row in rows] == [(2, True), (3, False)]
    assert rows[0].raw == "Good,positive,1"


def test_a_cell_that_was_made_harmless_is_restored(tmp_path: Path) -> None:
    (row,) = rows_of(_write(tmp_path / "x.csv", "text,label\n'=1+1 is two,positive\n"))
    assert row.values["text"] == "=1+1 is two"


def test_jsonl_is_read_line_by_line(tmp_path: Path) -> None:
    rows = rows_of(_write(tmp_path / "x.jsonl", '{"text": "Good", "label": 1}\n\n{"text": \n[1]\n'))
    assert rows[0] == Row(1, {"text": "Good", "label": 1}, raw='{"text": "Good", "label": 1}')
    assert [row.line for row in rows[1:]] == [3, 4]
    assert "no JSON" in rows[1].error
    assert "no JSON object" in rows[2].error


def test_each_annotation_of_a_task_is_a_row_with_its_rater_time_and_answers(tmp_path: Path) -> None:
    task = {
        "id": 7,
        "data": {"text": "Good", "sku": "M-1"},
        "annotations": [
            {
                "result": [
                    *_picked("positive"),
                    {"from_name": "comment", "type": "textarea", "value": {"text": ["ok"]}},
                ],
                "completed_by": {"id": 3, "email": "ann@example.com"},
                "lead_time": 4.5,
                "created_at": "2026-11-01T10:00:00Z",
                "updated_at": "2026-11-02T10:00:00Z",
            },
            {"result": _picked("negative"), "completed_by": 4, "created_at": "2026-11-01T10:00:00Z"},
        ],
    }
    one, two = rows_of(_tasks(tmp_path / "x.json", task))
    assert one.values == {
        "text": "Good",
        "sku": "M-1",
        "sentiment": ["positive"],
        "comment": ["ok"],
        "rater": "ann@example.com",
        "annotated_at": "2026-11-02T10:00:00Z",
        "seconds": 4.5,
    }
    assert (two.line, two.values["sentiment"], two.values["rater"]) == (1, ["negative"], "4")
    assert two.values["annotated_at"] == "2026-11-01T10:00:00Z"


def test_what_is_no_answer_in_label_studio_is_named(tmp_path: Path) -> None:
    answered = {"data": {"text": "Good"}, "annotations": [{"result": _picked("positive")}]}
    skipped = {"data": {"text": "Good"}, "annotations": [{"result": [], "was_cancelled": True}]}
    twice = {"data": {"text": "Good"}, "annotations": [{"result": _picked("positive") * 2}]}
    empty: dict[str, Any] = {"data": {"text": "Good"}, "annotations": []}
    rows = rows_of(_tasks(tmp_path / "x.json", "task", {"id": 1}, empty, skipped, twice, answered))
    assert [row.line for row in rows] == [1, 2, 3, 4, 5, 6]
    reasons = ["no task", "no task", "nobody has answered", "skipped", "twice"]
    assert all(reason in row.error for reason, row in zip(reasons, rows, strict=False))
    assert not rows[5].error


def test_a_pseudonym_that_went_along_counts_until_somebody_changes_the_answer(tmp_path: Path) -> None:
    result = [
        {**part, "meta": {"rater": "rater-1", "annotated_at": "2026-01-01T00:00:00Z"}} for part in _picked("positive")
    ]
    annotation = {"result": result, "completed_by": 9, "updated_at": "2026-02-01T00:00:00Z"}
    changed = {**annotation, "updated_by": 8}
    one, two = rows_of(_tasks(tmp_path / "x.json", {"data": {}, "annotations": [annotation, changed]}))
    assert (one.values["rater"], one.values["annotated_at"]) == ("rater-1", "2026-01-01T00:00:00Z")
    assert (two.values["rater"], two.values["annotated_at"]) == ("8", "2026-02-01T00:00:00Z")


def test_an_array_that_breaks_off_keeps_what_came_before(tmp_path: Path) -> None:
    whole = json.dumps(
        [{"data": {"text": f"Good {n}"}, "annotations": [{"result": _picked("positive")}]} for n in range(9)]
    )
    rows = rows_of(_write(tmp_path / "x.json", whole[:-40]))
    assert [bool(row.error) for row in rows] == [False] * 8 + [True]
    assert (rows[-1].line, "cannot be read" in rows[-1].error) == (9, True)


def test_a_task_of_endless_length_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_studio, "MAX_TASK_BYTES", 200_000)
    short = {"data": {"text": "Good"}, "annotations": [{"result": _picked("positive")}]}
    rows = rows_of(_tasks(tmp_path / "x.json", *[short] * 5_000, {"data": {"text": "x" * 1_000_000}}))
    assert len(rows) == 5_001
    assert "longer than" in rows[-1].error


@pytest.mark.parametrize("text", ['{"data": {}}', "text,label\n"])
def test_a_file_that_is_no_array_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(PermanentError, match="no array"):
        rows_of(_write(tmp_path / "x.json", text))


def test_a_saved_dataset_is_read_with_all_its_splits_and_the_names_of_its_classes(tmp_path: Path) -> None:
    import datasets

    features = datasets.Features(
        {
            "text": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["neg", "pos"]),
            "stars": datasets.Value("int8"),
        }
    )
    split = datasets.Dataset.from_dict(
        {"text": ["Good", "Bad"], "label": [1, 0], "stars": [5, None]}, features=features
    )
    unlabelled = datasets.Dataset.from_dict({"text": ["?"], "label": [-1], "stars": [3]}, features=features)
    datasets.DatasetDict({"train": split, "test": unlabelled}).save_to_disk(str(tmp_path / "d"))
    rows = rows_of(tmp_path / "d")
    assert [(row.line, row.values["label"], row.values["stars"]) for row in rows] == [
        (1, "pos", 5),
        (2, "neg", None),
        (3, None, 3),
    ]
    # One that was picked from is saved as it is read.
    split.select([1]).save_to_disk(str(tmp_path / "e"))
    assert [row.values["text"] for row in rows_of(tmp_path / "e")] == ["Bad"]


def test_a_folder_without_a_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="no saved dataset"):
        rows_of(tmp_path)


def test_a_name_that_says_no_format_needs_one(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="--format"):
        format_of(tmp_path / "labels.txt")
    with pytest.raises(PermanentError, match="no format"), open_file(tmp_path / "x", file_format="ods"):
        pass


def test_a_row_with_a_list_of_votes_is_its_label_and_each_vote() -> None:
    votes = [
        {"rater": "a", "label": "negative", "annotated_at": None, "seconds": 3},
        {"rater": "b", "label": "positive"},
    ]
    row = Row(4, {"text": "Good", "label": "positive", "votes": votes})
    label, one, two = spread(row)
    assert label.values == {"text": "Good", "label": "positive"}
    assert one.values == {"text": "Good", "label": "negative", "rater": "a", "annotated_at": None, "seconds": 3}
    assert (two.line, two.values["label"]) == (4, "positive")
    assert list(spread(Row(4, {**row.values, "votes": json.dumps(votes)}))) == [label, one, two]
    assert next(spread(Row(4, {"votes": "[1"}))).error
    assert list(spread(other := Row(4, {"text": "Good", "votes": 12}))) == [other], "votes of another kind"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (1.0, "1"), (0.5, "0.5"), (float("nan"), ""), (7, "7"), (["one"], "one"), ("x", "x")],
)
def test_values_become_the_text_a_csv_would_have(value: Any, text: str) -> None:
    assert as_text(value) == text


def test_two_values_are_not_one() -> None:
    with pytest.raises(ValueError, match="2 values"):
        as_text(["a", "b"])
