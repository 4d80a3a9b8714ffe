"""The only writer of what is hidden. Called by `moderation.live.hidden_reviews` alone, which knows the decision."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from catalog.models import CustomerReview, HiddenReview
from core.hashing import hash_json


def lock(review: CustomerReview) -> HiddenReview | None:
    """Lock `review` in the caller's transaction and return what hides it now; None while it is shown."""
    CustomerReview.objects.select_for_update(of=("self",), no_key=True).get(pk=review.pk)
    return HiddenReview.objects.filter(review=review, ended_at=None).first()


def hide(
    review: CustomerReview, *, reasons: Sequence[str], marked: Sequence[str], decision_ref: str, now: dt.datetime
) -> HiddenReview:
    """Hide `review`, which the caller has locked and which nothing hides. Its text is kept.

    `marked` are those of `reasons` that a model had suggested.
    """
    return HiddenReview.objects.create(
        review=review,
        reasons=list(reasons),
        marked=list(marked),
        decision_ref=decision_ref,
        hidden_at=now,
        text_hash=hash_json([review.full_text]),
    )


def end(hidden: HiddenReview, *, decision_ref: str, now: dt.datetime) -> None:
    """End what hides a review, which the caller has locked, by another decision."""
    hidden.ended_at, hidden.ended_by = now, decision_ref
    hidden.save(update_fields=["ended_at", "ended_by"])
