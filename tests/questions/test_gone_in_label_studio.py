"""Answers to a question that is gone, in a real Label Studio: they hold up no others, and nothing fails."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from labeling import drift, sync
from labeling.accounts import sync_accounts
from labeling.annotations import choices
from labeling.models import Drift, Label
from moderation.decisions import second_reviews, settling
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out
from moderation.queues.rules import policy_for
from tests import factories, people
from tests.label_studio_server import REVIEWER, Desk
from tests.stamped import give

pytestmark = [pytest.mark.label_studio, pytest.mark.django_db(transaction=True)]
KINDS = ("delivery", "sentiment")
TICKED = {"delivery": "late", "sentiment": "negative"}


def test_the_answers_to_others_are_pulled_and_decided(label_studio: Desk, settings: Any) -> None:
    before = settings.QUESTIONS
    settings.QUESTIONS = {**before, "delivery": "tests.questions.delivery.Delivery"}
    user = people.people("Reviewer", email=REVIEWER.email)
    sync_accounts()
    for question in KINDS:
        review = factories.customer_review(f"Asked about {question}")
        with transaction.atomic():
            second_reviews.open_blind(question, review, purpose="label", policy=policy_for(question))
    sync.push_tasks()
    for question in KINDS:
        item = handing_out.next_item(user, question=question)
        assert item is not None
        assert item.labeling_task is not None
        answer = [choices(question, TICKED[question], to="review")]
        give(label_studio, item.labeling_task, answer, by=REVIEWER, lead_time=2.0)
    gone = ReviewItem.objects.get(question="delivery").labeling_task
    Drift.objects.create(
        what=Drift.What.TASK,
        subject=str(gone.ls_task_id),
        project=gone.project,
        words="changed",
        found_at=timezone.now(),
    )
    settings.QUESTIONS = before
    assert sync.reconcile() >= 1
    drift.look()
    settling.settle_decisions()
    assert [(label.question, label.label) for label in Label.objects.all()] == [("sentiment", "negative")]
    assert Drift.objects.get(project=gone.project).mended_at is None, "it is seen to when its question is back"
    assert ReviewItem.objects.get(question="delivery").status == "dispatched"
