"""Several people on one item."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from audit.models import LedgerEntry
from audit.verification import verify
from catalog.models import PublishedCopy
from core.exceptions import PermanentError, StaleState
from core.refs import ref
from labeling.models import Label, LabelingTask, Vote
from moderation.decisions import panels, sending_back, settling
from moderation.models.candidates import Candidate
from moderation.models.queues import QueuePolicy
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out, seats
from outbox.models import Event
from tests import factories, people
from tests.moderation.conftest import GOOD, WRONG

pytestmark = pytest.mark.django_db
FIXED = "Harbour mug by Tideway: a sea green stoneware mug that holds 350 ml."


def push() -> None:
    """Put every open task where people find it, as `labeling.sync.push_tasks` does."""
    for task in LabelingTask.objects.filter(status="open"):
        LabelingTask.objects.filter(pk=task.pk).update(
            status="pushed", ls_task_id=5000 + LabelingTask.objects.exclude(ls_task_id=None).count()
        )


def test_three_people_answer_apart_and_the_majority_decides(panel: ReviewItem, says: Any) -> None:
    one, two, three = people.reviewer(), people.reviewer(), people.reviewer()
    items = [says(one, "negative"), says(two, "negative")]
    assert [item.status for item in items] == ["answered", "answered"]
    assert not Decision.objects.exists(), "two of three is not enough"
    items.append(says(three, "neutral"))
    assert len({item.pk for item in items}) == 3
    assert len({item.labeling_task_id for item in items}) == 3, "each has a task of their own in Label Studio"
    decision = Decision.objects.get()
    assert (decision.label, decision.decided_by, decision.item) == ("negative", "human_consensus", panel)
    assert set(ReviewItem.objects.values_list("status", flat=True)) == {"decided"}
    held = Label.objects.get()
    assert (held.label, held.method, held.n_votes, round(held.quality or 0, 3)) == ("negative", "majority", 3, 0.619)
    assert sorted(Vote.objects.values_list("rater", "label")) == sorted(
        [(f"user:{one.pk}", "negative"), (f"user:{two.pk}", "negative"), (f"user:{three.pk}", "neutral")]
    )
    assert decision.consensus.annotations.count() == 3
    assert verify().is_intact


def test_nobody_is_asked_the_same_twice(panel: ReviewItem, says: Any) -> None:
    one = people.reviewer()
    says(one, "negative")
    assert handing_out.next_item(one) is None
    assert not handing_out.waiting_for(one).exists()
    assert handing_out.waiting_for(people.reviewer()).count() == 2


def test_the_table_itself_refuses_a_second_seat(panel: ReviewItem) -> None:
    one, seat = people.reviewer(), panel.seats.first()
    ReviewItem.objects.filter(pk=panel.pk).update(assignee=one)
    with pytest.raises(IntegrityError), transaction.atomic():
        ReviewItem.objects.filter(pk=seat.pk).update(assignee=one)


def test_a_second_answer_of_the_same_person_does_not_count_and_the_seat_is_asked_anew(
    panel: ReviewItem, says: Any, answer: Any
) -> None:
    one = people.reviewer()
    says(one, "negative")
    other = ReviewItem.objects.filter(status="waiting").first()
    before = other.labeling_task
    answer(other, one, sentiment="positive")  # opened in Label Studio directly
    settling.settle_decisions()
    other.refresh_from_db()
    assert (other.status, other.assignee) == ("waiting", None)
    assert other.labeling_task != before, "nobody else sees what they answered there"
    assert list(Vote.objects.values_list("label", flat=True)) == ["negative"]
    assert LedgerEntry.objects.filter(action="moderation.item.answered_twice").count() == 1


def test_a_tie_goes_to_a_senior_who_was_not_asked_before(panel: ReviewItem, says: Any) -> None:
    senior_in_panel, senior = people.senior(), people.senior()
    factories.webhook_endpoint("item.completed")
    says(people.reviewer(), "negative")
    says(people.reviewer(), "positive")
    says(senior_in_panel, "neutral")
    assert not Decision.objects.exists()
    adjudication = ReviewItem.objects.get(purpose="adjudication")
    assert "tied" in adjudication.escalated_reason
    assert "1 negative, 1 neutral, 1 positive" in adjudication.labeling_task.payload["review_html"]
    assert adjudication.labeling_task.shows_predictions is False
    push()
    assert handing_out.next_item(people.reviewer()) is None, "it is for seniors"
    assert handing_out.next_item(senior_in_panel) is None, "who answered does not adjudicate"
    says(senior, "positive")
    decision = Decision.objects.get()
    assert (decision.label, decision.reviewer, decision.decided_by) == ("positive", senior, "human_single")
    assert Label.objects.get().method == "adjudicated"
    assert set(ReviewItem.objects.values_list("status", flat=True)) == {"decided"}
    assert Event.objects.filter(type="item.completed").count() == 1


def test_a_consensus_that_is_not_sure_enough_goes_to_a_senior(panel: ReviewItem, says: Any, rules: Any) -> None:
    rules(min_quality=0.9)
    for label in ("negative", "negative", "positive"):
        says(people.reviewer(), label)
    assert not Decision.objects.exists()
    assert "sure to 62%" in ReviewItem.objects.get(purpose="adjudication").escalated_reason


def test_one_who_asks_for_a_senior_stops_the_others_from_deciding(panel: ReviewItem, says: Any) -> None:
    says(people.reviewer(), "negative")
    says(people.reviewer(), "negative")
    says(people.reviewer(), "", sentiment="", escalate=True, comment="is it irony?")
    assert not Decision.objects.exists()
    assert ReviewItem.objects.filter(purpose="adjudication").exists()


def test_an_answer_is_sent_back_to_the_same_person_with_the_reason(panel: ReviewItem, says: Any, answer: Any) -> None:
    one, senior = people.reviewer(), people.senior()
    item = says(one, "negative")
    with pytest.raises(PermissionDenied):
        sending_back.send_back(item, actor=people.reviewer(), reason="no", to_same_person=True)
    with pytest.raises(PermanentError):
        sending_back.send_back(item, actor=senior, reason=" ", to_same_person=True)
    sending_back.send_back(item, actor=senior, reason="Judge the words, not the stars.", to_same_person=True)
    item.refresh_from_db()
    assert (item.status, item.assignee) == ("dispatched", one)
    assert "Judge the words, not the stars." in item.labeling_task.payload["review_html"]
    assert not Vote.objects.exists()
    push()
    assert handing_out.next_item(one) == item
    answer(item, one, sentiment="positive")
    settling.settle_decisions()
    assert Vote.objects.get().label == "positive"
    with pytest.raises(StaleState):
        sending_back.send_back(
            ReviewItem.objects.filter(status="waiting").first(), actor=senior, reason="no", to_same_person=True
        )


@pytest.mark.parametrize("which", ["lead", "seat"])
def test_an_answer_is_sent_back_to_somebody_else(panel: ReviewItem, answer: Any, which: str) -> None:
    one, two, senior = people.reviewer(), people.reviewer(), people.senior()
    item = panel if which == "lead" else panel.seats.first()
    factories.lease(item, one)
    answer(item, one, sentiment="negative")
    settling.settle_decisions()
    item.refresh_from_db()
    sending_back.send_back(item, actor=senior, reason="Read it again.", to_same_person=False)
    push()
    item.refresh_from_db()
    assert (item.status, item.assignee) == ("waiting", None)
    assert item not in handing_out.waiting_for(one), "who answered does not get it again"
    assert not handing_out.waiting_for(one).exists()
    assert item in handing_out.waiting_for(two)


def test_two_people_who_fix_a_draft_differently_have_a_senior_choose(rules: Any, answer: Any) -> None:
    rules(num_reviewers_per_item=2)
    request = factories.generation_request(status="completed")
    candidate = factories.candidate(GOOD, request=request, status="in_review", rank=1)
    factories.candidate(WRONG, request=request, rank=2)
    assert settling.open_reviews() == 1
    push()
    for text in (FIXED, FIXED + " It is yours."):
        user = people.reviewer()
        answer(handing_out.next_item(user), user, verdict="fix", fixed_text=text, reason_codes=["tone"])
        settling.settle_decisions()
    assert not PublishedCopy.objects.exists()
    assert "several fixes differ" in ReviewItem.objects.get(purpose="adjudication").escalated_reason
    push()
    senior = people.senior()
    answer(handing_out.next_item(senior), senior, verdict="fix", fixed_text=FIXED, reason_codes=["tone"])
    settling.settle_decisions()
    assert PublishedCopy.objects.get().text == FIXED
    assert Candidate.objects.get(origin="human").parent == candidate


def test_two_people_who_accept_let_a_draft_out_together(rules: Any, answer: Any) -> None:
    rules(num_reviewers_per_item=2)
    factories.candidate(GOOD, status="in_review", rank=1)
    settling.open_reviews()
    push()
    for _ in range(2):
        assert not PublishedCopy.objects.exists()
        user = people.reviewer()
        answer(handing_out.next_item(user), user, verdict="accept")
        settling.settle_decisions()
    assert PublishedCopy.objects.get().text == GOOD
    assert Decision.objects.get().decided_by == "human_consensus"


def test_what_a_stranger_writes_into_an_answered_task_is_not_taken_for_the_persons_answer(
    rules: Any, answer: Any
) -> None:
    rules(num_reviewers_per_item=2)
    factories.candidate(GOOD, status="in_review", rank=1)
    settling.open_reviews()
    push()
    one, two, stranger = people.reviewer(), people.reviewer(), people.reviewer()
    first = handing_out.next_item(one)
    answer(first, one, verdict="fix", fixed_text=FIXED, reason_codes=["tone"])
    settling.settle_decisions()
    answer(first, stranger, verdict="fix", fixed_text="Buy now!")
    settling.settle_decisions()
    answer(handing_out.next_item(two), two, verdict="fix", fixed_text=FIXED, reason_codes=["tone"])
    settling.settle_decisions()
    assert PublishedCopy.objects.get().text == FIXED
    assert LedgerEntry.objects.filter(action="moderation.item.answer_refused").count() == 1


def test_what_is_risky_is_seen_by_more_people(rules: Any) -> None:
    rules(num_reviewers_risky=2, risky_from=0.5)
    calm = factories.candidate(GOOD, status="in_review", rank=1)
    slogan = factories.candidate(GOOD, status="in_review", rank=1, channel="ad_slogan")
    factories.finding(slogan, "sea green")
    settling.open_reviews()
    assert ReviewItem.objects.get(candidate=calm).seats.count() == 0
    assert ReviewItem.objects.get(candidate=slogan).seats.count() == 1


def test_more_people_can_be_asked_about_one_item(rules: Any, answer: Any) -> None:
    factories.candidate(GOOD, status="in_review", rank=1)
    settling.open_reviews()
    item = ReviewItem.objects.get()
    with pytest.raises(PermissionDenied):
        panels.ask_more(item, n=3, actor=people.reviewer())
    panels.ask_more(item, n=3, actor=people.senior())
    panels.ask_more(item, n=2, actor=people.senior())
    assert seats.panel_of(item).count() == 3, "never fewer than were asked"


def test_a_share_of_people_is_shown_no_suggestion(rules: Any, sentiment_champion: Any) -> None:
    rules(blind_percent=30)
    for number in range(100):
        factories.sentiment(
            factories.customer_review(f"so so {number}"), "neutral", confidence=0.4, version=sentiment_champion
        )
    settling.open_reviews()
    blind = LabelingTask.objects.filter(shows_predictions=False).count()
    assert 15 <= blind <= 45
    assert all(task.predictions for task in LabelingTask.objects.all()), "what the model said is kept"


@pytest.mark.django_db(transaction=True)
def test_one_person_in_two_tabs_gets_one_seat_of_a_panel(panel: ReviewItem) -> None:
    one, given = people.reviewer(), []
    barrier = threading.Barrier(4)

    def press() -> None:
        try:
            barrier.wait()
            given.append(handing_out.next_item(one))
        finally:
            connection.close()

    tabs = [threading.Thread(target=press) for _ in range(4)]
    [tab.start() for tab in tabs], [tab.join() for tab in tabs]
    assert len({item.pk for item in given if item}) == 1
    assert ReviewItem.objects.filter(assignee=one).count() == 1


@pytest.mark.django_db(transaction=True)
def test_three_answers_that_arrive_at_once_are_settled_once(panel: ReviewItem, answer: Any) -> None:
    for item in ReviewItem.objects.all():
        user = people.reviewer()
        factories.lease(item, user)
        answer(item, user, sentiment="negative")
    barrier, errors = threading.Barrier(3), []

    def settle() -> None:
        try:
            barrier.wait()
            settling.settle_decisions()
        except Exception as exc:
            errors.append(exc)
        finally:
            connection.close()

    workers = [threading.Thread(target=settle) for _ in range(3)]
    [worker.start() for worker in workers], [worker.join() for worker in workers]
    settling.settle_decisions()
    assert not errors
    assert Decision.objects.count() == Label.objects.count() == 1
    assert set(ReviewItem.objects.values_list("status", flat=True)) == {"decided"}
    assert QueuePolicy.objects.count() == 0
    assert LedgerEntry.objects.filter(subject=ref(panel), action="moderation.item.decided").count() == 1
