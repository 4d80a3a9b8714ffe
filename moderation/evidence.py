"""The whole history of a candidate, read from the ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit.models import LedgerEntry
from catalog.models import PublishedCopy
from core.refs import ref
from moderation.models.candidates import Candidate
from moderation.models.reviews import Decision, ReviewItem


@dataclass(frozen=True)
class TimelineEntry:
    """One ledger line about a candidate or something it belongs to."""

    seq: int
    at: dt.datetime
    actor: str
    action: str
    subject: str
    payload: Mapping[str, Any]


def subjects_of(candidate: Candidate) -> list[str]:
    """Return the references of everything that belongs to the story of `candidate`: order, draft, fix, work, live copy."""
    family = [candidate, *candidate.fixes.all()]
    if candidate.parent:
        family.append(candidate.parent)
    items = list(ReviewItem.objects.filter(candidate__in=family).select_related("labeling_task"))
    copies = PublishedCopy.objects.filter(candidate_ref__in=[ref(member) for member in family])
    tasks = [item.labeling_task for item in items if item.labeling_task]
    decisions = Decision.objects.filter(item__in=items)
    return [ref(obj) for obj in (candidate.request, *family, *items, *tasks, *decisions, *copies)]


def timeline(candidate: Candidate) -> list[TimelineEntry]:
    """Return every ledger line about `candidate` and what belongs to it, oldest first."""
    entries = LedgerEntry.objects.filter(subject__in=subjects_of(candidate)).order_by("seq")
    return [TimelineEntry(e.seq, e.at, e.actor, e.action, e.subject, e.payload) for e in entries]
