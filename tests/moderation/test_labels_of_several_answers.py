"""Labels of a question with several answers come in from lists, joined texts and a column each, and go out again."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from catalog.models import CustomerReview, ImportRun
from core.exceptions import PermanentError
from core.refs import ref
from labeling.models import Label, LabelIssue
from moderation.label_exchange import agreement
from moderation.label_exchange.importing import File, import_labels
from moderation.label_exchange.preview import preview_labels
from moderation.label_exchange.records import Rules
from moderation.models.reviews import ReviewItem
from tests import people

pytestmark = pytest.mark.django_db
PARTS = """name: parts
title: Parts
multiple: true
choices:
  - {value: quality, title: Quality}
  - {value: price, title: Price}
  - {value: service, title: Service}
"""


@pytest.fixture(autouse=True)
def parts(tmp_path: Path, settings: Any) -> None:
    """A question of a user's own with several answers."""
    (tmp_path / "parts.yaml").write_text(PARTS)
    settings.QUESTIONS_DIR = str(tmp_path)
    settings.QUESTIONS = {**settings.QUESTIONS, "parts": "questions.declared.parts"}


def rows(path: Path, *said: dict[str, Any]) -> Path:
    path.write_text("".join(f"{json.dumps({'text': f'Review {i}', **row})}\n" for i, row in enumerate(said)))
    return path


def table(path: Path, *said: dict[str, str]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["text", *said[0]])
        writer.writeheader()
        writer.writerows({"text": f"Review {i}", **row} for i, row in enumerate(said))
    return path


def bring(path: Path, **rules: Any) -> tuple[ImportRun, list[str]]:
    run = import_labels(File(path, Rules(question="parts", **rules)), actor=people.ml_engineer())
    labels = dict(Label.objects.values_list("subject", "label"))
    return run, [labels[ref(one)] for one in CustomerReview.objects.order_by("text") if ref(one) in labels]


def reasons(path: Path) -> dict[str, tuple[int, int]]:
    return preview_labels(File(path, Rules(question="parts")), actor=people.ml_engineer()).reasons


@pytest.mark.parametrize(
    ("said", "label"),
    [
        (["price", "quality"], "quality+price"),
        (["price"], "price"),
        ([], "none"),
        ("none", "none"),
        ("price+quality", "quality+price"),
        ("Price; quality", "quality+price"),
        ("price|service", "price+service"),
        ("price, price", "price"),
        ('["service", "price"]', "price+service"),
        ('{"choices": ["service"]}', "service"),
        ({"choices": ["service", "quality"]}, "quality+service"),
    ],
)
def test_a_list_or_a_joined_text_is_a_label(tmp_path: Path, said: Any, label: str) -> None:
    assert bring(rows(tmp_path / "x.jsonl", {"parts": said}))[1] == [label]


def test_each_answer_may_have_a_column(tmp_path: Path) -> None:
    path = table(
        tmp_path / "x.csv",
        {"quality": "1", "cost": "yes", "service": "0"},
        {"quality": "", "cost": "0", "service": ""},
        {"quality": "", "cost": "", "service": ""},
        {"quality": "perhaps", "cost": "1", "service": ""},
    )
    run, labels = bring(path, columns={"price": "cost"})
    assert (labels, run.n_bad) == (["quality+price", "none"], 2)
    told = preview_labels(File(path, Rules({"price": "cost"}, question="parts")), actor=people.ml_engineer()).reasons
    assert told == {
        "there is no label": (1, 4),
        "quality says 'perhaps'; of each answer a row says 1 or 0, yes or no": (1, 5),
    }


def test_a_mistake_names_its_line_and_what_is_allowed(tmp_path: Path) -> None:
    path = rows(
        tmp_path / "x.jsonl",
        {"parts": "price+colour"},
        {"parts": ["none", "price"]},
        {"parts": "[price"},
        {"parts": ""},
        {"parts": [["price", "quality"]]},
    )
    assert reasons(path) == {
        "the label 'colour' is none of quality, price, service, none": (1, 1),
        "'none' stands alone, and the row also says price": (1, 2),
        "the list of answers '[price' cannot be read": (1, 3),
        "there is no label": (1, 4),
        "the list of answers has 2 values instead of one": (1, 5),
    }
    assert not Label.objects.exists()
    with pytest.raises(PermanentError, match="There is no field colour") as caught:
        bring(path, columns={"colour": "c"})
    assert "quality, price, service" in str(caught.value)
    with pytest.raises(PermanentError, match="nothing says which columns"):
        bring(table(tmp_path / "y.csv", {"taste": "1"}))


