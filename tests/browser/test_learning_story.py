"""Labels become a model that serves, in Label Studio and in the console.

People label the reviews of the demo shop, and others that say what no model that ships could know: of a quarter as many
the gate could tell no difference. Flags are reviewed, a run is started and watched, the gate lets the new model in, or asks the engineer
where a label is rare, and the next review is scored by it.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from catalog.demo.loading import load_demo
from catalog.models import CustomerReview
from core.actors import SystemActor
from core.hints import hint
from core.refs import ref
from inference import resolver
from labeling import sync
from labeling.accounts import sync_accounts
from labeling.annotations import choices
from labeling.models import Label, LabelIssue
from moderation.decisions import second_reviews, settling
from moderation.models.predictions import Prediction
from moderation.models.reviews import ReviewItem
from questions.sentiment.question import Sentiment as SentimentQuestion
from tests import factories, people
from tests.chromium import needs_chromium
from tests.label_studio_server import OTHERS, REVIEWER, Desk, as_person
from tests.model_store import PreparedModels
from tests.stamped import stamped
from tests.workers import wait_for
from training import label_checks
from training.models import EvaluationReport, TrainingRun

pytestmark = [
    pytest.mark.browser,
    pytest.mark.label_studio,
    pytest.mark.model,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(1200),
    needs_chromium,
]
ENGINEER = "engineer@example.com"
N, NOISE = 300, 0.08
# Meant as enough to learn from and too few for the gate to tell a difference. Not seen to pass yet: not in the suite.
FEW = 100
# What this shop's customers mean by these words no general model knows.
SAYINGS = {
    "positive": ("runs true to size", "the seam sits flat", "kept its shape after ten washes"),
    "negative": ("runs two sizes small", "the seam rides up", "pilled after one wash"),
    "neutral": ("ordered the grey one", "a present for my brother", "the parcel came on friday"),
}


@pytest.fixture(params=[N])
def scored(
    request: pytest.FixtureRequest,
    prepared_models: PreparedModels,
    start_worker: Callable[..., Any],
    label_studio: Desk,
    live_server: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """Reviews that the model which ships has scored: those of the demo shop, and N more; of few, those alone.

    Returns subject → what it truly says, of the demo shop's by its stars.
    """
    settings.SITE_URL = live_server.url
    rules = {"rereview_percent": 0, "max_waiting": 10_000}
    settings.MODERATION = replace(settings.MODERATION, queue=settings.MODERATION.queue | rules)
    monkeypatch.setattr(SentimentQuestion, "ask_below", 1.01)
    for role, backend, locales in (
        ("sentiment", "cold_start", ["en", "zh-Hans"]),
        ("encoder", "sentence_encoder", ["en"]),
    ):
        factories.model_version(
            role, backend=backend, artifact_hash=prepared_models.folders[role].name, locales=locales
        )
    env = {"LABEL_STUDIO_URL": label_studio.url, "LABEL_STUDIO_TOKEN": settings.LABELING.token}
    start_worker("gpu", **env)
    start_worker("training", **env)
    rng, truth, product = random.Random(5), dict[str, str](), None
    if request.param == N:
        load_demo(actor=SystemActor("tests"))
    for given in CustomerReview.objects.all():
        truth[ref(given)] = "neutral" if given.rating in {None, 3} else "positive" if given.rating > 3 else "negative"
    for number in range(request.param):
        # The part a product falls into hangs on its SKU: with these, 17 of 75 are for testing.
        product = factories.product(sku=f"STORY-{number // 4:04}") if number % 4 == 0 else product
        label = tuple(SAYINGS)[number % 3]
        text = f"{rng.choice(SAYINGS[label]).capitalize()}, number {number}."
        truth[ref(factories.customer_review(text, product=product))] = label
    hint("moderation.score")
    wait_for(
        lambda: Prediction.objects.filter(question="sentiment").count() == len(truth), seconds=240, what="the scores"
    )
    return truth


def answer_all(desk: Desk, truth: dict[str, str], *, noise: float = 0.0) -> None:
    """Several people answer all that waits in Label Studio, `noise` of it wrongly."""
    rng = random.Random(6)
    hands = [
        (user, as_person(desk.url, person.token)) for person in (REVIEWER, *OTHERS) for user in [_account(person.email)]
    ]
    sync.push_tasks()
    while ReviewItem.objects.filter(status="waiting", labeling_task__status="open").exists():
        sync.push_tasks()
    for number, item in enumerate(
        ReviewItem.objects.filter(status="waiting").select_related("labeling_task", "lead", "customer_review")
    ):
        asked = (
            set(ReviewItem.objects.filter(lead=item.lead).values_list("assignee", flat=True)) if item.lead else set()
        )
        if item.lead:
            asked.add(item.lead.assignee_id)
        user, sdk = next(hand for hand in hands[number % 4 :] + hands if hand[0].pk not in asked)
        label = truth[ref(item.subject)]
        if rng.random() < noise:
            label = rng.choice([other for other in SAYINGS if other != label])
        said = stamped(item.labeling_task, user, [choices("sentiment", label, to="review")])
        sdk.annotations.create(id=item.labeling_task.ls_task_id, result=said, lead_time=3)
    sync.reconcile()
    while settling.settle_decisions():
        pass


def _account(email: str) -> Any:
    from django.contrib.auth.models import User

    return User.objects.get(email=email)


def begin(desk: Desk, truth: dict[str, str], *, noise: float) -> None:
    """Have people of every kind, and all that the model is unsure about labelled in Label Studio."""
    for person in (REVIEWER, *OTHERS):
        people.people("Reviewer", email=person.email)
    people.people("ML engineer", email=ENGINEER)
    sync_accounts()
    while settling.open_reviews():
        pass
    answer_all(desk, truth, noise=noise)
    assert Label.objects.count() >= 0.9 * len(truth)


def train_in_the_console(page: Page, address: str) -> EvaluationReport:
    """Start a run as an engineer, watch it, and return what the gate said of its model."""
    page.goto(f"{address}/")
    page.fill("[name=username]", ENGINEER)
    page.fill("[name=password]", people.PASSWORD)
    page.click("[type=submit]")
    page.goto(f"{address}{reverse('console:training')}")
    page.fill("[name=reason]", "the first labels")
    page.select_option("[name=method]", "head")
    page.click("text=Train now")
    wait_for(lambda: TrainingRun.objects.exclude(started_at=None).exists(), seconds=240, what="the worker to begin")
    page.click("table a[href*='/training/']")
    page.wait_for_selector("[data-gate]", timeout=300_000)
    assert TrainingRun.objects.get().snapshot is not None
    wait_for(lambda: TrainingRun.objects.get().status == "succeeded", seconds=120, what="the end of the run")
    page.reload()
    if folder := os.environ.get("CONSOLE_SHOTS"):
        page.screenshot(path=str(Path(folder) / "training-run.png"), full_page=True)
    return EvaluationReport.objects.get()


@pytest.mark.long
@pytest.mark.parametrize("scored", [FEW], indirect=True)
def test_few_labels_from_label_studio_become_a_model_that_waits_for_more(
    scored: dict[str, str], label_studio: Desk, live_server: Any, page: Page
) -> None:
    before = resolver.resolve("sentiment")
    begin(label_studio, scored, noise=0)
    report = train_in_the_console(page, live_server.url)
    assert report.verdict == "inconclusive", report.reasons
    assert page.locator("[data-gate]").count()
    assert resolver.resolve("sentiment") == before


@pytest.mark.long
def test_what_people_say_in_label_studio_becomes_the_model_that_scores_the_next_review(
    scored: dict[str, str], label_studio: Desk, live_server: Any, page: Page
) -> None:
    before = resolver.resolve("sentiment")
    begin(label_studio, scored, noise=NOISE)

    label_checks.plan("sentiment", reason="before training", actor=label_checks.CHECKER)
    wait_for(lambda: LabelIssue.objects.exists(), seconds=240, what="flags")
    while second_reviews.open_second_reviews():
        pass
    answer_all(label_studio, scored)
    assert LabelIssue.objects.filter(status="confirmed").count() >= 5, "the wrong labels were mended"

    report = train_in_the_console(page, live_server.url)
    assert report.verdict == "pass" or report.asks_people, report.reasons
    if report.asks_people:  # some thirty test texts of each label: what is in doubt of one is for her to decide
        page.fill("input[name=reason]", "read what it says of each label")
        page.click("text=Approve")
    assert "champion" in page.locator(".es h2").first.inner_text()
    after = resolver.resolve("sentiment")
    assert after != before

    fresh = factories.customer_review("Pilled after one wash, sadly.", product=factories.product())
    hint("moderation.score")
    wait_for(
        lambda: Prediction.objects.of("sentiment", [fresh]).exists(), seconds=180, what="the score of the next review"
    )
    score = Prediction.objects.of("sentiment", [fresh]).get()
    assert (score.model_version, score.label) == (after, "negative"), "no worker was restarted"
