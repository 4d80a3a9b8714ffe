"""One item, one person, for a limited time."""

from __future__ import annotations

import datetime as dt
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from core.exceptions import StaleState
from moderation import priority
from moderation.decisions import settling
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out, rules
from tests import factories, people

LIMITS = (priority.RISK, priority.UNCERTAINTY, priority.VALUE)


@pytest.mark.django_db
def test_the_most_urgent_item_goes_first_and_stays_with_the_person() -> None:
    reviewer = people.reviewer()
    factories.review_item(risk=0.2)
    urgent = factories.review_item(risk=0.9)
    assert handing_out.next_item(reviewer) == urgent
    assert handing_out.next_item(reviewer) == urgent, "pressing Next again resumes what is not answered"
    assert handing_out.next_item(people.reviewer()) != urgent


@pytest.mark.django_db
def test_an_item_that_is_not_in_label_studio_yet_is_not_handed_out() -> None:
    factories.review_item(pushed=False)
    assert handing_out.next_item(people.reviewer()) is None


@pytest.mark.django_db
def test_only_reviewers_take_items() -> None:
    factories.review_item()
    for person in (people.auditor(), people.ml_engineer(), people.administrator(), people.outsider()):
        with pytest.raises(PermissionDenied):
            handing_out.next_item(person)


@pytest.mark.django_db
def test_who_has_answered_gets_the_next_one_even_before_it_is_settled(answer) -> None:
    reviewer = people.reviewer()
    first, second = factories.review_item(risk=1), factories.review_item()
    assert handing_out.next_item(reviewer) == first
    answer(ReviewItem.objects.get(pk=first.pk), reviewer, verdict="accept")
    assert handing_out.next_item(reviewer) == second


@pytest.mark.django_db
def test_an_absent_reviewers_item_goes_back() -> None:
    reviewer = people.reviewer()
    item = handing_out.next_item(factories.review_item() and reviewer)
    ReviewItem.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert handing_out.reap_items() == 1
    item.refresh_from_db()
    assert (item.status, item.assignee, item.lease_token) == ("waiting", None, None)


@pytest.mark.django_db
def test_a_reviewer_can_put_an_item_back_but_not_somebody_elses() -> None:
    factories.review_item()
    reviewer = people.reviewer()
    item = handing_out.next_item(reviewer)
    with pytest.raises(StaleState):
        handing_out.release_item(item, actor=people.reviewer())
    handing_out.release_item(item, actor=reviewer)
    assert ReviewItem.objects.get().status == "waiting"


@pytest.mark.django_db
def test_escalated_items_go_to_seniors_first_and_never_back_to_who_escalated() -> None:
    ordinary, hard = factories.review_item(risk=1), factories.review_item()
    senior, other = people.senior(), people.senior()
    settling.escalate(hard, actor=senior, reason="second opinion")
    factories.push_tasks()
    assert handing_out.next_item(people.reviewer()) == ordinary
    assert handing_out.next_item(senior) is None
    assert handing_out.next_item(other) == hard


@pytest.mark.django_db
def test_what_is_escalated_goes_first_though_something_more_urgent_waits() -> None:
    hard = factories.review_item(risk=0.1, uncertainty=0.1)
    factories.review_item(risk=1, uncertainty=1, value=3)
    settling.escalate(hard, actor=people.reviewer(), reason="second opinion")
    factories.push_tasks()
    assert handing_out.next_item(people.senior()) == hard


@pytest.mark.django_db
def test_nothing_starves() -> None:
    """However many urgent ones are opened after it, the least urgent item is next once it has waited long enough."""
    least = dict(zip(("risk", "uncertainty", "value"), (low for low, _ in LIMITS), strict=True))
    most = dict(zip(("risk", "uncertainty", "value"), (high for _, high in LIMITS), strict=True))
    bound = priority.longest_overtaking(rules.policy_for("copy_verdict").ageing)
    old = factories.review_item(**least, age=bound)
    fresh = [factories.review_item(**most, age=dt.timedelta(seconds=-n)) for n in range(1, 21)]
    assert handing_out.next_item(people.reviewer()) == old
    younger = factories.review_item(**least, age=bound - dt.timedelta(minutes=1))
    assert handing_out.next_item(people.reviewer()) == fresh[0]
    assert handing_out.waiting_for(people.reviewer()).last() == younger


