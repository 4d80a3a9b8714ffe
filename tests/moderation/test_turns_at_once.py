"""People, tabs and workers at the same moment: nobody gets what another has, and of two acts on one answer one wins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catalog.models import PublishedCopy
from core.exceptions import EcomsiteError
from moderation.decisions import confirmations, corrections, settling
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out, turns
from tests import factories, people
from tests.at_once import at_once
from tests.moderation.conftest import GOOD

pytestmark = pytest.mark.django_db(transaction=True)
KIND = "copy_verdict"


def _items(n: int) -> None:
    order = factories.generation_request(status="completed")
    for _ in range(n):
        factories.review_item(factories.candidate("A mug.", request=order, status="in_review"))


def test_twenty_people_who_sit_down_at_once_have_forty_different_items() -> None:
    _items(45)
    crowd = [people.reviewer() for _ in range(20)]
    found: Any = at_once(*(lambda who=person: turns.take_turn(who, question=KIND) for person in crowd))
    given = [item.pk for turn in found for item in (turn.current, turn.following) if item]
    assert len(given) == len(set(given)) == 40


def test_two_tabs_of_one_person_show_the_same_and_hold_no_more_than_they_need() -> None:
    _items(10)
    person = people.reviewer()
    turns.take_turn(person, question=KIND)
    for _ in range(5):
        found: Any = at_once(*[lambda: turns.take_turn(person, question=KIND)] * 4)
        assert len({turn.current.pk for turn in found}) == 1
    assert handing_out.held(person).count() == 2


def test_who_skips_in_one_tab_and_pauses_in_another_gives_it_back_once() -> None:
    _items(1)
    person = people.reviewer()
    item = turns.take_turn(person, question=KIND).current
    assert item is not None
    at_once(lambda: turns.skip(item, user=person, reason="later"), lambda: turns.pause(person, question=KIND))
    item.refresh_from_db()
    assert (item.status, item.assignee) == ("waiting", None)


def test_what_is_answered_and_skipped_at_once_is_decided_or_free_and_never_both(answer: Callable[..., Any]) -> None:
    _items(1)
    person = people.reviewer()
    item = turns.take_turn(person, question=KIND).current
    assert item is not None
    answer(item, person, verdict="reject", reason_codes=["tone"])
    at_once(settling.settle_decisions, lambda: turns.skip(item, user=person, reason="later"))
    item.refresh_from_db()
    n_decided = Decision.objects.count()
    assert (item.status, n_decided) in (("decided", 1), ("waiting", 0))


def test_what_is_confirmed_and_corrected_at_once_is_one_of_them(answer: Callable[..., Any]) -> None:
    draft = factories.candidate(GOOD, status="in_review", rank=1)
    found = factories.finding(draft, "sea green", code="health_claim")
    item, maker, checker = factories.review_item(draft), people.reviewer(), people.senior()
    said = {"verdict": "accept", "dismissed_findings": [str(found.pk)], "comment": "a colour"}
    answer(handing_out.next_item(maker), maker, **said)
    settling.settle_decisions()
    item.refresh_from_db()
    outcomes = at_once(
        lambda: confirmations.confirm(item, proposal=item.proposal_id or 0, actor=checker),
        lambda: corrections.correct(item, actor=maker),
    )
    assert sum(isinstance(outcome, EcomsiteError) for outcome in outcomes) == 1
    item.refresh_from_db()
    is_live = PublishedCopy.objects.filter(retired_at=None).exists()
    assert (item.status, is_live) in ((ReviewItem.Status.DECIDED, True), (ReviewItem.Status.DISPATCHED, False))


def test_corrected_twice_at_once_is_taken_down_once(answer: Callable[..., Any]) -> None:
    item, maker = factories.review_item(factories.candidate(GOOD, status="in_review", rank=1)), people.reviewer()
    answer(handing_out.next_item(maker), maker, verdict="accept")
    settling.settle_decisions()
    outcomes = at_once(*[lambda: corrections.correct(item, actor=maker)] * 3)
    assert sum(isinstance(outcome, EcomsiteError) for outcome in outcomes) == 2
    assert list(Decision.objects.order_by("created_at").values_list("outcome", flat=True)) == ["approve", "retire"]
