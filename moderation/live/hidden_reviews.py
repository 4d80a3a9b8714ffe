"""Hiding customer reviews and showing them again. Only a recorded decision of people does either."""

from __future__ import annotations

from collections.abc import Collection

from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from catalog import hiding
from catalog.models import CustomerReview, HiddenReview
from core import label_sets
from core.exceptions import PermanentError
from core.refs import ref
from moderation import announcements
from moderation.models.reviews import Decision


def hidden_by(decision: Decision) -> HiddenReview | None:
    """Return what `decision` hid, whether that stands still or not; None where it hid nothing."""
    return HiddenReview.objects.filter(decision_ref=ref(decision)).select_related("review__product").first()


def hidden_now(review: CustomerReview) -> HiddenReview | None:
    """Return what hides `review` now; None while it is shown."""
    return HiddenReview.objects.filter(review=review, ended_at=None).select_related("review").first()


def follow(decision: Decision, *, unsafe: Collection[str]) -> None:
    """Hide the customer review that `decision` is about if its label holds one of `unsafe`, and show it if it holds
    none.

    In the transaction of the decision, whose caller has locked the item. Raises `PermanentError` for a decision that no
    person made, and for one about something else than a customer review.
    """
    review = decision.item.leading.customer_review
    if review is None:
        raise PermanentError("Only customer reviews can be hidden.")
    if decision.decided_by == Decision.DecidedBy.AUTOMATIC or decision.reviewer is None:
        raise PermanentError("No part of the system hides a review or shows it again: a person has to.")
    reasons = [answer for answer in label_sets.split(decision.label) if answer in unsafe]
    now, lines = timezone.now(), list[Line]()
    before = hiding.lock(review)
    if before:
        hiding.end(before, decision_ref=ref(decision), now=now)
    if reasons:
        suggested = label_sets.split(decision.item.leading.suggestion)
        hidden = hiding.hide(
            review,
            reasons=reasons,
            marked=[reason for reason in reasons if reason in suggested],
            decision_ref=ref(decision),
            now=now,
        )
        announcements.review_hidden(hidden)
        payload = {"decision": ref(decision), "reasons": reasons, "text_hash": hidden.text_hash}
        lines.append(Line("moderation.review.hidden", ref(review), payload))
    elif before:
        announcements.review_shown(before)
        lines.append(Line("moderation.review.shown", ref(review), {"decision": ref(decision), "ends": ref(before)}))
    ledger.append_many(lines, actor=decision.reviewer)