@pytest.mark.django_db
def test_letting_go_is_on_the_clock_and_the_next_person_starts_it_anew() -> None:
    factories.review_item()
    reviewer = people.reviewer()
    handing_out.release_item(handing_out.next_item(reviewer), actor=reviewer)
    item = ReviewItem.objects.get()
    assert item.released_at is not None
    assert item.claimed_at is None
    handing_out.next_item(people.reviewer())
    item.refresh_from_db()
    assert item.claimed_at > item.released_at
    ReviewItem.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    let_go = item.released_at
    handing_out.reap_items()
    item.refresh_from_db()
    assert item.released_at > let_go
    assert item.claimed_at is None


@pytest.mark.django_db
def test_a_senior_who_went_away_gives_an_escalated_item_back() -> None:
    item = factories.review_item()
    settling.escalate(item, actor=people.reviewer(), reason="hard")
    factories.push_tasks()
    handing_out.next_item(people.senior())
    ReviewItem.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert handing_out.reap_items() == 1
    item.refresh_from_db()
    assert (item.status, item.assignee) == ("escalated", None)
    assert item.released_at is not None


@pytest.mark.django_db
def test_who_looks_late_does_not_take_an_item_from_who_has_it_now() -> None:
    factories.review_item()
    late, now = people.reviewer(), people.reviewer()
    seen = handing_out.next_item(late)
    ReviewItem.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    handing_out.reap_items()
    assert handing_out.next_item(now) == seen
    with pytest.raises(StaleState):
        handing_out.release_item(seen, actor=late)
    assert ReviewItem.objects.get().assignee == now


@pytest.mark.django_db
def test_the_next_item_is_found_by_the_index_and_not_by_sorting() -> None:
    reviewer = people.reviewer()
    for n in range(300):
        factories.review_item(risk=0.1 + n / 1000)
    with connection.cursor() as cursor:
        for table in ("moderation_reviewitem", "labeling_labelingtask"):
            cursor.execute(f"ANALYZE {table}")
    offered = handing_out.waiting_for(reviewer, question="copy_verdict")[:1]
    plan = offered.select_for_update(skip_locked=True, of=("self",)).explain()
    assert "review_next" in plan
    assert "Sort" not in plan


@pytest.mark.django_db(transaction=True)
def test_fifty_people_who_press_next_at_once_four_times_never_get_the_same_item(capsys) -> None:
    n_people, n_rounds, n_items = 50, 4, 180
    crowd = [people.reviewer() for _ in range(n_people)]
    order = factories.generation_request(status="completed")
    for _ in range(n_items):
        factories.review_item(factories.candidate("A mug.", request=order, status="in_review"))
    together = threading.Barrier(n_people)

    def press_and_decide(person):
        taken = []
        try:
            for _ in range(n_rounds):
                together.wait(timeout=60)
                item = handing_out.next_item(person, question="copy_verdict")
                if item is not None:
                    taken.append(item.pk)
                together.wait(timeout=60)  # all have theirs before the first is decided
                if item is not None:
                    ReviewItem.objects.filter(pk=item.pk, assignee=person).update(status="decided")
            return taken
        finally:
            connection.close()

    began = time.monotonic()
    with ThreadPoolExecutor(n_people) as pool:
        given = [pk for taken in pool.map(press_and_decide, crowd) for pk in taken]
    with capsys.disabled():
        print(  # noqa: T201  (a promise is shown with its numbers)
            f"\n{n_people} people pressed Next at once, {n_rounds} rounds, {n_items} items: {len(given)} given, "
            f"{len(given) - len(set(given))} given twice, {time.monotonic() - began:.1f} s"
        )
    assert len(set(given)) == len(given) == n_items
