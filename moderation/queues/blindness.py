"""What models said, for who may be asked the same without their word: it is not shown to them while that is open.

A second review, an audit, the daily lot and the blind share of a queue measure people and models only as long as nobody
looks up the answer beside it.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from moderation.models.predictions import Predictions
from moderation.models.reviews import COPY_VERDICT, ReviewItem
from moderation.policy.claim_kinds import POLICY_CLAIMS
from moderation.queues.seats import UNDECIDED


def readable(said: Predictions, *, reader: Any) -> Predictions:
    """Narrow `said` to what `reader`, a user, may read without being led by it.

    Who works queues does not read what a model said to a question of a subject that they are asked about without its
    word, or may be next; what somebody else has in hand is not theirs. Everybody else reads all.
    """
    if not reader.has_perm("moderation.review_item"):
        return said
    # What a judge said of a draft that is not decided: nobody is asked that question, but its subject is being judged.
    decided = ReviewItem.objects.filter(question=COPY_VERDICT, lead=None, status=ReviewItem.Status.DECIDED)
    said = said.exclude(Q(question=POLICY_CLAIMS) & ~Exists(decided.filter(about=OuterRef("subject"))))
    items = _blind(reader).filter(question=OuterRef("question"))
    # Two simple questions, each by an index: together with “or” it would be a walk through the items for every row.
    return said.exclude(Exists(items.filter(lead=None, about=OuterRef("subject")))).exclude(
        Exists(items.filter(lead__about=OuterRef("subject")))
    )


def is_blind_to(reader: Any, lead: ReviewItem) -> bool:
    """Whether `reader` is asked about what `lead` is about without a model's word, or may be next."""
    if not reader.has_perm("moderation.review_item"):
        return False
    return _blind(reader).filter(Q(pk=lead.pk) | Q(lead=lead)).exists()


def _blind(reader: Any) -> QuerySet[ReviewItem]:
    """Open items that show no prediction, held by `reader` or by nobody."""
    free = Q(assignee=None) | Q(assignee=reader) | Q(status=ReviewItem.Status.ESCALATED)
    return ReviewItem.objects.filter(free, status__in=UNDECIDED, labeling_task__shows_predictions=False)
