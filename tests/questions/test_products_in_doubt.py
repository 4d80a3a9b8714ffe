"""A question about products where people and models err: several people, wrong labels, gate, shadow, roll-back."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from core.exceptions import PermanentError
from core.refs import ref
from inference import artifacts, resolver
from inference.models import ModelVersion
from labeling import labels
from labeling.models import Label, LabelIssue
from moderation import scoring, shadow
from moderation.decisions import second_reviews, settling
from moderation.models.predictions import Prediction, Scoring
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out
from tests import factories, people
from tests.model_store import tiny_bert
from tests.questions.test_about_products import SHELF, WORDS, shelf
from tests.training.conftest import alone, base
from tests.training.test_label_checks import encoder
from training import label_checks, pipeline, registry, runs
from training.models import EvaluationReport

__all__ = ["alone", "base", "encoder", "shelf"]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def further(shelf: None, tmp_path: Path) -> None:
    """Two people answer each; a new model has to be five points better, and may find few less of any label."""
    gate = "gate: {gain_points: 5, label_margin_points: {kitchen: 20, garden: 20}}"
    (tmp_path / "shelf.yaml").write_text(f"{SHELF}overlap: 2\n{gate}\n")


def _labelled(n: int, *, first: int = 0) -> dict[str, str]:
    """Make `n` labelled products, from number `first`; subject → what each truly is."""
    rng, truth = random.Random(4 + first), {}
    for number in range(first, first + n):
        label = list(WORDS)[number % 2]
        product = factories.product(
            sku=f"S-{number}", title=" ".join(rng.choices(WORDS[label].split(), k=6)), brand="", category="", facts={}
        )
        truth[ref(product)] = label
        labels.record_label(
            "shelf", ref(product), label=label, method="single", quality=1, n_votes=1, at=timezone.now()
        )
    return truth


def test_two_people_agree_or_a_senior_looks() -> None:
    products = [factories.product(title=f"Pan {n}") for n in range(2)]
    settling.open_reviews()
    factories.push_tasks()
    for product, second in zip(products, ("kitchen", "garden"), strict=True):
        lead = ReviewItem.objects.get(about=ref(product))
        for seat, said in ((lead, "kitchen"), (ReviewItem.objects.get(lead=lead), second)):
            factories.answer(seat, people.reviewer(), shelf=said)
    settling.settle_decisions()
    label = Label.objects.get()
    assert (label.subject, label.label, label.n_votes) == (ref(products[0]), "kitchen", 2)
    third = ReviewItem.objects.get(purpose="adjudication")
    assert third.leading.about == ref(products[1])
    factories.push_tasks()
    senior = people.senior()
    item = handing_out.take_escalated(third, user=senior)
    factories.answer(item, senior, shelf="garden")
    settling.settle_decisions()
    assert Label.objects.get(subject=ref(products[1])).label == "garden"


def test_wrong_labels_are_found_and_a_second_person_mends_them(encoder: Any) -> None:
    truth = _labelled(150)
    wrong = set(list(truth)[::13])
    for subject in wrong:
        other = next(label for label in WORDS if label != truth[subject])
        labels.record_label("shelf", subject, label=other, method="single", quality=1, n_votes=1, at=timezone.now())
    label_checks.plan("shelf", reason="a test", actor=people.ml_engineer())
    assert label_checks.run_next()
    found = set(LabelIssue.objects.values_list("subject", flat=True))
    assert len(found & wrong) >= len(wrong) - 1, f"{len(found & wrong)} of {len(wrong)}"
    assert len(found - wrong) <= 5
    assert second_reviews.open_second_reviews() == len(found)
    factories.push_tasks()
    for item in ReviewItem.objects.filter(purpose="second_review"):
        factories.answer(item, people.reviewer(), shelf=truth[item.leading.about])
    settling.settle_decisions()
    mended = {label.subject for label in Label.objects.all() if label.label == truth[label.subject]}
    assert found & wrong <= mended
    assert {LabelIssue.objects.get(subject=subject).status for subject in found & wrong} == {"confirmed"}


@pytest.mark.slow("two models are trained and measured, and three score")
def test_the_gate_lets_one_in_and_refuses_one_that_scores_in_the_shadow_and_all_is_taken_back(
    base: ModelVersion, alone: None, settings: Any, tmp_path: Path
) -> None:
    settings.TRAINING = replace(settings.TRAINING, gate={**settings.TRAINING.gate, "min_test": 40})
    truth = _labelled(300)
    folder = tiny_bert(tmp_path / "classifier", labels=tuple(WORDS))
    guessing = factories.model_version("shelf", artifact_hash=artifacts.store_directory(folder))
    first = _trained()
    report = EvaluationReport.objects.get(version=first)
    assert (report.verdict, report.against) == ("pass", guessing), [r for r in report.reasons if r[0] != "pass"]
    if resolver.find("shelf") == guessing:
        registry.approve(first, actor=people.ml_engineer(), reason="read")
    assert resolver.find("shelf") == first

    truth |= _labelled(20, first=300)
    second = _trained()
    assert second != first
    report = EvaluationReport.objects.get(version=second)
    assert (report.verdict, report.against) == ("fail", first), "as good as the first is not five points better"
    assert resolver.find("shelf") == first
    with pytest.raises(PermanentError):
        registry.promote(second, actor=people.ml_engineer(), reason="all the same")

    while scoring.score():
        pass
    registry.promote(second, alias="challenger", actor=people.ml_engineer(), reason="in the shadow")
    while shadow.score():
        pass
    said = Prediction.objects.filter(question="shelf")
    assert said.filter(model_version=first, is_shadow=False).count() == len(truth)
    assert said.filter(model_version=second, is_shadow=True).count() == len(truth)
    assert not ReviewItem.objects.exists(), "nothing acts on what is said in the shadow"
    compared = shadow.compared(second, first)
    assert compared is not None
    assert (compared.noun, compared.n) == ("products", len(truth))
    assert compared.share > 0.95

    registry.roll_back("shelf", actor=people.ml_engineer(), reason="taken back")
    assert resolver.find("shelf") == guessing
    while scoring.score():
        pass
    assert set(Scoring.objects.values_list("scored_with", flat=True)) == {guessing.pk}
    assert set(Prediction.objects.standing().values_list("model_version", flat=True)) == {guessing.pk}


def _trained() -> ModelVersion:
    run, _ = runs.plan("shelf", reason="a test", actor=people.ml_engineer(), recipe={"method": "characters"})
    assert pipeline.run_next()
    run.refresh_from_db()
    assert run.last_error == ""
    assert run.version is not None
    return run.version
