"""One item, one person, for a limited time."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from core.exceptions import StaleState
from moderation import queue, review
from moderation.models.reviews import ReviewItem
from tests import factories, people


@pytest.mark.django_db
def test_the_most_urgent_item_goes_first_and_stays_with_the_person() -> None:
    reviewer = people.reviewer()
    factories.review_item(priority=0.2)
    urgent = factories.review_item(priority=0.9)
    assert queue.next_item(reviewer) == urgent
    assert queue.next_item(reviewer) == urgent, "pressing Next again resumes what is not answered"
    assert queue.next_item(people.reviewer()) != urgent


@pytest.mark.django_db
def test_an_item_that_is_not_in_label_studio_yet_is_not_handed_out() -> None:
    factories.review_item(pushed=False)
    assert queue.next_item(people.reviewer()) is None


@pytest.mark.django_db
def test_only_reviewers_take_items() -> None:
    factories.review_item()
    for person in (people.auditor(), people.ml_engineer(), people.administrator(), people.outsider()):
        with pytest.raises(PermissionDenied):
            queue.next_item(person)


@pytest.mark.django_db
def test_who_has_answered_gets_the_next_one_even_before_it_is_settled(answer) -> None:
    reviewer = people.reviewer()
    first, second = factories.review_item(priority=1), factories.review_item()
    assert queue.next_item(reviewer) == first
    answer(ReviewItem.objects.get(pk=first.pk), reviewer, verdict="accept")
    assert queue.next_item(reviewer) == second


@pytest.mark.django_db
def test_an_absent_reviewers_item_goes_back() -> None:
    reviewer = people.reviewer()
    item = queue.next_item(factories.review_item() and reviewer)
    ReviewItem.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert queue.reap_items() == 1
    item.refresh_from_db()
    assert (item.status, item.assignee, item.lease_token) == ("waiting", None, None)


@pytest.mark.django_db
def test_a_reviewer_can_put_an_item_back_but_not_somebody_elses() -> None:
    factories.review_item()
    reviewer = people.reviewer()
    item = queue.next_item(reviewer)
    with pytest.raises(StaleState):
        queue.release_item(item, actor=people.reviewer())
    queue.release_item(item, actor=reviewer)
    assert ReviewItem.objects.get().status == "waiting"


@pytest.mark.django_db
def test_escalated_items_go_to_seniors_first_and_never_back_to_who_escalated() -> None:
    ordinary, hard = factories.review_item(priority=9), factories.review_item()
    senior, other = people.senior(), people.senior()
    review.escalate(hard, actor=senior, reason="second opinion")
    assert queue.next_item(people.reviewer()) == ordinary
    assert queue.next_item(senior) is None
    assert queue.next_item(other) == hard


@pytest.mark.django_db(transaction=True)
def test_many_people_pressing_next_at_once_never_get_the_same_item() -> None:
    crowd = [people.reviewer() for _ in range(12)]
    for _ in range(30):
        factories.review_item()

    def press(person):
        try:
            return queue.next_item(person)
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        taken = [item.pk for item in pool.map(press, crowd)]
    assert len(set(taken)) == 12
