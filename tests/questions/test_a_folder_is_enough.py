"""A question that exists in a folder and a line of the settings goes all the way, with no other file changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core.refs import ref
from inference import resolver
from inference.models import ModelVersion
from labeling.label_config import check_task, validate
from labeling.models import Label, LabelingTask
from labeling.question import asked_questions, question
from moderation import scoring
from moderation.decisions import settling
from moderation.models.predictions import Prediction
from moderation.models.reviews import ReviewItem
from moderation.queues import first_labels
from tests import factories, people
from tests.questions.delivery import Delivery
from tests.training.conftest import alone, base
from training import pipeline, registry, runs, snapshots
from training.models import EvaluationReport

__all__ = ["alone", "base"]
pytestmark = pytest.mark.django_db
SAID = {
    "late": "waited weeks delayed again overdue slow carrier",
    "in_time": "arrived early next morning quick prompt courier",
}


@pytest.fixture(autouse=True)
def known(settings: Any) -> None:
    """The settings name one question more."""
    settings.QUESTIONS = {**settings.QUESTIONS, "delivery": "tests.questions.delivery.Delivery"}
    Delivery.acted.clear()


def _reviews(n: int) -> dict[str, str]:
    """Make `n` reviews, five a product; subject → what each truly says."""
    truth: dict[str, str] = {}
    product = None
    for number in range(n):
        product = factories.product(sku=f"D-{number}") if number % 5 == 0 else product
        label = list(SAID)[number % 2]
        truth[ref(factories.customer_review(f"{SAID[label]} the box {number}", product=product))] = label
    return truth


def test_its_page_is_valid_and_its_queue_is_there() -> None:
    asked = question("delivery")
    validate(asked)
    review = factories.customer_review()
    check_task(asked, asked.task_data(review), asked.suggestions(review, label="late", model_version="m", score=0.6))
    assert asked.label_of(asked.parse(asked.result_of("late"), {})) == "late"
    client = Client()
    client.force_login(people.reviewer())
    assert client.get(reverse("console:review", args=["delivery"])).status_code == 200
    client.force_login(people.ml_engineer())
    assert client.get(reverse("console:label_quality", args=["delivery"])).status_code == 200
    assert b"Delivery" in client.get(reverse("console:training")).content


def test_a_review_is_asked_two_questions_and_each_has_its_own_label() -> None:
    review = factories.customer_review(SAID["late"])
    factories.review_item(review)
    assert settling.open_reviews() == 1
    item = ReviewItem.objects.get(question="delivery")
    assert (item.subject, item.strategy, item.labeling_task.project.question) == (review, "random", "delivery")
    factories.push_tasks()
    factories.answer(item, people.reviewer(), delivery="late")
    assert settling.settle_decisions() == 1
    label = Label.objects.get()
    assert (label.question, label.subject, label.label) == ("delivery", ref(review), "late")
    assert Delivery.acted == [ReviewItem.objects.get(pk=item.pk).decisions.get().pk], "what follows from it followed"


@pytest.mark.slow("a model is trained, measured, let in, and scores")
def test_it_is_asked_answered_learnt_measured_let_in_and_serves(base: ModelVersion, alone: None, settings: Any) -> None:
    settings.MODERATION = replace(
        settings.MODERATION, queue={**settings.MODERATION.queue, "rereview_percent": 0, "blind_percent": 0}
    )
    settings.TRAINING = replace(settings.TRAINING, gate={**settings.TRAINING.gate, "min_test": 40})
    truth, reviewer = _reviews(300), people.reviewer()
    while settling.open_reviews():
        assert ReviewItem.objects.filter(question="delivery", status="waiting").count() <= first_labels.AHEAD
        LabelingTask.objects.filter(status="open").update(status="pushed")
        for item in ReviewItem.objects.filter(question="delivery", status="waiting"):
            factories.answer(item, reviewer, delivery=truth[item.about])
        while settling.settle_decisions():
            pass
    assert dict(Label.objects.filter(question="delivery").values_list("subject", "label")) == truth
    run, _ = runs.plan("delivery", reason="a test", actor=people.ml_engineer(), recipe={"method": "characters"})
    assert pipeline.run_next()
    run.refresh_from_db()
    assert (run.status, run.last_error) == ("succeeded", "")
    assert snapshots.labels_of(run.snapshot.task) == ["late", "in_time"]
    report = EvaluationReport.objects.get()
    assert report.verdict == "pass", report.reasons
    if resolver.find("delivery") is None:
        registry.approve(run.version, actor=people.ml_engineer(), reason="read")
    champion = resolver.resolve("delivery")
    came = [factories.customer_review(f"{said} the parcel") for said in SAID.values()]
    while scoring.score():
        pass
    said = {one.subject: one for one in Prediction.objects.filter(question="delivery", model_version=champion)}
    assert [said[ref(review)].label for review in came] == list(SAID)
    assert set(said) == {*truth, *map(ref, came)}, "what was there and what came, each once"
    assert set(question("delivery").opinions([ref(came[0])])[ref(came[0])]) == set(SAID)
    assert not ReviewItem.objects.filter(about__in=map(ref, came)).exists(), "nothing acts on a model's word"


def test_people_are_asked_where_its_model_is_less_sure_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Delivery, "ask_below", 0.75)
    monkeypatch.setattr(Delivery, "first_labels", 0)
    version, product = factories.model_version("delivery"), factories.product(price="99.00")
    unsure = factories.customer_review("hm", product=product)
    for review, odds in ((unsure, 0.6), (factories.customer_review("on the day"), 0.9)):
        factories.prediction(review, "delivery", {"late": odds, "in_time": 1 - odds}, version=version)
    gone = factories.prediction(factories.customer_review("so so"), "delivery", {"lost": 0.5}, version=version)
    assert settling.open_reviews() >= 2
    item = ReviewItem.objects.get(question="delivery", about=ref(unsure))
    assert (item.strategy, item.suggestion, item.uncertainty) == ("uncertain", "late", 0.8)
    assert item.value == 2, "what the product is worth"
    assert item.labeling_task.predictions[0]["score"] == 0.6
    old = ReviewItem.objects.get(about=gone.subject)
    assert (old.suggestion, old.labeling_task.predictions) == ("", []), "an answer that the question has no more"


def test_nothing_else_asks_by_lot() -> None:
    assert {one.name for one in asked_questions() if one.first_labels} == {"delivery"}
