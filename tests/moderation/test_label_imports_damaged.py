"""Files of labels that are not what they should be: what can be taken is, the rest is named, and nothing is guessed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.models import CustomerReview, ImportRun
from core.actors import SystemActor
from core.exceptions import PermanentError
from core.refs import ref
from labeling.models import Label, Vote
from moderation.label_exchange.importing import File, import_labels
from moderation.label_exchange.preview import preview_labels
from moderation.label_exchange.records import CORRECTED, Rules
from tests.label_studio_exports import picked, span, task, tasks_of

pytestmark = pytest.mark.django_db
ACTOR = SystemActor("tests")


def bring(path: Path, **rules: Any) -> ImportRun:
    """Import a file."""
    return import_labels(File(path, Rules(**rules)), actor=ACTOR)


def ascii_of(value: str) -> str:
    """The name of a case."""
    return ascii(value[:12])


def saved(path: Path, *tasks: Any) -> Path:
    """An export of `tasks` at `path`."""
    path.write_text(json.dumps(list(tasks)))
    return path


def reasons(run: ImportRun) -> dict[int, str]:
    """Line → why it was not taken."""
    if not run.error_file:
        return {}
    with Path(run.error_file).open(newline="") as stream:
        return {int(row["line"]): row["reason"] for row in csv.DictReader(stream)}


def labelled() -> dict[str, str]:
    """Text → label."""
    texts = {ref(review): review.text for review in CustomerReview.objects.all()}
    return {texts[subject]: label for subject, label in Label.objects.values_list("subject", "label")}


# --- Label Studio ------------------------------------------------------------------------------------------------


def test_a_value_of_another_kind_costs_its_own_task_alone(tmp_path: Path) -> None:
    broken = {**picked("Positive"), "value": "choices"}
    path = saved(
        tmp_path / "x.json", task("Good", picked("Positive")), task("Odd", broken), task("Bad", picked("Negative"))
    )
    run = bring(path)
    assert reasons(run) == {2: "sentiment has a value that is no object"}
    assert labelled() == {"Good": "positive", "Bad": "negative"}
    assert bring(path).n_unchanged == 2, "and again"


def test_spans_beside_the_answer_take_nothing_from_it(tmp_path: Path) -> None:
    relation = {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"}
    run = bring(
        saved(
            tmp_path / "x.json",
            task("One span", span(0), picked("Positive")),
            task("Two spans", span(0), span(4), picked("Negative")),
            task("Relations", span(0), relation, relation, picked("Neutral")),
            task("Two answers", picked("Positive"), picked("Negative")),
        )
    )
    assert labelled() == {"One span": "positive", "Two spans": "negative", "Relations": "neutral"}
    assert reasons(run) == {4: "sentiment has an answer twice"}


def test_a_task_that_brings_a_label_along_has_nobody_who_gave_it(tmp_path: Path) -> None:
    prelabelled = {"text": "Good", "sentiment": "positive", "label": "positive"}
    run = bring(saved(tmp_path / "x.json", task(prelabelled, {**picked("x"), "from_name": "mood"})))
    assert reasons(run) == {1: "nothing answers sentiment or label; answered: mood"}
    assert not Vote.objects.exists()


@pytest.mark.parametrize("name", ["x.json", "x.csv"])
def test_flat_exports_are_the_votes_of_those_who_annotated(tmp_path: Path, name: str) -> None:
    rows = [
        {
            "text": "Meh",
            "id": 1,
            "sentiment": said,
            "annotator": who,
            "annotation_id": who,
            "created_at": "2026-01-02T10:00:00Z",
            "updated_at": "2026-01-02T10:00:00Z",
            "lead_time": 3.1,
        }
        for who, said in ((1, "Positive"), (2, "Negative"), (3, "Negative"))
    ]
    path = tmp_path / name
    if name.endswith("json"):
        saved(path, *rows)
    else:
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    run = bring(path)
    assert (run.n_bad, run.n_duplicates, Vote.objects.count()) == (0, 0, 3)
    assert labelled() == {"Meh": "negative"}
    assert Vote.objects.filter(seconds=3.1, voted_at="2026-01-02T10:00:00Z").count() == 3


def answer(label: str, day: int, who: int = 1, **more: Any) -> dict[str, Any]:
    """An annotation of account `who` on a day of January."""
    at = f"2026-01-{day:02}T10:00:00Z"
    return {"result": [picked(label)], "completed_by": who, "created_at": at, "updated_at": at, **more}


@pytest.mark.parametrize("days", [(3, 9), (9, 3)])
def test_of_one_persons_answers_the_later_one_counts(tmp_path: Path, days: tuple[int, int]) -> None:
    labels = {day: "Negative" if day == max(days) else "Positive" for day in days}
    annotations = [
        answer(labels[days[0]], days[0]),
        answer("Neutral", 5, who=2),
        answer("x", 7, was_cancelled=True),
        answer(labels[days[1]], days[1]),
    ]
    run = bring(saved(tmp_path / "x.json", tasks_of("Meh", annotations[:1] + annotations[2:])))
    assert labelled() == {"Meh": "negative"}
    assert (run.n_bad, Vote.objects.get().label) == (2, "negative")
    assert CORRECTED in Path(run.error_file).read_text()
    preview = preview_labels(File(saved(tmp_path / "y.json", tasks_of("Meh", annotations))), actor=ACTOR)
    assert (preview.n_rows, preview.n_bad, preview.n_ties) == (4, 2, 1)


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_without_times_the_later_row_is_the_later_answer(tmp_path: Path, name: str) -> None:
    if name == "x.json":
        undated = {"created_at": None, "updated_at": None}
        saved(tmp_path / name, tasks_of("Meh", [{**answer(label, 1), **undated} for label in ("Positive", "Negative")]))
    else:
        rows = [{"text": "Meh", "label": label, "rater": "a"} for label in ("positive", "negative", "negative")]
        (tmp_path / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    run = bring(tmp_path / name)
    assert (labelled(), run.n_bad, run.n_duplicates) == ({"Meh": "negative"}, 1, int(name == "x.jsonl"))


def test_the_completions_of_old_versions_come_in(tmp_path: Path) -> None:
    old = task("Good", picked("Positive"), created_at=1_590_000_000, updated_at=None)
    old["completions"] = old.pop("annotations")
    bring(saved(tmp_path / "x.json", old))
    assert (labelled(), Vote.objects.get().voted_at.year) == ({"Good": "positive"}, 2020)


def test_numbers_beyond_64_bits_end_nothing(tmp_path: Path) -> None:
    tasks = [{**task(f"Text {n}", picked("Positive"), id=2**80, completed_by=2**70), "id": 10**30} for n in range(3)]
    assert (bring(saved(tmp_path / "x.json", *tasks)).n_bad, len(labelled())) == (0, 3)


@pytest.mark.parametrize(
    "value", ["1e999", "1e9999999", "1e-9999999", "9" * 4_000, "-0.0", "123456789012345678901234567890.5"], ids=ascii_of
)
@pytest.mark.parametrize(
    "name", ["seconds", "rating", "annotated_at", "rater", "external_id", "label", "title", "text"]
)
def test_a_number_of_any_size_is_taken_or_named(tmp_path: Path, value: str, name: str) -> None:
    path = tmp_path / "x.jsonl"
    row = {"text": "Odd", "label": "negative", "rater": "a", name: "VALUE"}
    path.write_text(
        json.dumps(row).replace('"VALUE"', value) + '\n{"text": "Good", "label": "positive", "rater": "b"}\n'
    )
    assert bring(path).n_rows == 2
    assert labelled()["Good"] == "positive"


# --- Anything over-long, and NUL ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["text", "title", "sku", "external_id", "subject", "locale", "rating", "rater", "annotated_at", "seconds", "label"],
)
@pytest.mark.parametrize(
    "value", ["x" * 100_000, "a\x00b", "\x00", "\ud800", "9" * 400, "\u202e", "1e400"], ids=ascii_of
)
def test_what_is_too_long_or_cannot_be_stored_is_named_and_stops_nothing(tmp_path: Path, name: str, value: str) -> None:
    path = tmp_path / "x.jsonl"
    rows = [{"text": "Odd", "label": "negative", "rater": "a", name: value}, {"text": "Good", "label": "positive"}]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    run = bring(path)
    assert run.n_rows == 2
    assert labelled()["Good"] == "positive"
    assert bring(path).n_created == 0


# --- Spreadsheets ------------------------------------------------------------------------------------------------


def test_a_header_with_capitals_is_understood(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("Text,Label,Rater\nGood,Positive,ann\n")
    bring(tmp_path / "x.csv")
    assert (labelled(), Vote.objects.count()) == ({"Good": "positive"}, 1)


@pytest.mark.parametrize(
    "data",
    [
        "\ufefftext;label\r\nGood, and cheap;positive\r\n".encode(),
        b"text\tlabel\nGood, and cheap\tpositive\n",
    ],
)
def test_what_a_spreadsheet_saved_as_csv_is_read(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(data)
    bring(tmp_path / "x.csv")
    assert labelled() == {"Good, and cheap": "positive"}


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("x.xlsx", b"PK\x03\x04 xl/workbook.xml", "workbook"),
        ("x.xls", b"\xd0\xcf\x11\xe0", "workbook"),
        ("x.csv", "text,label,größe\nGood,positive,1\n".encode("cp1252"), "UTF-8"),
        ("x.json", b'{"text": "Good", "label": "positive"}\n', "--format jsonl"),
        ("x.csv", b"body,stars\nGood,5\n", "--column label=stars"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_and_the_way_out(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(PermanentError, match=said):
        bring(tmp_path / name)
    assert not ImportRun.objects.exists()


def test_a_label_or_a_language_that_is_unknown_is_named(tmp_path: Path) -> None:
    rows = [
        {"text": "Gut", "label": "positive", "locale": "de"},
        {"text": "Bien", "label": "positive", "language": "fr"},
        {"text": "Good", "label": "pos"},
        {"text": "Good", "label": 1},
        {"text": "Good", "label": True},
    ]
    (tmp_path / "x.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    run = bring(tmp_path / "x.jsonl")
    assert (run.n_bad, labelled()) == (5, {})
    assert "'de' is none of" in reasons(run)[1]
    assert "'fr' is none of" in reasons(run)[2]


# --- Datasets ----------------------------------------------------------------------------------------------------


def test_a_time_that_no_calendar_has_costs_its_own_row_of_a_dataset(tmp_path: Path) -> None:
    import datasets
    import pyarrow as pa

    table = pa.table(
        {
            "text": ["Good", "Odd", "Bad"],
            "label": ["positive", "neutral", "negative"],
            "annotated_at": pa.array([1, 2**62, 2], pa.timestamp("s", tz="UTC")),
        }
    )
    datasets.Dataset(table).save_to_disk(str(tmp_path / "d"))
    run = bring(tmp_path / "d")
    assert labelled() == {"Good": "positive", "Bad": "negative"}
    assert list(reasons(run)) == [2]


def test_bytes_are_no_text(tmp_path: Path) -> None:
    import datasets

    datasets.Dataset.from_dict({"text": [b"Good"], "label": ["positive"]}).save_to_disk(str(tmp_path / "d"))
    assert reasons(bring(tmp_path / "d")) == {1: "text has bytes instead of text"}


def test_a_folder_that_only_looks_like_a_dataset_is_refused(tmp_path: Path) -> None:
    for text in ("[]", "{}", "nothing", '{"_data_files": [{"filename": "x.arrow"}]}'):
        (tmp_path / "state.json").write_text(text)
        (tmp_path / "dataset_info.json").write_text(text)
        with pytest.raises(PermanentError, match="no saved dataset"):
            bring(tmp_path)


# --- The command -------------------------------------------------------------------------------------------------


def test_a_dry_run_of_a_file_of_which_nothing_can_be_taken_fails(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"text": "Good", "label": "splendid"}\n')
    out = io.StringIO()
    with pytest.raises(CommandError, match="not one row"):
        call_command("import_labels", str(tmp_path / "x.jsonl"), "--dry-run", stdout=out)
    assert "splendid" in out.getvalue()
