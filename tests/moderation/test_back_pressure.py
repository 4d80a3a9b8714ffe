"""While people cannot keep up, drafting waits; orders do not get lost, and everybody is told."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import LedgerEntry
from core.actors import SystemActor
from moderation.decisions import settling
from moderation.drafting import generation, ordering
from moderation.models.candidates import Candidate, GenerationRequest
from moderation.models.queues import QueuePolicy
from moderation.models.reviews import ReviewItem
from moderation.queues import back_pressure, rules
from monitoring import health
from tests import factories, people
from tests.api.test_api import _basic

pytestmark = pytest.mark.django_db
COPY, SENTIMENT = "copy_verdict", "sentiment"


@pytest.fixture(autouse=True)
def _fresh_report() -> None:
    health._latest = None


def fill(n: int, *, limit: int, question: str = COPY) -> None:
    rules.set_policy(question, actor=SystemActor("tests"), max_waiting=limit)
    for _ in range(n):
        factories.review_item(None if question == COPY else factories.customer_review())


def decide(n: int) -> None:
    ids = ReviewItem.objects.filter(status="waiting").values_list("pk", flat=True)[:n]
    ReviewItem.objects.filter(pk__in=list(ids)).update(status="decided")


def order() -> GenerationRequest:
    summary = ordering.request_copy(
        [factories.product()], channels=["description"], locales=["en"], actor=SystemActor("tests")
    )
    return summary.created[0]


def test_drafting_pauses_above_the_limit_and_resumes_by_itself_below_the_lower_mark(script) -> None:
    script()
    fill(11, limit=10)
    waiting = order()
    before = Candidate.objects.count()
    assert generation.drain_generation() == 0
    waiting.refresh_from_db()
    assert (waiting.status, waiting.n_attempts) == ("queued", 0), "nothing was claimed"
    decide(3)
    assert generation.drain_generation() == 0, "8 wait: not below the lower mark yet"
    decide(1)
    assert generation.drain_generation() == 3
    assert Candidate.objects.count() == before + 3
    assert QueuePolicy.objects.get(question=COPY).paused_at is None
    moves = LedgerEntry.objects.filter(action__startswith="moderation.queue.").order_by("seq")
    assert [line.action.rpartition(".")[2] for line in moves] == ["policy_set", "paused", "resumed"]


def test_exactly_the_limit_is_not_above_it_and_zero_is_no_limit(script) -> None:
    fill(5, limit=5)
    assert not back_pressure.is_paused(COPY)
    factories.review_item()
    assert back_pressure.is_paused(COPY)
    rules.set_policy(COPY, actor=SystemActor("tests"), max_waiting=0)
    assert not back_pressure.is_paused(COPY)


def test_a_paused_sentiment_queue_gets_no_more_items_and_keeps_the_scores(sentiment_champion) -> None:
    fill(3, limit=2, question=SENTIMENT)
    factories.sentiment(factories.customer_review(), confidence=0.4, version=sentiment_champion)
    assert settling.open_reviews() == 0
    decide(2)
    assert settling.open_reviews() == 1


def test_everybody_is_told_and_orders_are_still_taken(script) -> None:
    script()
    fill(6, limit=5)
    assert generation.drain_generation() == 0
    engineer, reviewer = people.ml_engineer(), people.reviewer()
    body = json.dumps({"skus": [factories.product().sku]})
    answer = Client().post("/api/v1/requests", body, content_type="application/json", **_basic(engineer))
    assert answer.status_code == 201
    assert "Drafting is paused; orders are kept" in answer.json()["notice"]
    made = answer.json()["created"][0]
    shown = Client().get(f"/api/v1/requests/{made}", **_basic(engineer)).json()
    assert any("Drafting is paused" in words for words in shown["waits_because"])
    client = Client()
    client.force_login(engineer)
    for page in (
        reverse("admin:index"),
        reverse("console:request", args=[made]),
        reverse("console:request_copy"),
        reverse("console:system"),
    ):
        assert "Drafting is paused; orders are kept" in client.get(page).content.decode(), page
    assert "more than 5 items" in Client().get("/readyz").json()["parts"]["queue_copy_verdict"]["words"]
    client.force_login(reviewer)
    ReviewItem.objects.update(status="dispatched")
    nothing = client.get(reverse("console:nothing"), {"question": COPY}).content.decode()
    assert "Drafting is paused" in nothing
