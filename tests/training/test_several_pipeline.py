"""A question with several answers, declared in a file, from labels to a model that serves; one that lost one fails."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import CustomerReview
from core import label_sets
from core.exceptions import PermanentError
from core.refs import ref
from inference import artifacts, loader, resolver
from inference.models import ModelVersion
from labeling.examples import Example
from labeling.models import Label
from labeling.question import question
from questions.declared.schema import parse_declaration
from tests import factories, people
from tests.model_store import PreparedModels, tiny_bert
from training import partition, pipeline, registration, registry, runs, snapshots
from training.models import EvaluationReport, TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("alone", "remarks")]

NAME = "remarks"
DECLARED = """\
name: remarks
title: Remarks
instructions: Tick all that it speaks of.
multiple: true
choices:
  - {value: price, title: Price}
  - {value: quality, title: Quality}
  - {value: delivery, title: Delivery}
"""
WORDS = {
    "price": ["cheap", "costly", "bargain", "overpriced"],
    "quality": ["sturdy", "flimsy", "cracked", "solid"],
    "delivery": ["courier", "delayed", "parcel", "shipping"],
}
SHARES = {"price": 0.45, "quality": 0.4, "delivery": 0.15}
FILLERS = ["the", "mug", "it", "is", "and", "was", "we", "then", "there", "with"]


@pytest.fixture
def remarks(tmp_path: Path, settings: Any) -> None:
    """The question is declared, in a folder that the settings name; few test texts are enough."""
    (tmp_path / f"{NAME}.yaml").write_text(DECLARED)
    settings.QUESTIONS_DIR = str(tmp_path)
    settings.QUESTIONS = {**settings.QUESTIONS, NAME: f"questions.declared.{NAME}"}
    settings.TRAINING = replace(settings.TRAINING, gate={**settings.TRAINING.gate, "min_test": 40})


def text_about(said: Sequence[str], rng: random.Random) -> str:
    words = [rng.choice(WORDS[name]) for name in said for _ in range(2)]
    return " ".join(rng.sample([*words, *rng.choices(FILLERS, k=6)], k=len(words) + 6))


def label_reviews(n: int = 300) -> None:
    """Make `n` labelled reviews, two a product, whose words say what they are about."""
    rng, now = random.Random(5), timezone.now()
    products = [factories.product(sku=f"R-{number}") for number in range(0, n, 2)]
    reviews, labels = list[CustomerReview](), list[Label]()
    for number in range(n):
        said = [name for name in WORDS if rng.random() < SHARES[name]]
        text = f"{text_about(said, rng)} {number}"
        reviews.append(CustomerReview(external_id=f"r-{number}", text=text, product=products[number // 2]))
        labels.append(
            Label(
                question=NAME,
                subject=ref(reviews[-1]),
                label=label_sets.join(said, WORDS),
                method="single",
                n_votes=1,
                labelled_at=now,
                source="label_studio",
            )
        )
    CustomerReview.objects.bulk_create(reviews)
    Label.objects.bulk_create(labels)


def train(**recipe: Any) -> TrainingRun:
    run, _ = runs.plan(NAME, reason="a test", actor=people.ml_engineer(), recipe={"method": "characters", **recipe})
    assert pipeline.run_next()
    run.refresh_from_db()
    assert (run.status, run.last_error) == ("succeeded", "")
    return run


def test_it_goes_from_labels_to_a_model_that_serves_several_answers(base: ModelVersion, client: Client) -> None:
    label_reviews()
    run = train()
    about = run.snapshot.manifest
    assert about["is_several"]
    assert about["labels"] == list(WORDS)
    assert set(about["by_label"]["train"]) == {*WORDS, "none"}
    n_delivery = {part: counts.get("delivery", 0) for part, counts in about["by_label"].items()}
    assert n_delivery["test"] >= 0.2 * sum(n_delivery.values()) - 1, "a rare choice has its share to test by"
    report = EvaluationReport.objects.get()
    assert (report.verdict, report.gate_version) == ("pass", "several-1"), report.reasons
    assert report.metrics["new"]["macro_f1"]["value"] > 0.9
    if resolver.find(NAME) is None:
        registry.approve(run.version, actor=people.ml_engineer(), reason="read")
    serving = loader.load_classifier(resolver.resolve(NAME))
    answers = serving.classify(
        ["cheap and sturdy the mug costly solid", "the mug it is there", "courier delayed parcel"]
    )
    assert [one.label for one in answers] == ["price+quality", "none", "delivery"]
    assert all(one.is_several for one in answers)
    card = (artifacts.root() / f"{run.version.artifact_hash}.card.md").read_text()
    assert "all answers of a text right" in card
    assert "several of them may hold, or none" in card
    assert "said from a probability of" in card
    client.force_login(people.ml_engineer())
    page = client.get(reverse("console:training_run", args=[run.pk]))
    assert page.status_code == 200
    assert b"all answers right" in page.content


def test_a_model_that_lost_a_rare_answer_is_not_let_in(base: ModelVersion) -> None:
    label_reviews()
    first = train()
    if resolver.find(NAME) is None:
        registry.approve(first.version, actor=people.ml_engineer(), reason="read")
    # What is learnt from never speaks of delivery any more; what is tested on still does.
    learnt = [row.subject for part in ("train", "validation") for row in snapshots.read(first.snapshot, part)]
    for label in Label.objects.filter(question=NAME, subject__in=learnt, label__contains="delivery"):
        said = [name for name in label_sets.split(label.label) if name != "delivery"]
        Label.objects.filter(pk=label.pk).update(label=label_sets.join(said, WORDS))
    second = train()
    report = second.version.reports.get()
    assert report.against == first.version
    assert report.verdict == "fail"
    (found,) = [reason for reason in report.reasons if reason[1].startswith("delivery:")]
    assert found[0] == "fail"
    assert found[1].startswith("delivery: finds 0.0% of")
    assert resolver.resolve(NAME) == first.version


@pytest.mark.model
def test_the_frozen_encoder_is_the_default(prepared_models: PreparedModels) -> None:
    stored = prepared_models.folders["encoder"].name
    factories.model_version("encoder", artifact_hash=stored)
    label_reviews()
    run = train(method="auto")
    (part,) = run.version.card["parts"].values()
    assert part["method"] == "head"
    assert set(part["bounds"]) == set(WORDS)
    assert run.version.reports.get().metrics["new"]["macro_f1"]["value"] > 0.7


@pytest.mark.parametrize(
    ("recipe", "told"),
    [({"method": "contrastive"}, "contrastive learns from pairs"), ({"pseudo_labels": 0.9}, "pseudo_labels")],
)
def test_what_needs_one_label_a_text_is_refused_at_once(recipe: dict[str, Any], told: str) -> None:
    with pytest.raises(PermanentError, match=told) as caught:
        runs.plan(NAME, reason="a test", actor=people.ml_engineer(), recipe=recipe)
    assert caught.value.hint


def test_what_was_saved_says_the_same_in_a_process_of_its_own(base: ModelVersion) -> None:
    label_reviews(120)
    report = train().version.reports.get()
    assert ["pass", "the saved model works in a fresh process"] in report.reasons


def test_without_test_texts_nothing_is_told(base: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    label_reviews(80)
    monkeypatch.setattr(partition, "assign", lambda rows: {group: "train" for group, _ in rows})
    report = train().version.reports.get()
    assert report.verdict == "inconclusive"
    assert "0 test texts are too few to tell: 40 are needed" in [words for _, words in report.reasons]
    assert report.metrics["new"] == {"n": 0, "is_several": True}


@pytest.mark.parametrize("recipe", ["method: contrastive", "pseudo_labels: 0.9"])
def test_a_file_that_asks_for_it_is_refused_as_well(recipe: str) -> None:
    with pytest.raises(PermanentError, match="learn one label a text"):
        parse_declaration(f"{DECLARED}recipe:\n  {recipe}\n", name="remarks.yaml")


def test_labels_of_answers_that_are_gone_are_not_learnt() -> None:
    product = factories.product()
    for number, said in enumerate(("price+quality", "none", "price+colour", "", "delivery")):
        review = factories.customer_review(f"the mug {number}", product=product)
        Label.objects.create(
            question=NAME,
            subject=ref(review),
            label=said,
            method="single",
            n_votes=1,
            labelled_at=timezone.now(),
            source="label_studio",
        )
    found = [one.fields["label"] for one in question(NAME).examples() if isinstance(one, Example)]
    assert sorted(found) == ["delivery", "none", "price+quality"]


def test_a_model_of_one_answer_does_not_serve_a_question_of_several(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "model", labels=tuple(WORDS))
    source = registration.Source(str(folder), NAME, ["en"])
    with pytest.raises(PermanentError, match="gives one label a text, and of remarks several may hold"):
        registration.register_source(source, actor=people.ml_engineer())
