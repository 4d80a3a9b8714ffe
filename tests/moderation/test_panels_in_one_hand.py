"""A panel is not answered twice by people who are in the same hands."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts import hands
from audit import ledger
from core.refs import ref
from moderation.decisions import settling
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out
from tests import people

pytestmark = pytest.mark.django_db


def test_nobody_is_asked_what_the_administrator_of_their_account_answered(
    panel: ReviewItem, says: Callable[..., ReviewItem]
) -> None:
    one, two, three = people.reviewer(), people.reviewer(), people.reviewer()
    ledger.append(hands.PASSWORD_SET, subject=ref(two), actor=one)
    says(one, "positive")
    assert handing_out.next_item(two) is None
    assert handing_out.next_item(three) is not None


def test_an_answer_given_past_the_queue_does_not_count(
    panel: ReviewItem, says: Callable[..., ReviewItem], answer: Callable[..., object]
) -> None:
    one, two = people.reviewer(), people.reviewer()
    says(one, "positive")
    item = handing_out.next_item(two)
    assert item is not None
    ledger.append(hands.PASSWORD_SET, subject=ref(two), actor=one)
    answer(item, two, sentiment="positive")
    settling.settle_decisions()
    item.refresh_from_db()
    assert item.status == "escalated", "a senior looks at it"
    assert "counts as one person" in item.escalated_reason
