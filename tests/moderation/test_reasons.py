"""An answer says why, or comes back to who gave it; what a decision keeps of how it came about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import LedgerEntry
from catalog.models import PublishedCopy
from labeling.models import Annotation, Vote
from moderation.decisions import settling
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out
from tests import factories, people
from tests.moderation.conftest import GOOD

pytestmark = pytest.mark.django_db
FIX = {"verdict": "fix", "fixed_text": GOOD + " It is yours."}


@pytest.fixture
def item() -> ReviewItem:
    return factories.review_item(factories.candidate(GOOD, status="in_review", rank=1))


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        ({"verdict": "reject"}, "tick at least one reason"),
        (FIX, "tick at least one reason"),
        ({"verdict": "reject", "reason_codes": ["other"]}, "say in the comment what it is"),
        ({**FIX, "reason_codes": ["tone", "other"], "comment": "  "}, "say in the comment what it is"),
    ],
)
def test_an_answer_that_does_not_say_why_stays_with_who_gave_it_and_tells_them(
    item: ReviewItem, answer: Callable[..., Any], said: dict[str, Any], missing: str
) -> None:
    reviewer = people.reviewer()
    assert handing_out.next_item(reviewer) == item
    answer(item, reviewer, **said)
    assert settling.settle_decisions() == 0
    item.refresh_from_db()
    assert (item.status, item.assignee) == ("dispatched", reviewer)
    assert missing in item.returned_reason
    assert not Decision.objects.exists()
    assert settling.settle_decisions() == 0, "once is enough"
    assert LedgerEntry.objects.filter(action="moderation.item.given_back").count() == 1
    assert handing_out.next_item(reviewer) == item, "Next leads to it again"
    client = Client()
    client.force_login(reviewer)
    turn = client.post(reverse("console:review_state", args=["copy_verdict"])).json()
    assert missing in turn["current"]["again"], "and says why above it"
    assert missing in client.get(reverse("console:my_work")).content.decode()
    answer(item, reviewer, **{**said, "reason_codes": ["tone"], "comment": "it shouts"})
    assert settling.settle_decisions() == 1
    assert Decision.objects.get().reason_codes == ["tone"]


def test_a_fix_that_changes_nothing_needs_no_reason(item: ReviewItem, answer: Callable[..., Any]) -> None:
    answer(item, people.reviewer(), verdict="fix", fixed_text=f" {GOOD}")
    assert settling.settle_decisions() == 1


def test_what_is_of_high_severity_needs_a_comment_whatever_the_verdict(answer: Callable[..., Any]) -> None:
    draft = factories.candidate(GOOD, status="in_review", rank=1)
    factories.finding(draft, "sea green", code="health_claim")
    item, reviewer = factories.review_item(draft), people.reviewer()
    for said in ({"verdict": "accept"}, {"verdict": "reject", "reason_codes": ["legal_risk"]}):
        answer(item, reviewer, **said)
        assert settling.settle_decisions() == 0
        item.refresh_from_db()
        assert item.status == "dispatched"
        assert "of high severity (warn:health_claim)" in item.returned_reason
    answer(item, reviewer, verdict="reject", reason_codes=["legal_risk"], comment="no authorised wording")
    assert settling.settle_decisions() == 1


def test_one_given_back_goes_to_somebody_else_when_its_time_runs_out(
    item: ReviewItem, answer: Callable[..., Any]
) -> None:
    reviewer, other = people.reviewer(), people.reviewer()
    answer(item, reviewer, verdict="reject")
    settling.settle_decisions()
    ReviewItem.objects.update(lease_expires_at=timezone.now() - dt.timedelta(minutes=1))
    assert handing_out.reap_items() == 1
    assert handing_out.next_item(other) == item
    assert handing_out.held_by(reviewer) is None


def test_an_incomplete_answer_does_not_take_an_item_from_who_holds_it(
    item: ReviewItem, answer: Callable[..., Any]
) -> None:
    holder, other = people.reviewer(), people.reviewer()
    handing_out.next_item(holder)
    answer(item, other, verdict="reject")
    assert settling.settle_decisions() == 0
    item.refresh_from_db()
    assert (item.status, item.assignee, item.returned_reason) == ("dispatched", holder, "")


def test_a_panels_answer_without_a_reason_does_not_count_until_it_has_one(
    rules: Any, answer: Callable[..., Any]
) -> None:
    rules(num_reviewers_per_item=2)
    factories.candidate(GOOD, status="in_review", rank=1)
    settling.open_reviews()
    lead, one, two = ReviewItem.objects.get(lead=None), people.reviewer(), people.reviewer()
    seat = lead.seats.get()
    answer(lead, one, verdict="reject", reason_codes=["tone"])
    answer(seat, two, verdict="reject")
    settling.settle_decisions()
    seat.refresh_from_db()
    assert (seat.status, seat.assignee) == ("dispatched", two)
    answer(seat, two, verdict="reject", reason_codes=["tone"])
    settling.settle_decisions()
    assert Decision.objects.get().outcome == "reject"


def test_an_answer_changed_into_one_without_a_reason_does_not_count(rules: Any, answer: Callable[..., Any]) -> None:
    rules(num_reviewers_per_item=2)
    factories.candidate(GOOD, status="in_review", rank=1)
    settling.open_reviews()
    lead, one = ReviewItem.objects.get(lead=None), people.reviewer()
    answer(lead, one, verdict="accept")
    settling.settle_decisions()
    answer(lead, one, verdict="reject")
    settling.settle_decisions()
    lead.refresh_from_db()
    assert (lead.status, lead.assignee) == ("dispatched", one)


# --- What a decision keeps ----------------------------------------------------------------------------------------


def _took(consensus: Any, *, theirs: float, ours: float) -> None:
    annotation = consensus.annotations.get()
    Annotation.objects.filter(pk=annotation.pk).update(lead_time=dt.timedelta(seconds=theirs))
    item = ReviewItem.objects.get(labeling_task=consensus.task)
    ReviewItem.objects.filter(pk=item.pk).update(claimed_at=annotation.pulled_at - dt.timedelta(seconds=ours))


def test_a_decision_keeps_both_clocks_and_whether_the_suggestion_was_shown(
    item: ReviewItem, answer: Callable[..., Any]
) -> None:
    reviewer = people.reviewer()
    handing_out.next_item(reviewer)
    task = item.labeling_task
    task.predictions, task.shows_predictions = [{"model_version": "m", "result": []}], False
    task.save()
    _took(answer(item, reviewer, verdict="accept"), theirs=4, ours=9)
    settling.settle_decisions()
    decision = Decision.objects.get()
    assert (decision.lead_time, decision.dwell_time) == (dt.timedelta(seconds=4), dt.timedelta(seconds=9))
    assert decision.suggestion_shown is False
    page = reverse("console:candidate", args=[item.candidate_id])
    for address in (page, reverse("console:panel", args=[item.pk]), reverse("console:adjudicate", args=[item.pk])):
        client = Client()
        client.force_login(people.senior())
        words = client.get(address).content.decode()
        assert "4 s" in words
        assert "9 s" in words


def test_what_was_answered_without_being_taken_has_no_time_of_ours(
    item: ReviewItem, answer: Callable[..., Any]
) -> None:
    answer(item, people.reviewer(), verdict="accept")
    settling.settle_decisions()
    decision = Decision.objects.get()
    assert (decision.dwell_time, decision.suggestion_shown) == (None, None)


def test_an_auditor_finds_what_was_let_out_unchanged_in_less_than_so_many_seconds() -> None:
    client = Client()
    client.force_login(people.auditor())
    quick = {"lead_time": dt.timedelta(seconds=4), "reviewer": people.reviewer()}

    def decided(text: str, outcome: str, **fields: Any) -> None:
        factories.decision(factories.review_item(factories.candidate(text, status="published")), outcome, **fields)

    decided("Quick as it was.", "approve", **quick)
    decided("Quick by our own clock.", "approve", dwell_time=dt.timedelta(seconds=6))
    decided("Slow as it was.", "approve", lead_time=dt.timedelta(seconds=40))
    decided("Quick but changed.", "edit", **quick)
    listing = reverse("admin:moderation_decision_changelist")
    for seconds, shown in ((5, {"Quick as it was."}), (7, {"Quick as it was.", "Quick by our own clock."}), (3, set())):
        words = client.get(listing, {"quicker_than": seconds}).content.decode()
        texts = ("Quick as it was.", "Quick by our own clock.", "Slow as it was.", "Quick but changed.")
        assert {text for text in texts if text in words} == shown
    assert not PublishedCopy.objects.exists()


def test_what_label_studio_measured_while_the_task_was_loaded_ahead_does_not_count(
    item: ReviewItem, answer: Callable[..., Any]
) -> None:
    reviewer = people.reviewer()
    handing_out.next_item(reviewer)
    _took(answer(item, reviewer, verdict="accept"), theirs=40, ours=9)
    settling.settle_decisions()
    decision = Decision.objects.get()
    assert (decision.lead_time, decision.dwell_time) == (dt.timedelta(seconds=9), dt.timedelta(seconds=9))
    assert Vote.objects.get().seconds == 9
