"""Two people, or a person and an import, act on one customer review at the same moment."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from audit.verification import verify
from catalog.importing import import_reviews
from catalog.models import CustomerReview, HiddenReview
from core.actors import SystemActor
from core.exceptions import EcomsiteError, PermanentError
from core.refs import ref
from moderation.decisions import appeals, rulings, settling
from moderation.models.reviews import Decision
from tests import factories, people
from tests.at_once import at_once
from tests.questions.safety import asked, is_hidden, says

pytestmark = pytest.mark.django_db(transaction=True)
FILTHY = "You filthy liar."


@pytest.fixture(autouse=True)
def nobody_is_asked_again(settings: Any) -> None:
    """No review is asked about a second time by lot."""
    queue = {**settings.MODERATION.queue, "rereview_percent": 0, "blind_percent": 0}
    settings.MODERATION = replace(settings.MODERATION, queue=queue)


def _stands(review: CustomerReview) -> None:
    """Whether it is hidden is what the one newest decision says."""
    newest = Decision.objects.get(item__customer_review=review, superseded_by=None)
    standing = HiddenReview.objects.filter(review=review, ended_at=None).values_list("decision_ref", flat=True)
    assert list(standing) == ([] if newest.label == "none" else [ref(newest)])
    assert verify().is_intact


def test_of_two_who_show_it_again_one_does() -> None:
    item = asked()
    says(item, "abuse")
    row, seniors = HiddenReview.objects.get(), [people.senior(), people.senior()]
    found = at_once(*(lambda who=who: rulings.show_again(row, actor=who, reason="An opinion.") for who in seniors))
    assert sum(isinstance(one, EcomsiteError) for one in found) == 1
    _stands(item.subject)


def test_who_shows_it_again_waits_for_an_appeal_that_is_being_filed() -> None:
    item = asked()
    decision, senior, merchant = says(item, "abuse"), people.senior(), people.people("Merchant")
    row, found = HiddenReview.objects.get(), list[object]()

    def show_again() -> None:
        try:
            found.append(rulings.show_again(row, actor=senior, reason="An opinion."))
        except EcomsiteError as exc:
            found.append(exc)
        finally:
            connection.close()

    showing = threading.Thread(target=show_again)
    with transaction.atomic():
        appeals.appeal(decision, actor=merchant, reason="An opinion.")
        showing.start()
        showing.join(0.5)
        assert showing.is_alive()
    showing.join(20)
    assert isinstance(found[0], PermanentError)
    assert is_hidden(item.subject)
    _stands(item.subject)


def test_of_two_who_judge_an_appeal_one_does() -> None:
    item = asked()
    filed = appeals.appeal(says(item, "abuse"), actor=people.people("Merchant"), reason="An opinion.")
    one, other = people.senior(), people.senior()
    found = at_once(
        lambda: appeals.judge(filed, actor=one, overturn=True, answer="It is."),
        lambda: appeals.judge(filed, actor=other, overturn=False, answer="It is not."),
    )
    assert sum(isinstance(result, EcomsiteError) for result in found) == 1
    filed.refresh_from_db()
    assert is_hidden(item.subject) == (filed.status == "upheld")
    _stands(item.subject)


def test_it_is_appealed_against_and_shown_again_at_once() -> None:
    item = asked()
    decision = says(item, "abuse")
    row, senior, merchant = HiddenReview.objects.get(), people.senior(), people.people("Merchant")
    at_once(
        lambda: rulings.show_again(row, actor=senior, reason="An opinion."),
        lambda: appeals.appeal(decision, actor=merchant, reason="An opinion."),
    )
    _stands(item.subject)


def test_two_workers_settle_one_answer_once() -> None:
    item = asked()
    factories.answer(item, people.reviewer(), review_safety=["abuse"])
    assert sum(n for n in at_once(settling.settle_decisions, settling.settle_decisions) if isinstance(n, int)) == 1
    _stands(item.subject)


def test_an_import_while_it_is_decided_neither_shows_it_nor_waits_for_ever(tmp_path: Path) -> None:
    path, row = tmp_path / "r.jsonl", {"external_id": "r1", "text": FILTHY}
    path.write_text(json.dumps(row))
    import_reviews(path, actor=SystemActor("tests"))
    review = CustomerReview.objects.get()
    item = asked(review)
    factories.answer(item, people.reviewer(), review_safety=["abuse"])
    path.write_text(json.dumps(row | {"text": "You liar."}))
    at_once(settling.settle_decisions, lambda: import_reviews(path, actor=SystemActor("tests")))
    settling.settle_decisions()
    review.refresh_from_db()
    assert (review.text, is_hidden(review)) == ("You liar.", True)
    _stands(review)