@pytest.mark.parametrize(
    "said", ["   ", "\n", math.nan, None, [None], [""], ",", " ; | ", "[[]]", "{}", {}, [{}], True, "\0"]
)
def test_what_says_nothing_is_no_label_and_never_none(tmp_path: Path, said: Any) -> None:
    path = rows(tmp_path / "x.jsonl", {"parts": said}, {"parts": ["price"]})
    run, labels = bring(path)
    assert (labels, run.n_bad) == (["price"], 1)


def test_a_blank_beside_columns_of_their_own_leaves_the_word_to_them(tmp_path: Path) -> None:
    path = rows(tmp_path / "x.jsonl", {"parts": " ", "price": 1}, {"parts": None, "price": True, "quality": "x"})
    assert bring(path)[1] == ["price", "quality+price"]


@pytest.mark.parametrize("columns", [{"price": "quality"}, {"price": "c", "service": "c"}])
def test_two_answers_are_not_read_from_one_column(tmp_path: Path, columns: dict[str, str]) -> None:
    with pytest.raises(PermanentError, match="Several answers would be read from the column"):
        bring(table(tmp_path / "x.csv", {"quality": "1", "c": "1"}), columns=columns)
    assert not Label.objects.exists()


def test_the_files_own_words_are_mapped_part_by_part(tmp_path: Path) -> None:
    path = rows(tmp_path / "x.jsonl", {"parts": "Preis;Service"}, {"parts": "Qualität, Preis"}, {"parts": "nichts"})
    mapped = {"Preis": "price", "Qualität, Preis": "quality", "nichts": "none"}
    assert bring(path, labels=mapped)[1] == ["price+service", "quality", "none"]


def test_votes_are_counted_answer_by_answer_and_ties_are_put_before_people(tmp_path: Path) -> None:
    said = [("ann", "quality+price"), ("bob", "price"), ("cat", "price+service")]
    tied = [("ann", "price"), ("bob", "quality+price")]
    path = tmp_path / "x.jsonl"
    path.write_text(
        "".join(
            f"{json.dumps({'text': text, 'rater': rater, 'parts': label})}\n"
            for text, votes in (("A", said), ("B", tied))
            for rater, label in votes
        )
    )
    preview = preview_labels(File(path, Rules(question="parts")), actor=people.ml_engineer())
    assert (dict(preview.labels), preview.n_ties) == ({"price": 1}, 1)
    run, labels = bring(path)
    assert (labels, run.counts["ties"]) == (["price"], 1)
    assert Label.objects.get().method == "majority"
    assert LabelIssue.objects.count() == 1
    assert agreement.measure(run).n_votes == 5


def test_what_goes_out_comes_in_again_and_the_command_previews_it(tmp_path: Path) -> None:
    bring(rows(tmp_path / "x.jsonl", {"parts": "price+quality"}, {"parts": "none"}))
    for name in ("y.jsonl", "y.csv", "y.json"):
        call_command("export_labels", str(tmp_path / name), "--question", "parts", stdout=io.StringIO())
        held = Label.objects.all()
        before = list(held.order_by("subject").values_list("label", flat=True))
        held.delete()
        out = io.StringIO()
        call_command("import_labels", str(tmp_path / name), "--question", "parts", "--dry-run", stdout=out)
        assert not Label.objects.exists()
        call_command("import_labels", str(tmp_path / name), "--question", "parts", stdout=out)
        assert list(Label.objects.order_by("subject").values_list("label", flat=True)) == before, name


def test_known_answers_may_be_several(tmp_path: Path) -> None:
    path = rows(tmp_path / "x.jsonl", {"parts": "price+quality"})
    import_labels(File(path, Rules(question="parts")), gold=True, actor=people.administrator())
    assert ReviewItem.objects.get().gold_label == "quality+price"
