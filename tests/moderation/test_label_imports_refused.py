"""What an import of labels refuses as a whole or row by row, and how a person is told."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DataError

from catalog.models import ImportRun
from core.actors import SystemActor
from core.exceptions import PermanentError
from labeling import labels
from labeling.models import Label, Vote
from moderation.label_exchange.importing import File, import_labels
from tests.label_studio_exports import picked, task

pytestmark = pytest.mark.django_db
ACTOR = SystemActor("tests")
GOOD = task("Good", picked("Positive"))


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-05:00", "0001-01-01", 10**11, -(10**11)]
)
def test_a_date_that_could_not_be_read_back_is_named(tmp_path: Path, at: Any) -> None:
    (tmp_path / "x.json").write_text(json.dumps([GOOD, task("Odd", picked("Negative"), updated_at=at)]))
    run = import_labels(File(tmp_path / "x.json"), actor=ACTOR)
    assert (run.n_created, run.n_bad) == (1, 1)
    assert "annotated_at" in Path(run.error_file).read_text()
    assert [vote.voted_at.year for vote in Vote.objects.all()] == [2026]


def test_a_row_that_the_database_refuses_costs_itself_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take_in = labels.upsert_imported

    def strict(question: str, brought: Any, **more: Any) -> Any:
        brought = list(brought)
        if any(one.label == "neutral" for one in brought):
            raise DataError("out of range")
        return take_in(question, brought, **more)

    monkeypatch.setattr(labels, "upsert_imported", strict)
    tasks = [task(f"Text {n}", picked("Neutral" if n == 2 else "Positive")) for n in range(5)]
    (tmp_path / "x.json").write_text(json.dumps(tasks))
    run = import_labels(File(tmp_path / "x.json"), actor=ACTOR)
    assert (run.status, run.n_created, run.n_bad, Label.objects.count()) == ("completed", 4, 1, 4)
    assert "\r\n3," in Path(run.error_file).read_bytes().decode()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.jsonl", '{"text": "Good", "label": "splendid"}\n'),
        ("x.json", '[{"id": 1}]'),
        ("x.csv", "text,label\nGood,splendid\n"),
    ],
)
def test_an_import_of_which_nothing_was_taken_fails(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(CommandError, match="not one row"):
        call_command("import_labels", str(tmp_path / name), stdout=io.StringIO())
    assert ImportRun.objects.get().n_bad == 1


def test_a_file_that_breaks_off_fails_and_what_came_before_is_in(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps([GOOD, GOOD])[:-10])
    with pytest.raises(PermanentError, match="could not be read to its end"):
        import_labels(File(tmp_path / "x.json"), actor=ACTOR)
    assert (Label.objects.count(), ImportRun.objects.get().status) == (1, "failed")


@pytest.mark.parametrize(
    "data",
    [
        b"sep=;\r\ntext;label\r\nGood;positive\r\n",
        b"text,label\rGood,positive\r",
        "\ufeffText;Label\r\nGood;Positive\r\n".encode(),
    ],
)
def test_the_ways_in_which_spreadsheets_save_are_read(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(data)
    assert import_labels(File(tmp_path / "x.csv"), actor=ACTOR).n_created == 1
    assert Label.objects.get().label == "positive"


def test_a_workbook_under_another_name_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    with pytest.raises(PermanentError, match="Excel workbook"):
        import_labels(File(tmp_path / "x.csv"), actor=ACTOR)


def test_names_of_files_may_hold_any_byte(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/n\xe9me.jsonl"))
    path.write_text('{"text": "Good", "label": "positive"}\n')
    out = io.StringIO()
    call_command("import_labels", str(path), stdout=out)
    assert ImportRun.objects.get().n_created == 1
    out.getvalue().encode()


def test_a_folder_with_such_a_name_in_it_is_read_and_one_of_such_a_name_told(tmp_path: Path) -> None:
    import datasets

    datasets.Dataset.from_dict({"text": ["Bad"], "label": ["negative"]}).save_to_disk(str(tmp_path / "d"))
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/d/\xff")).touch()
    call_command("import_labels", str(tmp_path / "d"), stdout=io.StringIO())
    assert Label.objects.get().label == "negative"
    folder = (tmp_path / "d").rename(os.fsdecode(os.fsencode(tmp_path) + b"/d\xe9"))
    with pytest.raises(CommandError, match="no saved dataset"):
        call_command("import_labels", str(folder), stdout=io.StringIO())


def test_a_name_too_long_is_told_without_a_traceback(tmp_path: Path) -> None:
    for name in ("x" * 300, "x" * 300 + ".jsonl", "x" * 5_000):
        with pytest.raises(CommandError):
            call_command("import_labels", str(tmp_path / name), stdout=io.StringIO())
