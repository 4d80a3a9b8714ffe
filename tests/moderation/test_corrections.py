"""Correcting one's own answer within ten minutes: what went out comes down, and the next answer supersedes the last."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from catalog.models import PublishedCopy
from core.exceptions import PermanentError
from labeling.models import Label, Vote
from moderation.decisions import confirmations, corrections, own_answers, settling
from moderation.models.candidates import Candidate
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out, turns
from tests import factories, people
from tests.moderation.conftest import GOOD

pytestmark = pytest.mark.django_db
FIXED = GOOD + " It is yours."
REJECT = {"verdict": "reject", "reason_codes": ["tone"]}
FIX = {"verdict": "fix", "fixed_text": FIXED, "reason_codes": ["tone"]}


@pytest.fixture(autouse=True)
def _nobody_is_asked_again(rules: Callable[..., None]) -> None:
    rules()


@pytest.fixture
def item() -> ReviewItem:
    return factories.review_item(factories.candidate(GOOD, status="in_review", rank=1))


def live() -> list[str]:
    return list(PublishedCopy.objects.filter(retired_at=None).values_list("text", flat=True))


@pytest.mark.parametrize(
    ("first", "was_live", "second", "is_live", "outcomes"),
    [
        ({"verdict": "accept"}, [GOOD], REJECT, [], ["approve", "retire", "reject"]),
        ({"verdict": "accept"}, [GOOD], {"verdict": "accept"}, [GOOD], ["approve", "retire", "approve"]),
        ({"verdict": "accept"}, [GOOD], FIX, [FIXED], ["approve", "retire", "edit"]),
        (FIX, [FIXED], {"verdict": "accept"}, [GOOD], ["edit", "retire", "approve"]),
        (FIX, [FIXED], {**FIX, "fixed_text": f"{FIXED} Enjoy."}, [f"{FIXED} Enjoy."], ["edit", "retire", "edit"]),
        (REJECT, [], {"verdict": "accept"}, [GOOD], ["reject", "approve"]),
    ],
)
def test_what_went_out_comes_down_at_once_and_the_next_answer_stands(
    item: ReviewItem, answer: Callable[..., Any], first: Any, was_live: Any, second: Any, is_live: Any, outcomes: Any
) -> None:
    reviewer = people.reviewer()
    answer(handing_out.next_item(reviewer), reviewer, **first)
    assert settling.settle_decisions() == 1
    assert live() == was_live
    corrections.correct(item, actor=reviewer)
    assert live() == []
    turn = turns.take_turn(reviewer, question=item.question)
    assert turn.current == item, "it is before them again"
    answer(item, reviewer, **second)
    assert settling.settle_decisions() == 1
    assert live() == is_live
    chain = list(Decision.objects.order_by("created_at"))
    assert [decision.outcome for decision in chain] == outcomes
    assert [later.supersedes for later in chain[1:]] == chain[:-1]


def test_a_label_is_corrected_and_the_correction_superseded_it(answer: Callable[..., Any]) -> None:
    reviewer, item = people.reviewer(), factories.review_item(factories.customer_review())
    answer(handing_out.next_item(reviewer), reviewer, sentiment="positive")
    settling.settle_decisions()
    corrections.correct(item, actor=reviewer)
    assert not Label.objects.exists(), "nobody learns from it until they answered again"
    assert not Vote.objects.exists()
    answer(item, reviewer, sentiment="negative")
    settling.settle_decisions()
    assert (Label.objects.get().label, Vote.objects.get().label) == ("negative", "negative")
    assert Decision.objects.get(superseded_by=None).label == "negative"


def test_what_waits_for_a_second_person_is_taken_back(answer: Callable[..., Any]) -> None:
    draft = factories.candidate(GOOD, status="in_review", rank=1)
    found = factories.finding(draft, "sea green", code="health_claim")
    item, reviewer = factories.review_item(draft), people.reviewer()
    said = {"verdict": "accept", "dismissed_findings": [str(found.pk)], "comment": "it is a colour"}
    answer(handing_out.next_item(reviewer), reviewer, **said)
    settling.settle_decisions()
    item.refresh_from_db()
    assert item.status == "confirming"
    assert not list(own_answers.answers_of(people.reviewer()))
    corrections.correct(item, actor=reviewer)
    item.refresh_from_db()
    assert (item.status, item.assignee, item.proposal) == ("dispatched", reviewer, None)
    assert not confirmations.waiting().exists()
    answer(item, reviewer, **REJECT, comment="it is not")
    settling.settle_decisions()
    assert Decision.objects.get().outcome == "reject"


def test_an_answer_of_a_panel_is_corrected_while_the_others_are_still_asked(
    panel: ReviewItem, says: Callable[..., ReviewItem]
) -> None:
    person = people.reviewer()
    item = says(person, "positive")
    assert item.status == "answered"
    corrections.correct(item, actor=person)
    item.refresh_from_db()
    assert (item.status, item.assignee) == ("dispatched", person)
    assert not Vote.objects.exists()
    others = [people.reviewer(), people.reviewer()]
    for other in others:
        says(other, "negative")
    panel.refresh_from_db()
    assert panel.status != "decided", "theirs is missing"
    factories.answer(item, person, sentiment="negative")
    settling.settle_decisions()
    assert Label.objects.get().label == "negative"
    with pytest.raises(PermanentError, match="cannot be corrected"):
        corrections.correct(item, actor=person)


def test_only_ones_own_answer_and_only_for_ten_minutes(item: ReviewItem, answer: Callable[..., Any]) -> None:
    reviewer = people.reviewer()
    answer(handing_out.next_item(reviewer), reviewer, verdict="accept")
    settling.settle_decisions()
    for other in (people.reviewer(), people.senior()):
        with pytest.raises(PermanentError, match="cannot be corrected"):
            corrections.correct(item, actor=other)
    with pytest.raises(PermissionDenied):
        corrections.correct(item, actor=people.auditor())
    Decision.objects.update(created_at=timezone.now() - dt.timedelta(minutes=11))
    assert corrections.correctable_until(item, reviewer) is None
    with pytest.raises(PermanentError, match="cannot be corrected"):
        corrections.correct(item, actor=reviewer)
    assert live() == [GOOD]


def test_what_two_people_let_out_is_not_one_persons_to_take_down(answer: Callable[..., Any]) -> None:
    draft = factories.candidate(GOOD, status="in_review", rank=1)
    found = factories.finding(draft, "sea green", code="health_claim")
    item, reviewer = factories.review_item(draft), people.reviewer()
    answer(
        handing_out.next_item(reviewer),
        reviewer,
        verdict="accept",
        dismissed_findings=[str(found.pk)],
        comment="a colour",
    )
    settling.settle_decisions()
    item.refresh_from_db()
    confirmations.confirm(item, proposal=item.proposal_id, actor=people.senior())
    with pytest.raises(PermanentError, match="cannot be corrected"):
        corrections.correct(item, actor=reviewer)
    assert live() == [GOOD]


def test_a_correction_that_nobody_makes_waits_for_the_next_person(item: ReviewItem, answer: Callable[..., Any]) -> None:
    reviewer, other = people.reviewer(), people.reviewer()
    answer(handing_out.next_item(reviewer), reviewer, verdict="accept")
    settling.settle_decisions()
    corrections.correct(item, actor=reviewer)
    ReviewItem.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert handing_out.reap_items() == 1
    assert turns.take_turn(other, question=item.question).current == item
    answer(item, other, **REJECT)
    settling.settle_decisions()
    assert (Candidate.objects.get().status, live()) == ("rejected", [])


def test_twice_at_once_is_once(item: ReviewItem, answer: Callable[..., Any]) -> None:
    reviewer = people.reviewer()
    answer(handing_out.next_item(reviewer), reviewer, verdict="accept")
    settling.settle_decisions()
    corrections.correct(item, actor=reviewer)
    with pytest.raises(PermanentError, match="cannot be corrected"):
        corrections.correct(item, actor=reviewer)
    assert Decision.objects.filter(outcome="retire").count() == 1


def test_a_list_of_ones_own_answers_says_what_became_of_each(item: ReviewItem, answer: Callable[..., Any]) -> None:
    reviewer = people.reviewer()
    answer(handing_out.next_item(reviewer), reviewer, verdict="accept")
    assert own_answers.answers_of(reviewer)[0].fate == own_answers.Fate.ARRIVING
    settling.settle_decisions()
    (own,) = own_answers.answers_of(reviewer, question="copy_verdict")
    assert (own.fate, own.words) == ("done", "Published: Harbour mug 1")
    assert own.correct_until is not None
    assert own_answers.n_answered_today(reviewer, question="copy_verdict") == 1
    assert own_answers.answers_of(reviewer, question="sentiment") == []
    assert own_answers.answers_of(people.reviewer()) == []
    assert own_answers.fates(people.reviewer(), [item.pk]) == {}, "of others' answers nobody is told"
