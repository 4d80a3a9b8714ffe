"""A declared question about products goes all the way: asked by lot, shown with facts, answered, learnt, scored."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import Product
from core.refs import ref
from inference import resolver
from inference.models import ModelVersion
from labeling.label_config import check_task, validate
from labeling.models import Label
from labeling.question import question
from labeling.subject import all_subjects
from moderation import scoring
from moderation.decisions import asking_again, settling
from moderation.label_exchange.exporting import export_labels
from moderation.models.predictions import Prediction, Scoring
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out, languages
from monitoring.auditor import people as auditor
from monitoring.auditor.asking import Asked
from tests import factories, people
from tests.training.conftest import alone, base
from training import pipeline, registry, runs, snapshots
from training.models import EvaluationReport

__all__ = ["alone", "base"]
pytestmark = pytest.mark.django_db
SHELF = """\
name: shelf
title: Shelf
about: product
heading: Where does it stand?
choices:
  - {value: kitchen, title: Kitchen}
  - {value: garden, title: Garden}
first_labels: 300
ask_again_when_edited: true
"""
WORDS = {"kitchen": "pan stove oven simmering", "garden": "spade soil hedge watering"}


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, settings: Any) -> None:
    """One question more, about products."""
    (tmp_path / "shelf.yaml").write_text(SHELF)
    settings.QUESTIONS_DIR = str(tmp_path)
    settings.QUESTIONS = {**settings.QUESTIONS, "shelf": "questions.declared.shelf"}


def _asked(product: Product) -> ReviewItem:
    settling.open_reviews()
    factories.push_tasks()
    return ReviewItem.objects.get(question="shelf", about=ref(product), lead=None)


def test_it_is_shown_with_its_facts_and_what_strangers_wrote_is_escaped() -> None:
    product = factories.product(
        title="Pan <script>alert(1)</script>",
        description="<img src=x onerror=alert(2)>",
        image_url="javascript://a()",
        facts={"<b>material": "iron\" onclick='x'"},
    )
    asked = question("shelf")
    validate(asked)
    data = asked.task_data(product)
    check_task(asked, data, asked.suggestions(product, label="garden", model_version="m", score=0.6))
    html = data["product_html"]
    assert "<script>" not in html
    assert "<img" not in html
    assert "javascript:" not in html
    assert "&lt;b&gt;material" in html
    assert "iron&quot; onclick=&#x27;x&#x27;" in html
    product.image_url = 'https://shop.example/a.png?"><script>'
    shown = asked.task_data(product)["product_html"]
    assert 'src="https://shop.example/a.png?&quot;&gt;&lt;script&gt;"' in shown
    assert 'referrerpolicy="no-referrer"' in shown


def test_it_is_drawn_answered_decided_shown_and_taken_out(tmp_path: Path) -> None:
    product = factories.product(sku="P-1", title="Iron pan", price="99.00", facts={"material": "iron"})
    item = _asked(product)
    assert (item.strategy, item.locale, item.value) == ("random", "en", 2)
    factories.answer(item, people.reviewer(), shelf="kitchen")
    assert settling.settle_decisions() == 1
    assert Label.objects.get().label == "kitchen"
    assert ReviewItem.objects.get(pk=item.pk).status == "decided"

    client = Client()
    client.force_login(people.senior())
    for name, key in (("panel", item.pk), ("adjudicate", item.pk), ("contested", None), ("my_work", None)):
        page = client.get(reverse(f"console:{name}", args=[key] if key else []))
        assert page.status_code == 200
        if key:
            assert b"Iron pan" in page.content
    client.force_login(people.administrator())
    for name in ("moderation_reviewitem_changelist", "moderation_decision_changelist"):
        assert b"Iron pan" in client.get(reverse(f"admin:{name}")).content, name
    target = tmp_path / "shelf.jsonl"
    assert export_labels(target, question="shelf", actor=people.ml_engineer()).n_rows == 1
    row = json.loads(target.read_text())
    assert (row["sku"], row["label"], row["text"]) == ("P-1", "kitchen", "Iron pan · Tideway · Kitchen\nmaterial: iron")
    tables = {one.title: one for one in auditor.agreement(Asked()).tables}
    assert [row[0] for row in tables["Shelf: answers that were the label in the end"].rows] == ["en"]


def test_a_product_that_is_gone_breaks_no_page() -> None:
    product = factories.product(title="Iron pan")
    item = _asked(product)
    product.delete()
    client = Client()
    client.force_login(people.administrator())
    assert client.get(reverse("admin:moderation_reviewitem_changelist")).status_code == 200
    for name in ("panel", "adjudicate"):
        assert b"not there any more" in client.get(reverse(f"console:{name}", args=[item.pk])).content


def test_who_reads_one_language_is_offered_products_in_it() -> None:
    here, there = factories.product(title="Pan"), factories.product(title="平底锅", locale="zh-Hans")
    items = {_asked(here).pk: "en", _asked(there).pk: "zh-Hans"}
    reader = people.reviewer()
    languages.set_languages(reader, locales=["zh-Hans"], actor=people.administrator())
    assert [items[item.pk] for item in handing_out.waiting_for(reader)] == ["zh-Hans"]


def test_people_are_asked_again_when_a_product_says_something_else() -> None:
    product = factories.product(title="Iron pan")
    item = _asked(product)
    factories.answer(item, people.reviewer(), shelf="kitchen")
    settling.settle_decisions()
    assert asking_again.ask_again_about_edited() == 0
    Product.objects.filter(pk=product.pk).update(description="For the garden.")
    assert asking_again.ask_again_about_edited() == 1
    item.refresh_from_db()
    assert (item.status, item.strategy, Label.objects.count()) == ("waiting", "edited", 0)
    assert "For the garden." in item.labeling_task.payload["product_html"]
    assert asking_again.ask_again_about_edited() == 0


def test_a_product_is_scored_when_it_comes_and_again_when_it_changes() -> None:
    version = factories.model_version("shelf")
    before = factories.product(title="Iron pan")
    scoring.open_scorings()
    after = factories.product(title="Spade")
    assert set(Scoring.objects.values_list("subject", flat=True)) == {ref(before), ref(after)}
    Scoring.objects.update(scored_with=version.pk)
    for one in (before, after):
        factories.prediction(one, "shelf", {"kitchen": 0.9, "garden": 0.1}, version=version)
    Product.objects.filter(pk=before.pk).update(facts_hash="another")
    Product.objects.filter(pk=after.pk).update(price="3.00")
    assert Prediction.objects.get().subject == ref(after)
    assert Scoring.objects.get(scored_with=None).subject == ref(before)
    after.delete()
    assert not Prediction.objects.exists()
    assert Scoring.objects.count() == 1


def test_the_table_of_each_subject_that_is_scored_as_it_comes_has_the_triggers() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgname LIKE 'moderation_%'")
        there = set(cursor.fetchall())
    for one in all_subjects():
        if one.is_scored_as_it_comes:
            table = one.model._meta.db_table
            for name in ("open_scorings", "score_again", "forget_predictions"):
                assert (table, f"moderation_{name}") in there


@pytest.mark.slow("a model is trained, measured, let in, and scores")
def test_it_is_learnt_measured_let_in_and_serves(base: ModelVersion, alone: None, settings: Any) -> None:
    settings.TRAINING = replace(settings.TRAINING, gate={**settings.TRAINING.gate, "min_test": 40})
    truth = {}
    for number in range(300):
        label = list(WORDS)[number % 2]
        product = factories.product(sku=f"S-{number}", title=f"{WORDS[label]} {number}", facts={"number": str(number)})
        truth[ref(product)] = label
    Label.objects.bulk_create(
        Label(
            question="shelf",
            subject=subject,
            label=label,
            method="single",
            quality=1,
            n_votes=1,
            labelled_at=timezone.now(),
        )
        for subject, label in truth.items()
    )
    run, _ = runs.plan("shelf", reason="a test", actor=people.ml_engineer(), recipe={"method": "characters"})
    assert pipeline.run_next()
    run.refresh_from_db()
    assert (run.status, run.last_error) == ("succeeded", "")
    assert snapshots.labels_of(run.snapshot.task) == ["kitchen", "garden"]
    report = EvaluationReport.objects.get()
    assert report.verdict == "pass", report.reasons
    if resolver.find("shelf") is None:
        registry.approve(run.version, actor=people.ml_engineer(), reason="read")
    came = [factories.product(title=f"{said} new") for said in WORDS.values()]
    while scoring.score():
        pass
    said = dict(Prediction.objects.filter(question="shelf").values_list("subject", "label"))
    assert [said[ref(product)] for product in came] == list(WORDS)
    assert set(said) == {*truth, *map(ref, came)}
