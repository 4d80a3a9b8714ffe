"""What models said, for who may be asked the same without their word: it is not shown to them while that is open.

A second review, an audit, the daily lot and the blind share of a queue measure people and models only as long as nobody
looks up the answer beside it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from core.actors import SystemActor
from labeling.models import LabelIssue
from moderation.models.predictions import Predictions
from moderation.models.reviews import COPY_VERDICT, ReviewItem
from moderation.policy.claim_kinds import POLICY_CLAIMS
from moderation.queues.seats import UNDECIDED

POINTED_AT = "moderation.judge.pointed_at"  # a ledger line about a draft: the claims that judges alone see


def readable(said: Predictions, *, reader: Any) -> Predictions:
    """Narrow `said` to what `reader`, a user, may read without being led by it.

    Who works queues does not read what a model said to a question of a subject that they are asked about without its
    word, or may be next; what somebody else has in hand is not theirs. Everybody else reads all.
    """
    if not _works_queues(reader):
        return said
    # What a judge said of a draft that is not decided, or is looked at again: nobody is asked that question, but its
    # subject is being judged.
    subject = OuterRef("subject")
    said = said.exclude(Q(question=POLICY_CLAIMS) & ~Exists(_decided().filter(about=subject)))
    drafts = _blind(reader).filter(question=COPY_VERDICT)
    for again in (drafts.filter(lead=None, about=subject), drafts.filter(lead__about=subject)):
        said = said.exclude(Q(question=POLICY_CLAIMS) & Exists(again))
    items = _blind(reader).filter(question=OuterRef("question"))
    # Two simple questions, each by an index: together with “or” it would be a walk through the items for every row.
    return said.exclude(Exists(items.filter(lead=None, about=OuterRef("subject")))).exclude(
        Exists(items.filter(lead__about=OuterRef("subject")))
    )


def is_blind_to(reader: Any, lead: ReviewItem) -> bool:
    """Whether `reader` is asked about what `lead` is about without a model's word, or may be next."""
    if not _works_queues(reader):
        return False
    return _blind(reader).filter(Q(pk=lead.pk) | Q(lead=lead)).exists()


def may_hear_judges(reader: Any, *, subject: str) -> bool:
    """Whether `reader` may know what judges said of a draft: who may still decide about it may not."""
    if not _works_queues(reader):
        return True
    return _decided().filter(about=subject).exists() and not is_blind_to_any(reader, [subject])


def is_blind_to_any(reader: Any, subjects: Collection[str]) -> bool:
    """Whether `reader` is asked about one of `subjects` without a model's word, or may be next, by any question."""
    if not _works_queues(reader):
        return False
    items = _blind(reader)
    return items.filter(lead=None, about__in=subjects).exists() or items.filter(lead__about__in=subjects).exists()


def doubts_shown(doubts: QuerySet[LabelIssue], *, reader: Any) -> QuerySet[LabelIssue]:
    """Narrow `doubts`, which say what models hold a label for, to those that `reader` will not be asked to settle.

    A second person looks at a label in doubt without a model's word: who works queues reads of it when that is over.
    """
    if not _works_queues(reader):
        return doubts
    items = _blind(reader).filter(question=OuterRef("question"))
    doubts = doubts.exclude(status=LabelIssue.Status.OPEN)
    for seats in (items.filter(lead=None, about=OuterRef("subject")), items.filter(lead__about=OuterRef("subject"))):
        doubts = doubts.exclude(Exists(seats))
    return doubts


def _works_queues(reader: Any) -> bool:
    return not isinstance(reader, SystemActor) and reader.has_perm("moderation.review_item")


def _decided() -> QuerySet[ReviewItem]:
    """Drafts whose verdict is in."""
    return ReviewItem.objects.filter(question=COPY_VERDICT, lead=None, status=ReviewItem.Status.DECIDED)


def _blind(reader: Any) -> QuerySet[ReviewItem]:
    """Open items that show no prediction, held by `reader` or by nobody."""
    free = Q(assignee=None) | Q(assignee=reader) | Q(status=ReviewItem.Status.ESCALATED)
    return ReviewItem.objects.filter(free, status__in=UNDECIDED, labeling_task__shows_predictions=False)
