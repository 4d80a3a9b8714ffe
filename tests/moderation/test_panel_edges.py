"""What may go wrong around several people's answers: people who leave, notes that should not travel, and races."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from audit import ledger
from audit.models import LedgerEntry
from core.actors import SystemActor
from core.exceptions import PermanentError, StaleState
from core.refs import ref
from labeling import issues, labels
from labeling.models import Annotation, Consensus, Label, LabelingTask, Vote
from moderation.decisions import panels, second_reviews, sending_back, settling
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out, seats
from tests import factories, people
from tests.moderation.conftest import GOOD
from tests.moderation.test_panels import push

pytestmark = pytest.mark.django_db


def settle(item: ReviewItem, user: User, **said: Any) -> None:
    """Have `user` answer exactly `item`."""
    factories.answer(item, user, **said)
    settling.settle_decisions()


def all_answer(panel: ReviewItem, *labels_: str) -> list[User]:
    """Have people answer the seats of `panel`, the leading item last."""
    persons = [people.reviewer() for _ in labels_]
    for item, person, label in zip([*panel.seats.order_by("pk"), panel], persons, labels_, strict=True):
        settle(item, person, sentiment=label)
    return persons


def test_the_consensus_of_a_panel_is_no_late_answer_to_its_leading_item(panel: ReviewItem) -> None:
    all_answer(panel, "negative", "negative", "positive")
    assert Decision.objects.get().label == "negative"
    settling.settle_decisions()
    assert not LedgerEntry.objects.filter(action="moderation.item.answered_late").exists()


def test_what_a_panel_decided_is_reviewed_again_too(panel: ReviewItem, rules: Any) -> None:
    rules(rereview_percent=100)
    all_answer(panel, "negative", "negative", "positive")
    again = ReviewItem.objects.get(purpose="audit")
    assert (again.status, again.labeling_task.status) == ("waiting", "open")


def test_the_reason_why_an_answer_was_sent_back_is_shown_to_nobody_who_is_asked_later(panel: ReviewItem) -> None:
    settle(panel, people.reviewer(), sentiment="negative")
    panel.refresh_from_db()
    asked = panel.labeling_task.payload
    sending_back.send_back(panel, actor=people.senior(), reason="This is praise!", to_same_person=True)
    panel.refresh_from_db()
    assert "This is praise!" in panel.labeling_task.payload["review_html"]
    panels.ask_more(panel, n=4, actor=people.senior())
    fourth = ReviewItem.objects.order_by("created_at").last()
    assert fourth.labeling_task.payload == asked
    assert [panel.labeling_task.reference, fourth.labeling_task.reference] == [f"{ref(panel)}#2", ref(fourth)]


def test_a_senior_who_sends_an_answer_back_can_still_adjudicate_later(panel: ReviewItem) -> None:
    one, *_ = all_answer(panel, "negative", "positive", "neutral")
    push()
    senior, first = people.senior(), ReviewItem.objects.get(purpose="adjudication")
    assert handing_out.next_item(senior) == first
    seat = ReviewItem.objects.get(assignee=one)
    sending_back.send_back(seat, actor=senior, reason="Read it again.", to_same_person=True)
    first.refresh_from_db()
    assert (first.status, first.assignee, first.labeling_task.status) == ("withdrawn", None, "withdrawn")
    push()
    seat.refresh_from_db()
    settle(seat, one, sentiment="negative")
    push()
    again = handing_out.next_item(senior)
    assert again is not None
    assert again.purpose == "adjudication"


def test_somebody_else_who_is_asked_is_not_told_that_their_answer_came_back(panel: ReviewItem) -> None:
    one, two = people.reviewer(), people.reviewer()
    settle(panel, one, sentiment="negative")
    sending_back.send_back(panel, actor=people.senior(), reason="Read it again.", to_same_person=False)
    push()
    panel.refresh_from_db()
    settle(panel, two, sentiment="negative")
    assert not ReviewItem.objects.filter(assignee=two).exclude(returned_reason="").exists()
    assert ReviewItem.objects.get(assignee=one).returned_reason == "Read it again."


def test_people_who_left_do_not_let_copy_out_and_hold_nothing_up(rules: Any) -> None:
    rules(num_reviewers_per_item=2)
    factories.candidate(GOOD, status="in_review", rank=1)
    settling.open_reviews()
    lead = ReviewItem.objects.get(lead=None)
    one, two = people.reviewer(), people.reviewer()
    settle(lead, one, verdict="accept")
    User.objects.filter(pk=one.pk).update(is_active=False)
    settle(lead.seats.get(), two, verdict="accept")
    assert Decision.objects.get().reviewer == two


def test_when_all_who_said_so_left_a_senior_decides(rules: Any) -> None:
    rules(num_reviewers_per_item=3)
    factories.candidate(GOOD, status="in_review", rank=1)
    settling.open_reviews()
    lead, gone = ReviewItem.objects.get(lead=None), [people.reviewer(), people.reviewer()]
    seats_ = list(lead.seats.all())
    for item, person in zip([lead, seats_[0]], gone, strict=True):
        settle(item, person, verdict="accept")
    User.objects.filter(pk__in=[person.pk for person in gone]).update(is_active=False)
    settle(seats_[1], people.reviewer(), verdict="reject", reason_codes=["tone"])
    assert "may still review" in ReviewItem.objects.get(purpose="adjudication").escalated_reason


def test_votes_that_an_import_brought_may_outvote_a_panel_and_a_senior_decides(panel: ReviewItem) -> None:
    for number in range(9):
        labels.record_vote(
            panel.question,
            ref(panel.subject),
            rater=f"import:{number}",
            label="neutral",
            purpose="label",
            at=panel.created_at,
        )
    all_answer(panel, "negative", "negative", "positive")
    assert ReviewItem.objects.filter(purpose="adjudication").exists()


def test_an_answer_that_was_deleted_in_label_studio_leaves_the_matter_to_a_senior(panel: ReviewItem) -> None:
    first, second = panel.seats.order_by("pk")
    settle(first, people.reviewer(), sentiment="negative")
    Annotation.objects.filter(task=first.labeling_task).delete()
    settle(second, people.reviewer(), sentiment="negative")
    settle(panel, people.reviewer(), sentiment="negative")
    assert "was deleted" in ReviewItem.objects.get(purpose="adjudication").escalated_reason


def test_who_answered_and_then_asks_for_a_senior_has_no_vote(panel: ReviewItem) -> None:
    one = people.reviewer()
    settle(panel, one, sentiment="negative")
    settle(panel, one, sentiment="", escalate=True)
    assert not Vote.objects.exists()


def test_a_seat_that_has_answered_is_not_a_panel_of_its_own(panel: ReviewItem) -> None:
    seat = panel.seats.first()
    settle(seat, people.reviewer(), sentiment="negative")
    settling.escalate(ReviewItem.objects.get(pk=seat.pk), actor=people.reviewer(), reason="hard")
    assert ReviewItem.objects.get(purpose="adjudication").lead == panel


def test_nobody_asks_more_people_than_a_panel_may_have_or_about_a_second_review(panel: ReviewItem, rules: Any) -> None:
    with pytest.raises(PermanentError, match="At most 25"):
        panels.ask_more(panel, n=1_000_000, actor=people.senior())
    blind = second_reviews.open_blind(
        "sentiment",
        factories.customer_review("bad"),
        purpose="second_review",
        policy=handing_out.policy_for(panel.question),
    )
    with pytest.raises(StaleState):
        panels.ask_more(blind, n=3, actor=people.senior())


def test_what_was_settled_meanwhile_is_not_settled_again(panel: ReviewItem) -> None:
    person, seat = people.reviewer(), panel.seats.first()
    said = factories.answer(seat, person, sentiment="negative")
    ReviewItem.objects.filter(pk=seat.pk).update(status="decided")
    with pytest.raises(StaleState):
        panels.answer(seat, consensus=said, actor=person)
    assert not Vote.objects.exists()


def test_a_known_answer_that_a_second_person_corrected_tests_nobody(rules: Any) -> None:
    rules(gold_percent=50)
    item = factories.review_item(factories.customer_review("bad and good"))
    settle(item, people.reviewer(), sentiment="negative")
    second_reviews.set_gold(item, label="negative", actor=people.senior())
    second_reviews.keep_gold_ready()
    test = item.seats.get()
    issues.raise_issues(item.question, [issues.Suspicion(ref(item.subject), "negative", "positive", 0.1, ["cleanlab"])])
    second_reviews.open_second_reviews()
    settle(item.seats.get(purpose="second_review"), people.reviewer(), sentiment="positive")
    item.refresh_from_db()
    test.refresh_from_db()
    assert (Label.objects.get().label, item.gold_label, test.status) == ("positive", "", "withdrawn")
    assert second_reviews.keep_gold_ready() == 0
    assert LedgerEntry.objects.filter(action="moderation.item.gold_ended").count() == 1


def test_ending_a_known_answer_takes_back_the_test_that_waits(rules: Any) -> None:
    rules(gold_percent=50)
    item = factories.review_item(factories.customer_review("bad and good"))
    settle(item, people.reviewer(), sentiment="negative")
    second_reviews.set_gold(item, label="negative", actor=people.senior())
    second_reviews.keep_gold_ready()
    second_reviews.set_gold(item, label="", actor=people.senior())
    assert item.seats.get().status == "withdrawn"


def test_a_known_answer_takes_no_seniors_time(rules: Any) -> None:
    rules(gold_percent=50)
    item = factories.review_item(factories.customer_review("bad and good"))
    settle(item, people.reviewer(), sentiment="negative")
    second_reviews.set_gold(item, label="negative", actor=people.senior())
    second_reviews.keep_gold_ready()
    settle(item.seats.get(), people.reviewer(), sentiment="", escalate=True)
    assert item.seats.get().status == "decided"
    assert not Vote.objects.filter(purpose="gold").exists()


@pytest.mark.django_db(transaction=True)
def test_who_takes_a_seat_and_who_settles_its_panel_do_not_wait_for_each_other(panel: ReviewItem) -> None:
    """A person who takes a seat holds its row while they wait for the ledger."""
    all_answer(panel, "negative", "positive", "neutral")
    push()
    asked = ReviewItem.objects.get(purpose="adjudication")
    first = panel.seats.filter(purpose="label").order_by("pk")[1]
    person = ReviewItem.objects.get(pk=first.pk).assignee
    factories.answer(first, person, sentiment="negative")  # they changed their mind: two of three now
    holds, failed = threading.Event(), []

    def take() -> None:
        try:
            with transaction.atomic():
                ReviewItem.objects.filter(pk=asked.pk).update(claimed_at=asked.created_at)
                holds.set()
                until = time.monotonic() + 10
                with connection.cursor() as cursor:
                    while time.monotonic() < until:  # until the other waits for this row
                        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                        if cursor.fetchone()[0]:
                            break
                ledger.append("tests.taken", subject=ref(asked), actor=SystemActor("tests"))
        except Exception as exc:  # a deadlock is an OperationalError in one of the two
            failed.append(exc)
        finally:
            connection.close()

    other = threading.Thread(target=take)
    other.start()
    assert holds.wait(5)
    settling.settle_decisions()
    other.join()
    assert not failed
    assert Decision.objects.get().label == "negative"
    asked.refresh_from_db()
    assert asked.status == "withdrawn"
    assert Consensus.objects.filter(task=panel.labeling_task, method="majority").exists()
    assert seats.panel_of(panel).count() == 3
    assert LabelingTask.objects.get(pk=asked.labeling_task_id).status == "withdrawn"
