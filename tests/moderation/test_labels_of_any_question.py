"""Labels of a declared question come in with files as those of sentiment do, and its raters are measured by it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import LedgerEntry
from catalog.models import CustomerReview, ImportRun
from core.exceptions import PermanentError
from core.refs import ref
from labeling import labels
from labeling.models import Label, Vote
from moderation.label_exchange import agreement
from moderation.label_exchange.approving import ask_our_people
from moderation.label_exchange.importing import File, import_labels, question_of
from moderation.label_exchange.preview import preview_labels
from moderation.label_exchange.records import Rules
from moderation.models.reviews import ReviewItem
from tests import people

pytestmark = pytest.mark.django_db
CHOICES = "choices: [{value: broken, title: Broken}, {value: whole, title: Whole}]"


@pytest.fixture
def declared(tmp_path: Path, settings: Any) -> None:
    """Three questions of a user's own: with one answer, with several, and about drafts."""
    for name, more in (("damage", ""), ("parts", "multiple: true\n"), ("tone", "about: draft\n"), ("title", "")):
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\ntitle: {name}\n{more}{CHOICES}\n")
        settings.QUESTIONS = {**settings.QUESTIONS, name: f"questions.declared.{name}"}
    settings.QUESTIONS_DIR = str(tmp_path)


def save(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def bring(path: Path, question: str = "damage") -> ImportRun:
    return import_labels(File(path, Rules(question=question)), actor=people.ml_engineer())


@pytest.mark.usefixtures("declared")
def test_labels_of_a_declared_question_come_in_and_go_out_again(tmp_path: Path) -> None:
    rows = [
        {"text": "In pieces.", "damage": "broken"},
        {"text": "Fine.", "label": "Whole"},
        {"text": "Good", "label": "positive"},
    ]
    path, out = save(tmp_path / "x.jsonl", rows), io.StringIO()
    call_command("import_labels", str(path), "--question", "damage", "--dry-run", stdout=out)
    assert not Label.objects.exists()
    call_command("import_labels", str(path), "--question", "damage", stdout=out)
    assert out.getvalue().count("1 × the label 'positive' is none of broken, whole") == 1
    assert dict(Label.objects.values_list("label", "question")) == {"broken": "damage", "whole": "damage"}
    call_command("export_labels", str(tmp_path / "y.jsonl"), "--question", "damage", stdout=out)
    Label.objects.all().delete()
    back = bring(tmp_path / "y.jsonl")
    assert (back.n_created, back.n_bad, Label.objects.filter(question="damage").count()) == (2, 0, 2)
    done = LedgerEntry.objects.filter(action="catalog.import.completed").last()
    assert done is not None
    assert (done.payload["kind"], done.payload["question"], done.payload["labels"]) == ("labels", "damage", 2)


@pytest.mark.usefixtures("declared")
def test_one_file_may_answer_two_questions(tmp_path: Path) -> None:
    path = save(tmp_path / "x.jsonl", [{"text": "In pieces.", "damage": "broken", "sentiment": "negative"}])
    assert (bring(path).n_created, bring(path, "sentiment").n_created) == (1, 1)
    assert dict(Label.objects.values_list("question", "label")) == {"damage": "broken", "sentiment": "negative"}
    assert CustomerReview.objects.count() == 1


@pytest.mark.usefixtures("declared")
def test_a_question_may_be_called_what_a_column_is(tmp_path: Path) -> None:
    path = save(tmp_path / "x.jsonl", [{"text": "In pieces.", "title": "Oh no", "label": "broken"}])
    assert bring(path, "title").n_created == 1
    assert CustomerReview.objects.get().title == "Oh no"


@pytest.mark.usefixtures("declared")
@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("tone", "not asked about customer reviews"),
        ("copy_verdict", "not asked about customer reviews"),
        ("validity", "not asked about customer reviews"),
        ("smells", "no question 'smells'"),
        ("../damage", "no question"),
    ],
)
def test_a_question_that_takes_no_file_is_refused_in_words(tmp_path: Path, question: str, told: str) -> None:
    path = save(tmp_path / "x.jsonl", [{"text": "In pieces.", "label": "broken"}])
    for do in (import_labels, preview_labels):
        with pytest.raises(PermanentError, match=told):
            do(File(path, Rules(question=question)), actor=people.ml_engineer())
    with pytest.raises(CommandError, match=told):
        call_command("import_labels", str(path), "--question", question, stdout=io.StringIO())
    assert not ImportRun.objects.exists()


@pytest.mark.usefixtures("declared")
def test_who_may_not_bring_labels_in_may_not_for_a_declared_question_either(tmp_path: Path) -> None:
    path = save(tmp_path / "x.jsonl", [{"text": "In pieces.", "label": "broken"}])
    with pytest.raises(PermissionDenied):
        import_labels(File(path, Rules(question="damage")), actor=people.reviewer())


@pytest.mark.usefixtures("declared")
def test_known_answers_are_of_the_question_asked(tmp_path: Path) -> None:
    path = save(tmp_path / "x.jsonl", [{"text": "In pieces.", "label": "broken"}])
    import_labels(File(path, Rules(question="damage")), gold=True, actor=people.administrator())
    assert list(ReviewItem.objects.values_list("question", "gold_label")) == [("damage", "broken")]


@pytest.mark.usefixtures("declared")
def test_raters_are_measured_by_what_our_people_said_to_the_same_question(tmp_path: Path, settings: Any) -> None:
    said = [("broken", "whole")[i % 2] for i in range(40)]
    rows = [{"text": f"Review {i}", "label": label, "rater": "ann"} for i, label in enumerate(said)]
    run = bring(save(tmp_path / "x.jsonl", rows))
    assert (question_of(run), Vote.objects.filter(question="damage").count()) == ("damage", 40)
    assert ask_our_people(run, n=3, actor=people.administrator()) == 3
    assert set(ReviewItem.objects.values_list("question", flat=True)) == {"damage"}
    for i, label in enumerate(said):
        review = CustomerReview.objects.get(text=f"Review {i}")
        labels.record_vote(
            "damage", ref(review), rater="user:900000071", label=label, purpose="label", at=timezone.now()
        )
        # Their sentiment has nothing to do with it.
        labels.record_vote(
            "sentiment", ref(review), rater="user:900000071", label="neutral", purpose="label", at=timezone.now()
        )
    found = agreement.measure(run)
    assert (found.problem, found.counted.percent.n, found.counted.percent.value) == ("", 40, 1.0)
    # The question goes: the page leads back and says so.
    settings.QUESTIONS = {name: path for name, path in settings.QUESTIONS.items() if name != "damage"}
    client = Client()
    client.force_login(people.senior())
    page = client.get(reverse("console:raters_of_import", args=[run.pk]), follow=True)
    assert page.status_code == 200
    assert "There is no question" in page.content.decode()
