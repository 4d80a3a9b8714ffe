"""Labels that people give anew: taken back and kept beside the version that split their answer, never lost."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from core.label_sets import JOINED
from labeling import labels
from labeling.models import Label, LabelIssue, Vote
from moderation.models.reviews import ReviewItem
from questions.models import LabelBefore, QuestionVersion

BATCH = 1000


def holds(label: str, answers: Collection[str]) -> bool:
    """Whether `label` holds any of `answers`."""
    return not set(answers).isdisjoint(label.split(JOINED))


def counted(name: str, answers: Collection[str]) -> tuple[tuple[str, int], ...]:
    """Return what would be put back: each label that holds one of `answers`, and of how many subjects; last, as an
    empty label, how many have votes that hold one and no label yet.
    """
    if not answers:
        return ()
    found = [(label, _labels(name).filter(label=label).count()) for label in _touched(_labels(name), answers)]
    n = _only_voted(name, answers).values("subject").distinct().count()
    return (*found, ("", n)) if n else tuple(found)


def retire(version: QuestionVersion, answers: Collection[str]) -> int:
    """Take back what holds one of `answers`, and keep it as it was. Returns of how many subjects.

    A vote that was overruled stays with the label that stands. Call inside a transaction.
    """
    name = version.name
    held = {one.subject: one for one in _labels(name).filter(label__in=_touched(_labels(name), answers))}
    subjects = sorted({*held, *_only_voted(name, answers).values_list("subject", flat=True)})
    for start in range(0, len(subjects), BATCH):
        batch = subjects[start : start + BATCH]
        votes: dict[str, list[list[Any]]] = {}
        for vote in Vote.objects.filter(question=name, subject__in=batch).order_by("pk"):
            votes.setdefault(vote.subject, []).append([vote.rater, vote.label, vote.voted_at.isoformat()])
        LabelBefore.objects.bulk_create(
            _before(version, subject, held.get(subject), votes.get(subject, [])) for subject in batch
        )
        for subject in batch:
            labels.forget_label(name, subject)
            labels.forget_votes(name, subject)
    _forget_suggestions(name, answers)
    return len(subjects)


def _before(version: QuestionVersion, subject: str, label: Label | None, votes: list[list[Any]]) -> LabelBefore:
    said = {}
    if label is not None:
        said = {one: getattr(label, one) for one in ("label", "method", "source", "labelled_at")}
    return LabelBefore(version=version, subject=subject, votes=votes, **said)


def _forget_suggestions(name: str, answers: Collection[str]) -> None:
    """What a model or a search for errors suggested of these answers is no suggestion any more."""
    items = ReviewItem.objects.filter(question=name).exclude(status=ReviewItem.Status.DECIDED)
    gone = [one for one in items.order_by().values_list("suggestion", flat=True).distinct() if holds(one, answers)]
    items.filter(suggestion__in=gone).update(suggestion="")
    doubts = LabelIssue.objects.filter(question=name, status=LabelIssue.Status.OPEN)
    gone = [one for one in doubts.order_by().values_list("suggested", flat=True).distinct() if holds(one, answers)]
    doubts.filter(suggested__in=gone).update(status=LabelIssue.Status.STALE)


def _labels(name: str) -> QuerySet[Label]:
    return Label.objects.filter(question=name)


def _only_voted(name: str, answers: Collection[str]) -> QuerySet[Vote]:
    votes = Vote.objects.filter(question=name).order_by()
    labelled = Label.objects.filter(question=name, subject=OuterRef("subject"))
    said = [one for one in votes.values_list("label", flat=True).distinct() if holds(one, answers)]
    return votes.filter(~Exists(labelled), Q(label__in=said))


def _touched(rows: QuerySet[Label], answers: Collection[str]) -> list[str]:
    return sorted(one for one in rows.order_by().values_list("label", flat=True).distinct() if holds(one, answers))
