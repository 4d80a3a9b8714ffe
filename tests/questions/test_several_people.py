"""Several people on a question with several answers: what all tick is decided; a senior is asked where they differ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import Label, LabelingTask, Vote
from moderation.decisions import settling
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out
from tests import factories, people
from tests.training.test_several_pipeline import DECLARED, NAME

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def asked(tmp_path: Path, settings: Any) -> ReviewItem:
    """One review that two people are asked about."""
    (tmp_path / f"{NAME}.yaml").write_text(DECLARED + "first_labels: 5\noverlap: 2\n")
    settings.QUESTIONS_DIR = str(tmp_path)
    settings.QUESTIONS = {**settings.QUESTIONS, NAME: f"questions.declared.{NAME}"}
    settings.MODERATION = replace(
        settings.MODERATION, queue={**settings.MODERATION.queue, "rereview_percent": 0, "blind_percent": 0}
    )
    factories.customer_review("cheap and sturdy")
    assert settling.open_reviews() == 1
    for number, task in enumerate(LabelingTask.objects.all()):
        LabelingTask.objects.filter(pk=task.pk).update(status="pushed", ls_task_id=900 + number)
    return ReviewItem.objects.get(lead=None)


def says(*answers: str) -> ReviewItem:
    person = people.reviewer()
    item = handing_out.next_item(person)
    assert item is not None
    factories.answer(item, person, **{NAME: list(answers)})
    settling.settle_decisions()
    return item


def test_two_who_tick_the_same_have_decided(asked: ReviewItem, client: Client) -> None:
    says("price", "quality"), says("quality", "price")
    asked.refresh_from_db()
    assert asked.status == "decided"
    held = Label.objects.get(question=NAME)
    assert (held.label, held.n_votes) == ("price+quality", 2)
    assert set(Vote.objects.values_list("label", flat=True)) == {"price+quality"}
    client.force_login(people.ml_engineer())
    page = client.get(reverse("console:label_quality", args=[NAME]))
    assert page.status_code == 200
    assert b"price+quality" in page.content


def test_who_ticks_nothing_says_so_too(asked: ReviewItem) -> None:
    says(), says()
    assert Label.objects.get(question=NAME).label == "none"


def test_where_they_differ_in_one_answer_a_senior_is_asked(asked: ReviewItem) -> None:
    says("price", "quality"), says("price")
    assert not Label.objects.filter(question=NAME).exists()
    assert ReviewItem.objects.get(purpose="adjudication").lead == asked
