"""A question that the settings do not name any more: its answers wait, and those to other questions do not."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import HiddenReview
from core.exceptions import PermanentError
from core.refs import ref
from labeling import labels, raters, sync
from labeling.models import Vote
from moderation.decisions import asking_again, rulings, second_reviews, settling
from moderation.decisions.statements import document
from moderation.queues import handing_out
from moderation.queues.rules import policy_for
from tests import factories, people
from tests.questions.safety import KIND, asked, is_hidden, says

pytestmark = pytest.mark.django_db


def test_its_answers_wait_for_it_and_hold_up_no_others(settings: Any) -> None:
    hidden, unsafe = asked(), asked()
    decision = says(hidden, "abuse")
    other = factories.review_item(factories.customer_review("A mug."))
    factories.answer(unsafe, people.reviewer(), review_safety=["spam"], escalate=False)
    all_of_them = settings.QUESTIONS
    settings.QUESTIONS = {name: path for name, path in all_of_them.items() if name != KIND}
    factories.answer(other, people.reviewer(), sentiment="negative")
    assert settling.settle_decisions() == 1
    other.refresh_from_db()
    assert other.status == "decided"
    assert handing_out.next_item(people.reviewer()) is None
    assert asking_again.ask_again_about_edited() == second_reviews.open_second_reviews() == 0
    assert document.text_for(decision, locale="en"), "what is hidden stays hidden, with its statement"
    with pytest.raises(PermanentError, match="no question"):
        rulings.show_again(HiddenReview.objects.get(), actor=people.senior(), reason="It names nobody.")
    settings.QUESTIONS = all_of_them
    assert settling.settle_decisions() == 1
    assert is_hidden(unsafe.subject)


def test_what_was_asked_is_still_shown(settings: Any, client: Client) -> None:
    item = asked(factories.customer_review("You filthy liar.", product=factories.product(sku="M-1")))
    decision = says(item, "abuse")
    settings.QUESTIONS = {name: path for name, path in settings.QUESTIONS.items() if name != KIND}
    client.force_login(people.auditor())
    pages = [reverse(f"console:{name}", args=[item.pk]) for name in ("panel", "adjudicate")]
    for page in (*pages, reverse("console:statement", args=[decision.pk]), reverse("console:hidden_reviews")):
        answer = client.get(page)
        assert answer.status_code == 200, page
        assert b"abuse" in answer.content


def test_its_tasks_and_votes_hold_up_no_others(settings: Any) -> None:
    for question in (KIND, "sentiment"):
        item = second_reviews.open_blind(
            question, factories.customer_review(question), purpose=Vote.Purpose.LABEL, policy=policy_for(question)
        )
        label = "abuse" if question == KIND else "negative"
        labels.record_vote(
            question, ref(item.subject), rater="user:1", label=label, purpose=Vote.Purpose.LABEL, at=timezone.now()
        )
    settings.QUESTIONS = {name: path for name, path in settings.QUESTIONS.items() if name != KIND}
    assert sync._questions_waiting() == ["sentiment"]
    assert raters.fit_all() == 0, "too few votes, and no error"
