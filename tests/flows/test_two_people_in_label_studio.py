"""The two-person rule against a real Label Studio, where every account sees and may answer every task."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.models import PublishedCopy
from labeling import sync
from moderation.decisions import confirmations, settling
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out
from tests import factories, people
from tests.label_studio_server import REVIEWER, SENIOR, Desk
from tests.labeling.conftest import choice, typed
from tests.moderation.conftest import GOOD
from tests.stamped import change, give

pytestmark = [pytest.mark.label_studio, pytest.mark.django_db(transaction=True)]
ACCEPT = [
    choice("verdict", "accept"),
    choice("confirmed", "confirmed"),
    typed("comment", "the certificate is on file"),
]


def _comes_back(item: ReviewItem) -> None:
    sync.reconcile()
    settling.settle_decisions()
    item.refresh_from_db()


def test_no_answer_in_label_studio_is_a_confirmation(label_studio: Desk, settings: Any) -> None:
    maker, senior = (
        people.people("Reviewer", email=REVIEWER.email),
        people.people("Senior reviewer", email=SENIOR.email),
    )
    draft = factories.candidate(GOOD, status="in_review", rank=1)
    factories.finding(draft, "sea green", code="health_claim")
    assert settling.open_reviews() == 1
    sync.push_tasks()
    item = ReviewItem.objects.get()
    assert handing_out.next_item(maker) == item
    task = item.labeling_task

    made = give(label_studio, task, [choice("verdict", "accept")])
    _comes_back(item)
    assert (item.status, item.assignee) == ("dispatched", maker), "it says nothing on the claim, and stays theirs"
    change(label_studio, made.id, task, ACCEPT)
    _comes_back(item)
    assert (item.status, item.proposed_by) == ("confirming", maker)

    give(label_studio, task, ACCEPT)  # the maker, once more
    give(label_studio, task, ACCEPT, by=SENIOR)  # somebody else, on the same task
    label_studio.senior.annotations.update(made.id, result=ACCEPT)  # and somebody else in the maker's own answer
    _comes_back(item)
    assert item.status == "confirming"
    assert not Decision.objects.exists()
    assert not PublishedCopy.objects.exists()

    decision = confirmations.confirm(item, proposal=item.proposal_id, actor=people.senior())
    assert decision.reviewer == maker
    assert PublishedCopy.objects.get().text == GOOD
    assert senior.pk not in (decision.reviewer_id, decision.checker_id)
