"""What models said, in the console and the API: the answer that stands, and never that of a challenger in its place."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from inference.models import ModelVersion
from tests import factories, people

pytestmark = pytest.mark.django_db
SAD = {"negative": 0.8, "neutral": 0.1, "positive": 0.1}


@pytest.fixture
def auditor() -> Client:
    """An auditor who is signed in."""
    client = Client()
    client.force_login(people.auditor())
    return client


@pytest.fixture
def versions() -> tuple[ModelVersion, ModelVersion]:
    """The champion of sentiment, and its challenger."""
    champion = factories.model_version("sentiment")
    return champion, factories.model_version("sentiment", alias="challenger")


def test_reviews_are_listed_by_the_sentiment_that_stands(auditor: Client, versions: tuple[ModelVersion, ...]) -> None:
    champion, challenger = versions
    happy = factories.customer_review("Keeps tea hot.")
    factories.sentiment(happy, "positive", version=champion)
    factories.prediction(happy, "sentiment", SAD, version=challenger, is_shadow=True)
    factories.sentiment(factories.customer_review("Broke at once."), "negative", version=champion)
    factories.customer_review("Nobody has read this.")
    reviews = reverse("admin:catalog_customerreview_changelist")
    everything = auditor.get(reviews).content.decode()
    assert "positive (90%)" in everything
    assert "not scored yet" in everything
    negative = auditor.get(reviews, {"sentiment": "negative"}).content.decode()
    assert "Broke at once." in negative
    assert "Keeps tea hot." not in negative, "a challenger said so, and nothing acts on it"


def test_every_prediction_is_listed_shadows_too(auditor: Client, versions: tuple[ModelVersion, ...]) -> None:
    review = factories.customer_review("Keeps tea hot.")
    factories.sentiment(review, "positive", version=versions[0])
    factories.prediction(review, "sentiment", SAD, version=versions[1], is_shadow=True)
    page = auditor.get(reverse("admin:moderation_prediction_changelist"))
    assert page.content.decode().count(f"catalog.customerreview:{review.pk}") >= 2
    assert "80%" in page.content.decode()
    nobody = Client()
    nobody.force_login(people.outsider())
    assert nobody.get(reverse("admin:moderation_prediction_changelist")).status_code == 403


def test_a_draft_shows_what_the_champions_said(auditor: Client) -> None:
    judge, rival = factories.model_version("validity"), factories.model_version("validity", alias="challenger")
    draft = factories.candidate(status="in_review")
    factories.validity(draft, 0.83, version=judge)
    factories.validity(draft, 0.07, version=rival, is_shadow=True)
    page = auditor.get(reverse("console:candidate", args=[draft.pk])).content.decode()
    assert "Judge of descriptions" in page
    assert "83" in page
    assert str(judge) in page
    assert str(rival) not in page


def test_the_api_tells_what_stands_after_a_new_champion_and_after_the_way_back(
    auditor: Client, versions: tuple[ModelVersion, ...]
) -> None:
    champion, challenger = versions
    review = factories.customer_review("Keeps tea hot.", external_id="r-1")
    address = reverse("api_sentiment", args=["r-1"])
    factories.prediction(review, "sentiment", SAD, version=challenger, is_shadow=True)
    assert auditor.get(address).json()["reason"] == "not_scored"
    factories.sentiment(review, "positive", version=champion)
    assert auditor.get(address).json()["model"]["version"] == champion.number
    newer = factories.model_version("sentiment")
    factories.sentiment(review, "neutral", version=newer)
    assert (auditor.get(address).json()["label"], auditor.get(address).json()["model"]["version"]) == (
        "neutral",
        newer.number,
    )
    factories.Scoring.objects.update(scored_with=champion.pk)  # what the scorer does after a roll-back
    assert auditor.get(address).json()["label"] == "positive"
