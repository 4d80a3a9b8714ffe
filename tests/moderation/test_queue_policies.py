"""The rules of each queue: who sets them, and that they are kept."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from audit.models import LedgerEntry
from core.exceptions import PermanentError
from labeling.question import queue_names
from moderation.decisions import settling
from moderation.models.queues import QueuePolicy
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out, rules
from tests import factories, people

pytestmark = pytest.mark.django_db
COPY = "copy_verdict"


def set_rules(**changes: object) -> QueuePolicy:
    return rules.set_policy(COPY, actor=people.administrator(), **changes)


def test_a_queue_without_rules_has_those_of_the_settings_and_reading_stores_nothing(settings) -> None:
    settings.MODERATION = replace(settings.MODERATION, queue={**settings.MODERATION.queue, "sla_minutes": 77})
    assert rules.policy_for(COPY).sla_minutes == 77
    assert set(rules.policies()) == set(queue_names())
    assert not QueuePolicy.objects.exists()


def test_only_administrators_set_rules_and_it_is_on_record_without_names() -> None:
    for person in (people.reviewer(), people.senior(), people.auditor(), people.ml_engineer(), people.outsider()):
        with pytest.raises(PermissionDenied):
            rules.set_policy(COPY, actor=person, sla_minutes=5)
    assert not QueuePolicy.objects.exists()
    reviewer = people.reviewer()
    set_rules(sla_minutes=30, reviewer_access_mode="assigned", reviewers=[reviewer])
    line = LedgerEntry.objects.get(action="moderation.queue.policy_set")
    assert line.payload["changed"]["sla_minutes"] == [1440, 30]
    assert line.payload["changed"]["reviewers"] == [[], [f"user:{reviewer.pk}"]]
    assert "@" not in str(line.payload)
    set_rules(sla_minutes=30)
    assert LedgerEntry.objects.filter(action="moderation.queue.policy_set").count() == 1, "nothing changed"


@pytest.mark.parametrize(
    "changes",
    [
        {"sla_minutes": 0},
        {"reservation_minutes": 10**9},
        {"max_waiting": -1},
        {"reviewer_access_mode": "nobody"},
        {"reviewer_access_mode": "assigned"},
        {"num_reviewers_per_item": 0},
        {"paused_at": None},
        {"blind_percent": 101},
        {"consensus_method": "lottery"},
    ],
)
def test_rules_that_make_no_sense_are_refused(changes) -> None:
    with pytest.raises(PermanentError):
        set_rules(**changes)


def test_who_may_not_review_cannot_be_assigned() -> None:
    with pytest.raises(PermanentError):
        set_rules(reviewer_access_mode="assigned", reviewers=[people.auditor()])


def test_an_item_is_reserved_for_as_long_as_the_rules_say() -> None:
    set_rules(reservation_minutes=3)
    factories.review_item()
    item = handing_out.next_item(people.reviewer(), question=COPY)
    left = ReviewItem.objects.get(pk=item.pk).lease_expires_at - timezone.now()
    assert dt.timedelta(minutes=2.8) < left <= dt.timedelta(minutes=3.1)


def test_an_assigned_queue_is_for_the_people_assigned_and_for_seniors_when_it_is_escalated() -> None:
    chosen, other, senior = people.reviewer(), people.reviewer(), people.senior()
    set_rules(reviewer_access_mode="assigned", reviewers=[chosen])
    item, label = factories.review_item(), factories.review_item(factories.customer_review())
    assert handing_out.next_item(other, question=COPY) is None
    assert not handing_out.waiting_for(other, question=COPY).exists()
    assert handing_out.next_item(other) == label, "the other queue is open to all"
    assert handing_out.next_item(senior, question=COPY) is None
    assert handing_out.next_item(chosen, question=COPY) == item
    settling.escalate(item, actor=chosen, reason="hard")
    factories.push_tasks()
    assert handing_out.next_item(senior, question=COPY) == item


def test_an_answer_given_past_an_assigned_queue_goes_to_a_senior(answer) -> None:
    chosen, other = people.reviewer(), people.reviewer()
    set_rules(reviewer_access_mode="assigned", reviewers=[chosen])
    item = factories.review_item()
    answer(item, other, verdict="accept")
    assert settling.settle_decisions() == 0
    item.refresh_from_db()
    assert item.status == "escalated"
    assert "not assigned to the queue" in item.escalated_reason


def test_who_holds_an_item_may_still_decide_it_when_the_rules_change(answer) -> None:
    person = people.reviewer()
    item = factories.review_item()
    handing_out.next_item(person)
    set_rules(reviewer_access_mode="assigned", reviewers=[people.reviewer()])
    answer(item, person, verdict="accept")
    assert settling.settle_decisions() == 1


def test_without_reservations_everybody_gets_the_most_urgent_item_they_have_not_answered(answer) -> None:
    set_rules(enable_reservations=False)
    first, second = factories.review_item(risk=1), factories.review_item()
    one, two = people.reviewer(), people.reviewer()
    assert handing_out.next_item(one, question=COPY) == first
    assert handing_out.next_item(two, question=COPY) == first
    shown = ReviewItem.objects.get(pk=first.pk)
    assert (shown.status, shown.lease_token) == ("waiting", None)
    assert shown.claimed_at is not None
    answer(first, one, verdict="accept")
    assert handing_out.next_item(one, question=COPY) == second
    assert settling.settle_decisions() == 1
    decided = ReviewItem.objects.get(pk=first.pk)
    assert decided.claimed_at == shown.claimed_at, "handling began when it was first shown"
    assert handing_out.next_item(two, question=COPY) == second
