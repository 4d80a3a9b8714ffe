"""The console about hidden reviews: the list, the buttons and who may press them, the pages of what is contested and of the auditor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from catalog.models import HiddenReview
from moderation.decisions import appeals
from moderation.models.appeals import Appeal
from moderation.models.reviews import ReviewItem
from monitoring.auditor.asking import Asked
from monitoring.auditor.questions import ask
from tests import factories, people
from tests.questions.safety import KIND, asked, is_hidden, says
from tests.scenes import HOSTILE

pytestmark = pytest.mark.django_db
LIST = "console:hidden_reviews"


@pytest.fixture(autouse=True)
def nobody_is_asked_again(settings: Any) -> None:
    """No review is asked about a second time by lot."""
    queue = {**settings.MODERATION.queue, "rereview_percent": 0, "blind_percent": 0}
    settings.MODERATION = replace(settings.MODERATION, queue=queue)


@pytest.fixture
def item() -> ReviewItem:
    """A hostile review that a person hid."""
    found = asked(factories.customer_review(HOSTILE, product=factories.product(sku="M-1")))
    says(found, "abuse", "spam")
    return found


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_list_shows_what_is_hidden_and_why_and_a_senior_shows_it_again(item: ReviewItem) -> None:
    client, row = _client(people.senior()), HiddenReview.objects.get()
    page = client.get(reverse(LIST)).content.decode()
    assert "abuse" in page
    assert "<script>alert" not in page
    assert "Statement of reasons" in page
    action = reverse("console:show_again", args=[row.pk])
    assert action in page
    client.post(action, {"reason": " "})
    assert is_hidden(item.subject), "a reason is asked for"
    answer = client.post(action, {"reason": "An opinion."}, follow=True)
    assert not is_hidden(item.subject)
    assert "No review is hidden" in answer.content.decode()
    again = client.post(action, {"reason": "Once more."}, follow=True)
    assert "Something else was decided" in again.content.decode()


def test_who_may_not_sees_no_button_and_is_refused(item: ReviewItem) -> None:
    row = HiddenReview.objects.get()
    action = reverse("console:show_again", args=[row.pk])
    for user in (people.reviewer(), people.auditor(), people.ml_engineer()):
        client = _client(user)
        page = client.get(reverse(LIST))
        assert page.status_code == 200
        assert action not in page.content.decode()
        assert client.post(action, {"reason": "mine"}).status_code == 403
    client = _client(people.outsider())
    assert client.get(reverse(LIST)).status_code in (302, 403)
    assert client.post(action, {"reason": "mine"}).status_code in (302, 403)
    assert is_hidden(item.subject)
    assert _client(people.senior()).get(action).status_code == 405


def test_the_page_of_a_contested_item_says_that_it_is_hidden_and_an_appeal_is_judged_there(item: ReviewItem) -> None:
    senior = _client(people.senior())
    page = senior.get(reverse("console:adjudicate", args=[item.pk])).content.decode()
    assert "Hidden from shoppers" in page
    assert "abuse+spam" in page
    decision = item.decisions.get()
    reviewer = _client(people.reviewer())
    back = reviewer.post(reverse("console:appeal", args=[decision.pk]), {"reason": "An opinion."})
    assert back["Location"] == reverse(LIST)
    assert "appeal: open" in reviewer.get(reverse(LIST)).content.decode()
    contested = senior.get(reverse("console:contested"))
    assert contested.status_code == 200
    assert "An opinion." in contested.content.decode()
    page = senior.get(reverse("console:adjudicate", args=[item.pk])).content.decode()
    assert "shown again, by your decision" in page
    assert "Show it again" not in page, "the appeal comes first"
    answer = senior.post(
        reverse("console:judge_appeal", args=[Appeal.objects.get().pk]),
        {"answer": "It is.", "overturn": "1"},
        follow=True,
    )
    assert "the review is shown again" in answer.content.decode()
    assert not is_hidden(item.subject)
    assert senior.get(reverse("console:contested")).status_code == 200


def test_the_statement_is_downloaded_as_of_copy(item: ReviewItem) -> None:
    client, decision = _client(people.senior()), item.decisions.get()
    address = reverse("console:statement", args=[decision.pk])
    assert client.get(address).json()["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_DISABLED"]
    assert "侮辱" in client.get(address, {"text": "zh-Hans"}).content.decode()


def test_the_auditor_is_told_each_time_and_what_ended_it(item: ReviewItem) -> None:
    appeals.appeal(item.decisions.get(), actor=people.people("Merchant"), reason="An opinion.")
    answer = ask(21, Asked(sku="M-1"), actor=people.auditor())
    assert answer.words == "1 hiding(s) of a review, 1 of them stand; 1 appeal(s) against one are open."
    (row,) = answer.tables[0].rows
    assert row[3] == "abuse, spam"
    assert not ask(21, Asked(sku="other"), actor=people.auditor()).tables[0].rows


def test_the_page_of_its_queue_opens(item: ReviewItem) -> None:
    asked()
    client = _client(people.reviewer())
    for page in ("console:review", "console:review_last_ten"):
        assert client.get(reverse(page, args=[KIND])).status_code == 200
    assert _client(people.ml_engineer()).get(reverse("console:label_quality", args=[KIND])).status_code == 200
