"""What a model suggested of an item and which words moved it, for who may see that without being led by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moderation import explaining
from moderation.models.predictions import Prediction
from moderation.models.reviews import ReviewItem
from moderation.queues.blindness import is_blind_to


@dataclass(frozen=True)
class Suggested:
    """What a model said, and why as far as that is known."""

    said: Prediction
    why: explaining.Explanation | None


def shown_of(lead: ReviewItem, *, reader: Any) -> Suggested | None:
    """Return what a model suggested of `lead` to `reader`, a user; None where it made no suggestion.

    And None to who may still be the one to judge it: seniors decide without the model's word (seats.BLIND), and who
    looks a second time at what is decided does so too.
    """
    if lead.status != ReviewItem.Status.DECIDED and reader.has_perm("moderation.review_item"):
        return None
    if is_blind_to(reader, lead):
        return None
    found = explaining.behind(lead)
    return Suggested(*found) if found else None
