"""Labels of a declared question come in with files as those of sentiment do, and its raters are measured by it."""

from __future__ import annotations

import io
import json
import uuid
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
from moderation.label_exchange.exporting import export_labels
from moderation.label_exchange.importing import File, import_labels, question_of
from moderation.label_exchange.preview import preview_labels
from moderation.label_exchange.records import Rules
from moderation.models.reviews import ReviewItem
from tests import factories, people

pytestmark = pytest.mark.django_db
CHOICES = "choices: [{value: broken, title: Broken}, {value: whole, title: Whole}]"


@pytest.fixture
def declared(tmp_path: Path, settings: Any) -> None:
    """Questions of a user's own: with one answer, with several, about drafts and about products."""
    for name, more in (
        ("damage", ""),
        ("parts", "multiple: true\n"),
        ("tone", "about: draft\n"),
        ("title", ""),
        ("shelf", "about: product\n"),
    ):
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
        ("copy_verdict", "is not answered by files"),
        ("validity", "is not answered by files"),
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


@pytest.mark.usefixtures("declared")
def test_labels_of_products_come_in_by_sku_and_by_what_an_export_says(tmp_path: Path) -> None:
    mug, pan = factories.product(sku="MUG-1"), factories.product(sku="PAN-1")
    rows = [
        {"sku": "MUG-1", "shelf": "broken", "rater": "ann"},
        {"subject": ref(pan), "shelf": "whole"},
        {"sku": "GONE-1", "shelf": "whole"},
        {"text": "In pieces.", "shelf": "whole"},
        {"subject": f"catalog.customerreview:{uuid.uuid4()}", "shelf": "whole"},
    ]
    path = save(tmp_path / "x.jsonl", rows)
    preview = preview_labels(File(path, Rules(question="shelf")), actor=people.ml_engineer())
    assert (preview.n_known, preview.n_new, preview.n_bad) == (2, 0, 3)
    run = bring(path, "shelf")
    assert (run.n_created, run.n_bad) == (2, 3)
    told = Path(run.error_file).read_text()
    for reason in ("there is no product GONE-1", "nothing says which product", "is no product"):
        assert reason in told
    assert dict(Label.objects.values_list("subject", "label")) == {ref(mug): "broken", ref(pan): "whole"}
    assert not CustomerReview.objects.exists(), "none is made"
    again = tmp_path / "again.jsonl"
    export_labels(again, question="shelf", with_votes=True, actor=people.ml_engineer())
    assert bring(again, "shelf").n_bad == 0
    assert dict(Label.objects.values_list("subject", "label")) == {ref(mug): "broken", ref(pan): "whole"}


@pytest.mark.usefixtures("declared")
def test_labels_of_drafts_come_in_by_id(tmp_path: Path) -> None:
    draft = factories.candidate(status="in_review")
    rows = [{"id": str(draft.pk).upper(), "tone": "whole"}, {"id": "seven", "tone": "whole"}]
    run = bring(save(tmp_path / "x.jsonl", rows), "tone")
    assert dict(Label.objects.values_list("subject", "label")) == {ref(draft): "whole"}
    assert "the id 'seven' is none of a draft" in Path(run.error_file).read_text()


@pytest.mark.usefixtures("declared")
def test_a_file_that_names_no_product_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("text,shelf\nA mug.,whole\n")
    with pytest.raises(PermanentError, match="which columns are the sku and the label"):
        bring(path, "shelf")
    with pytest.raises(PermanentError, match="There is no field title"):
        import_labels(File(path, Rules({"title": "text"}, question="shelf")), actor=people.ml_engineer())


@pytest.mark.usefixtures("declared")
def test_our_people_are_asked_about_products_of_a_file_and_tested_with_them(tmp_path: Path) -> None:
    """By lot, without the label; and with a known answer, those whom nobody was asked about before."""
    shelf = [factories.product(sku=f"S-{number}") for number in range(4)]
    rows = [{"sku": one.sku, "shelf": "whole", "rater": "ann"} for one in shelf]
    run = bring(save(tmp_path / "x.jsonl", rows), "shelf")
    assert agreement.measure(run).can_ask
    assert ask_our_people(run, n=3, actor=people.administrator()) == 3
    assert agreement.askable(run).count() == 1
    assert set(ReviewItem.objects.values_list("question", "purpose")) == {("shelf", "label")}
    path = save(tmp_path / "y.jsonl", [{"sku": one.sku, "shelf": "whole"} for one in shelf])
    import_labels(File(path, Rules(question="shelf")), gold=True, actor=people.administrator())
    gold = ReviewItem.objects.exclude(gold_label="")
    assert [item.gold_label for item in gold] == ["whole"], "the others were asked about before"
