"""One person at work: the next item stands there by itself, one is leased ahead, and what is not begun goes back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from audit.models import LedgerEntry
from core.exceptions import PermanentError, StaleState
from labeling.models import Annotation, WebhookEvent
from moderation.decisions import own_answers, settling
from moderation.models.reviewers import Skip
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out, turns
from tests import factories, people

pytestmark = pytest.mark.django_db
COPY = "copy_verdict"


def seconds_left(item: ReviewItem) -> float:
    assert item.lease_expires_at is not None
    return (item.lease_expires_at - timezone.now()).total_seconds()


def test_the_most_urgent_is_before_them_and_the_one_after_it_is_leased_ahead() -> None:
    reviewer = people.reviewer()
    last, first, second = (factories.review_item(risk=risk) for risk in (0.2, 0.9, 0.5))
    turn = turns.take_turn(reviewer, question=COPY)
    assert (turn.current, turn.following) == (first, second)
    assert turns.take_turn(reviewer, question=COPY, showing=first.pk) == turn, "asking again takes nothing more"
    last.refresh_from_db()
    assert last.status == "waiting"
    ahead = ReviewItem.objects.get(pk=second.pk)
    assert (ahead.status, ahead.assignee, ahead.claimed_at) == ("dispatched", reviewer, None)
    assert 60 < seconds_left(ahead) <= 120
    assert turns.take_turn(people.reviewer(), question=COPY).current == last


def test_after_an_answer_the_one_ahead_is_before_them_and_its_clock_starts_then(answer: Callable[..., Any]) -> None:
    reviewer = people.reviewer()
    first, second = factories.review_item(risk=0.9), factories.review_item(risk=0.5)
    third = factories.review_item(risk=0.2)
    turn = turns.take_turn(reviewer, question=COPY)
    answer(turn.current, reviewer, verdict="accept")
    after = turns.take_turn(reviewer, question=COPY, showing=first.pk)
    assert (after.current, after.following) == (second, third)
    held = ReviewItem.objects.get(pk=second.pk)
    assert held.claimed_at is not None
    assert seconds_left(held) > 14 * 60, "for as long as anything is reserved, from now on"


def test_a_webhook_alone_shows_the_next_one_and_decides_nothing() -> None:
    reviewer = people.reviewer()
    first, second = factories.review_item(risk=0.9), factories.review_item(risk=0.5)
    turns.take_turn(reviewer, question=COPY)
    event = WebhookEvent.objects.create(action="ANNOTATION_CREATED", ls_task_ids=[first.labeling_task.ls_task_id])
    assert turns.take_turn(reviewer, question=COPY, showing=first.pk).current == second
    assert not Decision.objects.exists()
    # Followed, and no answer was there: it was forged, or the answer was deleted again.
    WebhookEvent.objects.filter(pk=event.pk).update(status="processed")
    turn = turns.take_turn(reviewer, question=COPY, showing=second.pk)
    assert (turn.current, turn.following) == (second, first), "it comes again, and pushes nothing away"


@pytest.mark.parametrize(
    "told",
    [
        {"action": "ANNOTATION_CREATED", "ls_task_ids": [987654]},
        {"action": "TASKS_DELETED"},
        {"action": "ANNOTATION_CREATED", "age": dt.timedelta(hours=1)},
    ],
)
def test_a_webhook_about_something_else_or_from_before_moves_nothing(told: dict[str, Any]) -> None:
    reviewer, first = people.reviewer(), factories.review_item(risk=0.9)
    factories.review_item(risk=0.5)
    turns.take_turn(reviewer, question=COPY)
    age = told.pop("age", dt.timedelta(0))
    event = WebhookEvent.objects.create(**{"ls_task_ids": [first.labeling_task.ls_task_id], **told})
    WebhookEvent.objects.filter(pk=event.pk).update(received_at=timezone.now() - age)
    assert turns.take_turn(reviewer, question=COPY, showing=first.pk).current == first


def test_what_is_given_back_comes_next_and_does_not_push_away_what_they_read(answer: Callable[..., Any]) -> None:
    reviewer = people.reviewer()
    first, second = factories.review_item(risk=0.9), factories.review_item(risk=0.5)
    factories.review_item(risk=0.3)
    answer(turns.take_turn(reviewer, question=COPY).current, reviewer, verdict="reject")
    turns.take_turn(reviewer, question=COPY, showing=first.pk)
    settling.settle_decisions()
    turn = turns.take_turn(reviewer, question=COPY, showing=second.pk)
    assert (turn.current, turn.following) == (second, first)
    answer(second, reviewer, verdict="accept")
    turn = turns.take_turn(reviewer, question=COPY, showing=second.pk)
    assert turn.current == first
    assert turn.current.returned_reason


def test_who_leaves_gives_back_what_they_had_not_begun_and_keeps_what_they_had() -> None:
    reviewer = people.reviewer()
    for risk in (0.9, 0.5):
        factories.review_item(risk=risk)
    turn = turns.take_turn(reviewer, question=COPY)
    assert turns.leave(reviewer, question=COPY) == 1
    assert list(handing_out.held(reviewer)) == [turn.current]
    assert turns.leave(reviewer, question=COPY) == 0
    assert turns.take_turn(people.reviewer(), question=COPY).current == turn.following


def test_who_vanished_loses_the_one_ahead_within_minutes() -> None:
    reviewer = people.reviewer()
    for risk in (0.9, 0.5):
        factories.review_item(risk=risk)
    turn = turns.take_turn(reviewer, question=COPY)
    ReviewItem.objects.update(lease_expires_at=timezone.now() + dt.timedelta(seconds=5))
    turns.take_turn(reviewer, question=COPY, showing=turn.current.pk)
    ahead = ReviewItem.objects.get(pk=turn.following.pk)
    assert seconds_left(ahead) > 100, "asking keeps it"
    ReviewItem.objects.filter(pk=ahead.pk).update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert handing_out.reap_items() == 1
    ahead.refresh_from_db()
    assert (ahead.status, ahead.assignee) == ("waiting", None)


def test_who_pauses_gives_back_everything_but_what_only_they_can_complete(answer: Callable[..., Any]) -> None:
    reviewer = people.reviewer()
    for risk in (0.9, 0.5, 0.3, 0.2):
        factories.review_item(risk=risk)
    first = turns.take_turn(reviewer, question=COPY).current
    answer(first, reviewer, verdict="reject")
    turns.take_turn(reviewer, question=COPY, showing=first.pk)
    settling.settle_decisions()
    assert turns.pause(reviewer, question=COPY) == 2
    assert list(handing_out.held(reviewer)) == [first]


def test_what_is_answered_is_not_given_back_by_a_pause(answer: Callable[..., Any]) -> None:
    reviewer, item = people.reviewer(), factories.review_item()
    answer(turns.take_turn(reviewer, question=COPY).current, reviewer, verdict="accept")
    assert turns.pause(reviewer, question=COPY) == 0
    assert settling.settle_decisions() == 1
    item.refresh_from_db()
    assert item.status == "decided"


# --- Passing on ---------------------------------------------------------------------------------------------------


def test_what_somebody_passes_on_goes_to_another_and_not_back_to_them() -> None:
    reviewer, other = people.reviewer(), people.reviewer()
    first, second = factories.review_item(risk=0.9), factories.review_item(risk=0.2)
    turns.skip(turns.take_turn(reviewer, question=COPY).current, user=reviewer, reason="unsure")
    assert turns.take_turn(reviewer, question=COPY) == turns.Turn(second, None)
    assert turns.take_turn(other, question=COPY).current == first
    line = LedgerEntry.objects.get(action="moderation.item.skipped")
    assert line.payload["reason"] == "unsure"
    Skip.objects.update(at=timezone.now() - dt.timedelta(hours=13))
    handing_out.release_item(ReviewItem.objects.get(pk=first.pk), actor=other)
    assert first in handing_out.waiting_for(reviewer), "not for ever"


def test_what_three_people_pass_on_is_a_seniors() -> None:
    item = factories.review_item()
    for reason in ("unsure", "broken", "unsure"):
        person = people.reviewer()
        assert turns.take_turn(person, question=COPY).current == item
        turns.skip(item, user=person, reason=reason)
    item.refresh_from_db()
    assert item.status == "escalated"
    assert item.escalated_reason == "3 people passed it on: broken, unsure"
    factories.push_tasks()  # a senior gets a task of their own
    assert turns.take_turn(people.senior(), question=COPY).current == item


def test_a_seat_of_a_panel_that_is_passed_on_is_not_followed_by_another_of_the_same(panel: ReviewItem) -> None:
    person = people.reviewer()
    item = turns.take_turn(person, question=panel.question).current
    assert item is not None
    turns.skip(item, user=person, reason="later")
    assert turns.take_turn(person, question=panel.question).current is None


def test_nobody_passes_on_what_is_not_before_them() -> None:
    reviewer, other = people.reviewer(), people.reviewer()
    item = factories.review_item()
    with pytest.raises(StaleState):
        turns.skip(item, user=reviewer, reason="unsure")
    turns.take_turn(reviewer, question=COPY)
    with pytest.raises(StaleState):
        turns.skip(item, user=other, reason="unsure")
    with pytest.raises(PermanentError, match="no such reason"):
        turns.skip(item, user=reviewer, reason="I do not like it")
    item.refresh_from_db()
    assert (item.status, item.assignee) == ("dispatched", reviewer)
    assert not Skip.objects.exists()


def test_only_reviewers_have_turns() -> None:
    item = factories.review_item()
    for person in (people.auditor(), people.administrator(), people.outsider()):
        for act in (
            lambda who=person: turns.take_turn(who, question=COPY),
            lambda who=person: turns.skip(item, user=who, reason="unsure"),
            lambda who=person: turns.leave(who, question=COPY),
            lambda who=person: turns.pause(who, question=COPY),
            lambda who=person: turns.extend(item, user=who),
        ):
            with pytest.raises(PermissionDenied):
                act()


# --- More time ----------------------------------------------------------------------------------------------------


def test_more_time_is_given_and_not_without_end() -> None:
    reviewer, item = people.reviewer(), factories.review_item()
    turns.take_turn(reviewer, question=COPY)
    ReviewItem.objects.update(lease_expires_at=timezone.now() + dt.timedelta(minutes=1))
    assert seconds_left(turns.extend(item, user=reviewer)) > 14 * 60
    begun = timezone.now() - dt.timedelta(minutes=44)
    ReviewItem.objects.update(claimed_at=begun, lease_expires_at=timezone.now() + dt.timedelta(seconds=30))
    assert 30 < seconds_left(turns.extend(item, user=reviewer)) <= 61
    with pytest.raises(PermanentError, match="no more time"):
        turns.extend(item, user=reviewer)
    ReviewItem.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    with pytest.raises(StaleState):
        turns.extend(item, user=reviewer)


# --- A queue without reservations ---------------------------------------------------------------------------------


def test_without_reservations_something_more_urgent_does_not_push_away_what_they_read(
    rules: Callable[..., None], answer: Callable[..., Any]
) -> None:
    rules(enable_reservations=False)
    reviewer, first = people.reviewer(), factories.review_item(risk=0.2)
    assert turns.take_turn(reviewer, question=COPY) == turns.Turn(first, None)
    urgent = factories.review_item(risk=0.9)
    assert turns.take_turn(reviewer, question=COPY, showing=first.pk).current == first
    answer(first, reviewer, verdict="accept")
    assert turns.take_turn(reviewer, question=COPY, showing=first.pk).current == urgent
    turns.skip(urgent, user=reviewer, reason="later")
    assert turns.take_turn(reviewer, question=COPY, showing=urgent.pk).current is None


# --- What was skipped elsewhere -----------------------------------------------------------------------------------


def test_what_they_skipped_in_label_studio_itself_is_not_before_them_any_more(answer: Callable[..., Any]) -> None:
    reviewer = people.reviewer()
    first, second = factories.review_item(risk=0.9), factories.review_item(risk=0.5)
    answer(turns.take_turn(reviewer, question=COPY).current, reviewer)
    Annotation.objects.update(was_cancelled=True)
    assert turns.take_turn(reviewer, question=COPY, showing=first.pk).current == second


def test_what_was_completed_is_on_its_way_and_not_asked_for_once_more(answer: Callable[..., Any]) -> None:
    reviewer, item = people.reviewer(), factories.review_item()
    answer(turns.take_turn(reviewer, question=COPY).current, reviewer, verdict="reject")
    settling.settle_decisions()
    assert own_answers.fates(reviewer, [item.pk])[item.pk].fate == "again"
    answer(item, reviewer, verdict="reject", reason_codes=["tone"])
    assert own_answers.fates(reviewer, [item.pk])[item.pk].fate == "arriving"
    settling.settle_decisions()
    assert own_answers.fates(reviewer, [item.pk])[item.pk].words == "Rejected"
