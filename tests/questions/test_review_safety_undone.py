"""Undoing a hiding: correction, a person's word, an appeal; and its statement."""

from __future__ import annotations

import base64
import datetime as dt
import json
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from audit.models import LedgerEntry
from audit.verification import verify
from catalog.models import CustomerReview, HiddenReview
from core.actors import SystemActor
from core.exceptions import PermanentError, StaleState
from core.refs import ref
from labeling.models import Label
from moderation import erasure
from moderation.decisions import appeals, corrections, rulings, settling
from moderation.decisions.statements import document
from moderation.decisions.statements.schema import StatementOfReasons
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import seats
from tests import factories, people
from tests.questions.safety import KIND, asked, is_hidden, says

pytestmark = pytest.mark.django_db
ACTOR = SystemActor("tests")
FILTHY = "You filthy liar."


@pytest.fixture(autouse=True)
def nobody_is_asked_again(settings: Any) -> None:
    """No review is asked about a second time by lot."""
    queue = {**settings.MODERATION.queue, "rereview_percent": 0, "blind_percent": 0}
    settings.MODERATION = replace(settings.MODERATION, queue=queue)


@pytest.fixture
def item() -> ReviewItem:
    """An item about a review of a product."""
    return asked(factories.customer_review(FILTHY, product=factories.product(sku="M-1")))


@pytest.fixture
def hidden(item: ReviewItem) -> Decision:
    """The decision that hid it."""
    return says(item, "abuse", "personal_data")


def test_who_hid_it_corrects_that_and_until_then_it_stays_hidden(item: ReviewItem) -> None:
    person = people.reviewer()
    factories.lease(item, person)
    says(item, "abuse", by=person)
    corrections.correct(item, actor=person)
    assert is_hidden(item.subject)
    assert not Label.objects.filter(question=KIND).exists()
    says(item, by=person)
    assert not is_hidden(item.subject)
    (ended,) = HiddenReview.objects.all()
    assert ended.ended_by == ref(Decision.objects.get(superseded_by=None))
    actions = LedgerEntry.objects.filter(subject=ref(ended.review)).values_list("action", flat=True)
    assert list(actions) == ["moderation.review.hidden", "moderation.review.shown"]


def test_other_reasons_hide_it_anew(item: ReviewItem) -> None:
    person = people.reviewer()
    factories.lease(item, person)
    says(item, "abuse", by=person)
    corrections.correct(item, actor=person)
    says(item, "spam", by=person)
    assert HiddenReview.objects.get(ended_at=None).reasons == ["spam"]
    assert HiddenReview.objects.exclude(ended_at=None).get().reasons == ["abuse"]


def test_a_senior_shows_it_again_with_a_reason(item: ReviewItem, hidden: Decision) -> None:
    factories.webhook_endpoint("review.shown")
    row, senior = HiddenReview.objects.get(), people.senior()
    for person in (people.reviewer(), people.auditor(), people.people("Merchant"), people.outsider()):
        with pytest.raises(PermissionDenied):
            rulings.show_again(row, actor=person, reason="It names nobody.")
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(PermanentError, match="reason"):
            rulings.show_again(row, actor=senior, reason=reason)
    decision = rulings.show_again(row, actor=senior, reason="It names nobody.")
    assert not is_hidden(item.subject)
    assert (decision.label, decision.supersedes, decision.reviewer) == ("none", hidden, senior)
    assert (Label.objects.get(question=KIND).label, decision.rationale) == ("none", "It names nobody.")
    assert "names nobody" not in str(list(LedgerEntry.objects.values_list("payload", flat=True)))
    with pytest.raises(StaleState):
        rulings.show_again(row, actor=senior, reason="Once more.")
    assert verify().is_intact


