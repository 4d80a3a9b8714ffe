"""Rows that a question left behind that the settings name no more: no task and no page stumbles over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from django.utils import timezone

from core.refs import ref
from ecomsite.celery import app
from labeling.models import Label, LabelCheck, LabelIssue, RaterModel, Vote
from moderation.decisions import second_reviews
from moderation.models.predictions import ScoredQuestion, Scoring
from moderation.models.queues import QueuePolicy
from moderation.models.reviews import ReviewItem
from moderation.queues.rules import policy_for, stored
from questions.models import LabelBefore, QuestionVersion
from tests import factories, people
from tests.questions.test_declared import DAMAGE
from training import runs

pytestmark = pytest.mark.django_db
# What asks other servers, or runs models for minutes.
ELSEWHERE = ("labeling.", "outbox.", "audit.", "monitoring.", "training.train", "moderation.drain_generation")


@pytest.fixture
def gone(tmp_path: Path, settings: Any) -> None:
    """A question was asked, answered, learnt and scored; then its file went."""
    settings.QUESTIONS_DIR, before = str(tmp_path), settings.QUESTIONS
    (tmp_path / "damage.yaml").write_text(DAMAGE)
    settings.QUESTIONS = {**before, "damage": "questions.declared.damage"}
    version = factories.model_version("damage")
    for number, status in enumerate(("waiting", "dispatched", "answered", "escalated", "decided")):
        review = factories.customer_review(f"Text {number}")
        item = second_reviews.open_blind("damage", review, purpose="label", policy=policy_for("damage"))
        factories.push_tasks()
        user = people.reviewer()
        if status not in ("waiting", "escalated"):
            factories.answer(item, user, damage="broken")
        ReviewItem.objects.filter(pk=item.pk).update(status=status, assignee=user if status == "dispatched" else None)
        Label.objects.create(
            question="damage", subject=ref(review), label="broken", method="single", labelled_at=timezone.now()
        )
        Vote.objects.create(
            question="damage", subject=ref(review), rater=f"user:{user.pk}", label="broken", voted_at=timezone.now()
        )
        LabelIssue.objects.create(
            question="damage", subject=ref(review), given="broken", suggested="whole", score=0.1, methods=["loss"]
        )
        Scoring.objects.create(question="damage", subject=ref(review))
        factories.prediction(review, "damage", {"broken": 0.6, "whole": 0.4}, version=version)
    ScoredQuestion.objects.create(question="damage", about="catalog.customerreview", is_complete=True)
    stored("damage")
    QueuePolicy.objects.filter(question="damage").update(paused_at=timezone.now(), max_waiting=1)
    RaterModel.objects.create(question="damage", rater="*", n_votes=3, confusion={}, quality=0.8)
    loaded = QuestionVersion.objects.create(name="damage", number=1, content={}, content_hash="x")
    LabelBefore.objects.create(version=loaded, subject="catalog.customerreview:1", label="broken")
    LabelCheck.objects.create(question="damage")
    runs.plan("damage", reason="a test", actor=people.ml_engineer())
    (tmp_path / "damage.yaml").unlink()
    settings.QUESTIONS = before


@pytest.mark.usefixtures("gone")
@pytest.mark.parametrize(
    "task",
    sorted(
        {entry["task"] for entry in app.conf.beat_schedule.values() if not str(entry["task"]).startswith(ELSEWHERE)}
    ),
)
def test_no_task_stumbles(task: str) -> None:
    app.loader.import_default_modules()
    app.autodiscover_tasks(force=True)
    app.tasks[task].run()


@pytest.mark.usefixtures("gone")
def test_no_page_stumbles() -> None:
    client = Client()
    client.force_login(people.administrator())
    names = {name for name in get_resolver().namespace_dict["console"][1].reverse_dict if isinstance(name, str)}
    pages = [f"console:{name}" for name in sorted(names)]
    pages += [f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist" for model in admin.site._registry]
    bad, seen = [], 0
    for name in pages:
        try:
            address = reverse(name)
        except NoReverseMatch:
            continue
        try:
            status = client.get(address).status_code
        except Exception as exc:
            status = repr(exc)[:200]
        seen += 1
        if status not in (200, 302, 403, 404, 405):
            bad.append((name, status))
    for item in ReviewItem.objects.filter(question="damage"):
        for name in ("panel", "adjudicate"):
            if client.get(reverse(f"console:{name}", args=[item.pk])).status_code != 200:
                bad.append((name, item.status))
    for name in ("label_quality", "review"):
        try:
            status = client.get(reverse(f"console:{name}", args=["damage"])).status_code
        except Exception as exc:
            status = repr(exc)[:200]
        if status not in (200, 302, 404):
            bad.append((name, status))
    assert (bad, seen > 40) == ([], True)
