"""Who is asked something without a model's word cannot look it up elsewhere in the console, or through the API."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from catalog.models import CustomerReview
from ecomsite.console import suggestion
from moderation.decisions import second_reviews
from moderation.models.predictions import Prediction
from moderation.models.reviews import ReviewItem
from moderation.queues import seats
from moderation.queues.blindness import is_blind_to, readable
from moderation.queues.rules import policy_for
from tests import factories, people

pytestmark = pytest.mark.django_db
SENTIMENT = "sentiment"


@pytest.fixture
def scored() -> CustomerReview:
    """A review of which a model said something."""
    review = factories.customer_review("Keeps tea hot.", external_id="r-1")
    factories.sentiment(review, "positive", version=factories.model_version(SENTIMENT))
    return review


@pytest.fixture
def blind(scored: CustomerReview) -> ReviewItem:
    """The same, and somebody is asked about it a second time."""
    return second_reviews.open_blind(SENTIMENT, scored, purpose="second_review", policy=policy_for(SENTIMENT))


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def reads(user: User) -> int:
    """How many predictions `user` may read."""
    return readable(Prediction.objects.all(), reader=user).count()


def sees(user: User) -> tuple[bool, bool, int]:
    """Whether `user` sees the prediction in its list and in that of reviews; and what the API says."""
    client = client_of(user)
    listed = client.get(reverse("admin:moderation_prediction_changelist")).content.decode()
    reviews = client.get(reverse("admin:catalog_customerreview_changelist")).content.decode()
    assert "Keeps tea hot." in reviews
    assert "not scored yet" not in reviews
    api = client.get(reverse("api_sentiment", args=["r-1"]))
    if api.status_code == 403:
        assert api.json()["reason"] == "blind"
    return "catalog.customerreview:" in listed, "positive (90%)" in reviews, api.status_code


def test_who_may_be_next_sees_no_prediction_anywhere(blind: ReviewItem) -> None:
    for user in (people.reviewer(), people.senior()):
        assert sees(user) == (False, False, 403)
    said = Prediction.objects.get()
    client, page = client_of(people.reviewer()), reverse("admin:moderation_prediction_change", args=[said.pk])
    assert client.get(page).status_code == 302, "as if there were none"
    listed = client.get(reverse("admin:catalog_customerreview_changelist"), {"sentiment": "positive"})
    assert "Keeps tea hot." not in listed.content.decode(), "nor is it found by it"


def test_who_judges_nothing_sees_all(blind: ReviewItem) -> None:
    assert sees(people.auditor()) == (True, True, 200)
    assert reads(people.ml_engineer()) == 1


def test_what_somebody_else_holds_or_is_decided_is_shown(blind: ReviewItem) -> None:
    holder, other = people.reviewer(), people.reviewer()
    ReviewItem.objects.filter(pk=blind.pk).update(assignee=holder, status="dispatched")
    assert (reads(holder), reads(other)) == (0, 1)
    ReviewItem.objects.filter(pk=blind.pk).update(status="decided")
    assert (reads(holder), reads(other)) == (1, 1)


def test_another_question_or_subject_is_not_hidden(blind: ReviewItem, scored: CustomerReview) -> None:
    factories.sentiment(factories.customer_review("Broke."), "negative", version=factories.model_version(SENTIMENT))
    factories.prediction(scored, "review_topics", {"price": 0.9}, version=factories.model_version("review_topics"))
    said = readable(Prediction.objects.all(), reader=people.reviewer())
    assert sorted(said.values_list("question", "label")) == [("review_topics", "price"), (SENTIMENT, "negative")]


def test_a_seat_beside_a_decided_item_hides_what_was_suggested_there(scored: CustomerReview) -> None:
    lead = factories.review_item(scored, status="decided", suggestion="positive")
    lead.labeling_task.predictions = [{"model_version": str(Prediction.objects.get().model_version), "result": []}]
    lead.labeling_task.save()
    reviewer, auditor = people.reviewer(), people.auditor()
    assert suggestion.shown_of(lead, reader=reviewer) is not None
    seat = seats.add_seat(lead, purpose="second_review")
    assert not seat.labeling_task.shows_predictions
    assert is_blind_to(reviewer, lead)
    assert (suggestion.shown_of(lead, reader=reviewer), reads(reviewer)) == (None, 0)
    assert suggestion.shown_of(lead, reader=auditor) is not None
    panel = reverse("console:panel", args=[lead.pk])
    assert client_of(people.senior()).get(panel).context["suggestion"] == ""
    assert client_of(auditor).get(panel).context["suggestion"] == "positive"


def test_what_is_asked_with_the_suggestion_hides_nothing(scored: CustomerReview) -> None:
    factories.review_item(scored, suggestion="positive")
    assert reads(people.reviewer()) == 1