def test_it_is_shown_again_also_while_somebody_is_asked_anew(item: ReviewItem) -> None:
    person = people.reviewer()
    factories.lease(item, person)
    says(item, "abuse", by=person)
    corrections.correct(item, actor=person)
    rulings.show_again(HiddenReview.objects.get(), actor=people.senior(), reason="It names nobody.")
    item.refresh_from_db()
    assert (item.status, is_hidden(item.subject)) == ("decided", False)
    factories.answer(item, person, review_safety=["abuse"])
    assert settling.settle_decisions() == 0
    assert not is_hidden(item.subject), "an answer that comes late changes nothing"


def test_overturned_it_is_shown_by_the_judges_decision(item: ReviewItem, hidden: Decision) -> None:
    merchant, judge = people.people("Merchant"), people.senior()
    filed = appeals.appeal(hidden, actor=merchant, reason="She is right.")
    with pytest.raises(PermanentError, match="appeal"):
        rulings.show_again(HiddenReview.objects.get(), actor=judge, reason="It names nobody.")
    decider = User.objects.get(pk=hidden.reviewer_id)
    decider.groups.set(judge.groups.all())
    with pytest.raises(PermanentError, match="had a part"):
        appeals.judge(filed, actor=User.objects.get(pk=decider.pk), overturn=True, answer="mine")
    with pytest.raises(PermissionDenied):
        appeals.judge(filed, actor=merchant, overturn=True, answer="mine")
    assert is_hidden(item.subject)
    filed = appeals.judge(filed, actor=judge, overturn=True, answer="It is an opinion.")
    assert not is_hidden(item.subject)
    assert filed.status == "overturned"
    assert filed.ruling is not None
    assert (filed.ruling.reviewer, filed.ruling.supersedes, filed.ruling.label) == (judge, hidden, "none")
    assert "later decision" in appeals.why_not(hidden)
    assert verify().is_intact


def test_upheld_it_stays_hidden_and_one_appeal_is_all(item: ReviewItem, hidden: Decision) -> None:
    filed = appeals.appeal(hidden, actor=people.people("Merchant"), reason="She is right.")
    appeals.judge(filed, actor=people.senior(), overturn=False, answer="It names her.")
    assert is_hidden(item.subject)
    with pytest.raises(PermanentError, match="already"):
        appeals.appeal(hidden, actor=people.reviewer(), reason="Once more.")


def test_what_hides_nothing_cannot_be_appealed_against_and_has_no_statement(item: ReviewItem) -> None:
    decision = says(item)
    with pytest.raises(PermanentError, match="hiding of a review"):
        appeals.appeal(decision, actor=people.reviewer(), reason="Why?")
    with pytest.raises(PermanentError, match="hidden review"):
        document.statement_for(decision)
    assert not document.with_statements().exists()


def test_an_appeal_that_was_overtaken_shows_or_refuses_as_people_decided_since(item: ReviewItem) -> None:
    person = people.reviewer()
    factories.lease(item, person)
    first = says(item, "abuse", by=person)
    filed = appeals.appeal(first, actor=people.people("Merchant"), reason="She is right.")
    corrections.correct(item, actor=person)
    second = says(item, "spam", by=person)
    with pytest.raises(PermanentError, match="decided since"):
        appeals.judge(filed, actor=people.senior(), overturn=True, answer="It is an opinion.")
    corrections.correct(item, actor=person)
    third = says(item, by=person)
    filed = appeals.judge(filed, actor=people.senior(), overturn=True, answer="It is an opinion.")
    assert (filed.ruling, third.supersedes, is_hidden(item.subject)) == (third, second, False)


def test_the_merchant_appeals_through_the_api_by_the_number_that_stands_there(hidden: Decision) -> None:
    merchant = people.people("Merchant")
    value = base64.b64encode(f"{merchant.username}:{people.PASSWORD}".encode()).decode()
    as_merchant: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Basic {value}"}
    number = Client().get("/api/v1/reviews/hidden", **as_merchant).json()["hidden"][0]["statement"]
    body = json.dumps({"statement": number, "reason": "She is right."})
    answer = Client().post("/api/v1/appeals", body, content_type="application/json", **as_merchant)
    assert answer.status_code == 201
    assert Client().get(f"/api/v1/appeals/{answer.json()['id']}", **as_merchant).json()["status"] == "open"
    again = Client().post("/api/v1/appeals", body, content_type="application/json", **as_merchant)
    assert again.status_code == 422


