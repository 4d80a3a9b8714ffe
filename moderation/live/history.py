"""The whole history of a candidate, read from the ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q

from audit.models import LedgerEntry
from audit.sealing import opened
from catalog.models import PublishedCopy
from core.actors import SystemActor
from core.refs import ref
from moderation.models.candidates import Candidate
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues.blindness import POINTED_AT, may_hear_judges


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
    """Return the references of everything that belongs to the story of `candidate`: order, draft, fix, work,
    live copy.
    """
    family = [*candidate.lineage(), *candidate.fixes.all()]
    asked = Q(candidate__in=family) | Q(lead__candidate__in=family)
    items = list(ReviewItem.objects.filter(asked).select_related("labeling_task"))
    copies = PublishedCopy.objects.filter(candidate_ref__in=[ref(member) for member in family])
    tasks = [item.labeling_task for item in items if item.labeling_task]
    decisions = Decision.objects.filter(item__in=items)
    return [ref(obj) for obj in (candidate.request, *family, *items, *tasks, *decisions, *copies)]


def let_out_unchanged(*, within: dt.timedelta) -> Q:
    """Return the filter for decisions that let a text out as it was in less than `within`.

    By Label Studio's clock; where that is not known, by ours.
    """
    took = Q(lead_time__lt=within) | Q(lead_time=None, dwell_time__lt=within)
    return took & Q(outcome=Decision.Outcome.APPROVE)


def timeline(candidate: Candidate, *, reader: User | SystemActor) -> list[TimelineEntry]:
    """Return every ledger line about `candidate` and what belongs to it, oldest first.

    What people typed is in the clear for a `reader` with audit.read_sealed, and `erased` when its writer was erased.
    What judges pointed at is left out for who may still decide.
    """
    entries = list(LedgerEntry.objects.filter(subject__in=subjects_of(candidate)).order_by("seq"))
    pointed = {e.subject for e in entries if e.action == POINTED_AT}
    kept_from = {one for one in pointed if not may_hear_judges(reader, subject=one)}
    entries = [e for e in entries if e.action != POINTED_AT or e.subject not in kept_from]
    payloads = opened([entry.payload for entry in entries], reader=reader)
    return [
        TimelineEntry(e.seq, e.at, e.actor, e.action, e.subject, payload)
        for e, payload in zip(entries, payloads, strict=True)
    ]
