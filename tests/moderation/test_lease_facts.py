"""Every lease of a person on an item is kept, whoever gave, prolonged or ended it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.utils import timezone

from core import leases
from labeling.models import LabelingTask, TaskLease
from moderation.decisions import sending_back, settling
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out, seats
from tests import factories, people

pytestmark = pytest.mark.django_db


def test_what_is_handed_out_is_a_fact_until_it_is_let_go_of() -> None:
    item, person = factories.review_item(), people.reviewer()
    assert not TaskLease.objects.exists()
    taken = handing_out.next_item(person)
    assert taken == item
    held = ReviewItem.objects.get(pk=item.pk)
    kept = TaskLease.objects.get()
    assert (kept.task, kept.person, kept.token) == (item.labeling_task, person, held.lease_token)
    assert kept.until == held.lease_expires_at

    handing_out.release_item(held, actor=person)
    kept.refresh_from_db()
    assert kept.until <= timezone.now(), "it ended then, and not when it would have"
    handing_out.next_item(person)
    assert TaskLease.objects.count() == 2


def test_a_lease_that_is_prolonged_ends_later() -> None:
    item, person = factories.review_item(), people.reviewer()
    handing_out.next_item(person)
    held = ReviewItem.objects.get(pk=item.pk)
    leases.renew([held], duration=dt.timedelta(hours=2))
    held.refresh_from_db()
    assert TaskLease.objects.get().until == held.lease_expires_at


def test_a_lease_that_ran_out_ended_when_it_ran_out() -> None:
    item, person = factories.review_item(), people.reviewer()
    handing_out.next_item(person)
    ran_out = timezone.now() - dt.timedelta(minutes=7)
    ReviewItem.objects.filter(pk=item.pk).update(lease_expires_at=ran_out)
    assert handing_out.reap_items() == 1
    assert TaskLease.objects.get().until == ran_out


def test_whoever_has_to_answer_again_has_a_lease_on_the_fresh_task(panel: ReviewItem, says: Any) -> None:
    person = people.reviewer()
    answered = says(person, "negative")
    before = answered.labeling_task
    sending_back.send_back(answered, actor=people.senior(), reason="look again", to_same_person=True)
    fresh = ReviewItem.objects.get(pk=answered.pk).labeling_task
    assert fresh != before
    [ended, running] = TaskLease.objects.filter(person=person, task__in=[before, fresh]).order_by("pk")[:2]
    assert ended.until <= timezone.now()
    assert TaskLease.objects.get(task=fresh).until > timezone.now()
    assert running.person == person


def test_what_a_lease_was_on_before_is_not_held_any_more() -> None:
    item, one, two = factories.review_item(), people.reviewer(), people.reviewer()
    factories.lease(item, one)
    factories.lease(item, two)
    assert TaskLease.objects.get(person=one).until <= timezone.now()
    assert TaskLease.objects.get(person=two).until > timezone.now()


def test_a_lease_of_the_desk_s_own_on_an_item_is_nobody_s() -> None:
    item = factories.review_item()
    ReviewItem.objects.filter(pk=item.pk).update(lease_token=uuid.uuid4(), lease_expires_at=timezone.now())
    assert not TaskLease.objects.exists()


def test_without_reservations_it_is_a_fact_that_it_was_shown(rules: Any) -> None:
    rules(enable_reservations=False)
    item, person = factories.review_item(), people.reviewer()
    assert handing_out.next_item(person) == handing_out.next_item(person) == item
    shown = TaskLease.objects.get()
    assert (shown.person, shown.token, shown.until) == (person, None, None)


def test_a_senior_is_given_a_task_of_their_own_with_what_was_said_on_top(answer: Any) -> None:
    item, person = factories.review_item(), people.reviewer()
    first = item.labeling_task
    LabelingTask.objects.filter(pk=first.pk).update(payload={"draft_html": "<p>A mug.</p>", "text": "A mug."})
    answer(
        item, person, verdict="fix", fixed_text="A <b>cup</b>.", reason_codes=["tone"], escalate=True, comment="Is it?"
    )
    settling.settle_decisions()
    item = ReviewItem.objects.get(pk=item.pk)
    assert item.status == "escalated"
    assert item.labeling_task != first
    shown = item.labeling_task.payload["draft_html"]
    assert "First answer: fix; tone; “A &lt;b&gt;cup&lt;/b&gt;.”; comment: Is it?" in shown
    assert shown.endswith("<p>A mug.</p>")
    assert LabelingTask.objects.get(pk=first.pk).payload["draft_html"] == "<p>A mug.</p>"


def test_what_nobody_answered_is_withdrawn_when_it_is_passed_on() -> None:
    item, person = factories.review_item(), people.reviewer()
    handing_out.next_item(person)
    settling.escalate(ReviewItem.objects.get(pk=item.pk), actor=person, reason="Not mine to say")
    now = ReviewItem.objects.get(pk=item.pk)
    assert LabelingTask.objects.get(pk=item.labeling_task_id).status == "withdrawn"
    assert now.labeling_task.status == "open"
    assert "Not mine to say" in now.labeling_task.payload["draft_html"]
    assert seats.answered_in_words(item.labeling_task) == ""