def test_a_decision_keeps_the_label_that_hid_something(hidden: Decision) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.filter(pk=hidden.pk).update(label="none")


def test_its_statement_says_what_and_why_and_who_looked(item: ReviewItem) -> None:
    ReviewItem.objects.filter(pk=item.pk).update(suggestion="abuse")
    decision = says(item, "abuse", "spam")
    said = document.statement_for(decision).as_json()
    assert StatementOfReasons.model_validate_json(json.dumps(said))
    assert said["puid"] == f"ecomsite-{decision.pk}"
    assert said["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_DISABLED"]
    assert (said["category"], said["category_addition"]) == (
        "STATEMENT_CATEGORY_CYBER_VIOLENCE",
        ["STATEMENT_CATEGORY_OTHER_VIOLATION_TC"],
    )
    assert (said["automated_detection"], said["automated_decision"]) == ("Yes", "AUTOMATED_DECISION_NOT_AUTOMATED")
    assert said["content_type"] == ["CONTENT_TYPE_TEXT"]
    assert FILTHY not in json.dumps(said)
    assert "end_date_visibility_restriction" not in said
    row = HiddenReview.objects.get()
    rulings.show_again(row, actor=people.senior(), reason="It names nobody.")
    assert document.statement_for(decision).as_json()["end_date_visibility_restriction"] == f"{timezone.now():%Y-%m-%d}"


def test_of_a_panel_it_says_how_many_decided(item: ReviewItem) -> None:
    for _ in range(2):
        seats.add_seat(item)
    factories.push_tasks()
    for seat in seats.panel_of(item):
        factories.answer(seat, people.reviewer(), review_safety=["abuse"])
        settling.settle_decisions()
    decision = Decision.objects.get()
    assert "Decided by 3 persons." in document.statement_for(decision).decision_facts
    assert "3 persons decided." in document.text_for(decision, locale="en")
    assert "由3名人员" in document.text_for(decision, locale="zh-Hans")


@pytest.mark.parametrize("locale", ["en", "zh-Hans", "fr"])
def test_its_text_says_how_to_appeal_in_both_languages(hidden: Decision, locale: str, settings: Any) -> None:
    text = document.text_for(hidden, locale=locale)
    assert FILTHY in text
    assert "/api/v1/appeals" in text
    assert ("insults or threatens" in text) is (locale != "zh-Hans")
    assert ("侮辱" in text) is (locale == "zh-Hans")
    assert "{" not in text
    assert document.puid_of(hidden) in text
    CustomerReview.objects.update(text="Lovely.")
    assert "Lovely" not in document.text_for(hidden, locale=locale), "what was hidden is not what it says now"


def test_a_review_that_claims_to_be_older_than_the_database_takes_has_one_all_the_same() -> None:
    old = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    decision = says(asked(factories.customer_review(FILTHY, written_at=old)), "hate")
    assert document.statement_for(decision).content_date.year == 2000


def test_the_command_writes_it_among_the_others(hidden: Decision) -> None:
    out = StringIO()
    call_command("statement_of_reasons", since="2020-01-01", stdout=out)
    assert [one["puid"] for one in json.loads(out.getvalue())["statements"]] == [document.puid_of(hidden)]


def test_who_is_erased_leaves_the_review_hidden_and_their_words_go(item: ReviewItem, hidden: Decision) -> None:
    decision = rulings.show_again(HiddenReview.objects.get(), actor=people.senior(), reason="Private words.")
    says_again = decision.reviewer
    assert says_again is not None
    erasure.forget_words(says_again)
    decision.refresh_from_db()
    assert "Private" not in decision.rationale
    other = asked()
    kept = says(other, "abuse")
    assert kept.reviewer is not None
    erasure.forget_words(kept.reviewer)
    assert is_hidden(other.subject)
    assert document.statement_for(kept)
