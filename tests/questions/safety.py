"""Customer reviews that people are asked about: how they come before somebody, and what that person says."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from catalog.models import CustomerReview, HiddenReview
from labeling.models import Vote
from moderation.decisions import second_reviews, settling
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues.rules import policy_for
from tests import factories, people

KIND = "review_safety"


def asked(review: CustomerReview | None = None) -> ReviewItem:
    """Return an item that asks whether `review` is safe, in Label Studio."""
    with transaction.atomic():
        item = second_reviews.open_blind(
            KIND, review or factories.customer_review(), purpose=Vote.Purpose.LABEL, policy=policy_for(KIND)
        )
    factories.push_tasks()
    return item


def says(item: ReviewItem, *ticked: str, by: User | None = None) -> Decision:
    """Have `by`, or some reviewer, tick these answers (none: none of them), and return the decision."""
    factories.answer(item, by or people.reviewer(), review_safety=list(ticked), escalate=False)
    settling.settle_decisions()
    return Decision.objects.get(item=item.leading, superseded_by=None)


def is_hidden(review: CustomerReview | None) -> bool:
    """Whether a decision hides it now."""
    return HiddenReview.objects.filter(review=review, ended_at=None).exists()
