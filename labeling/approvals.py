"""Whose votes count as people's: ours, and those of a file whose raters a person answers for.

That a column calls somebody a rater is a claim of the file: what stands there may be a model's answers, or a champion's
own. It is believed once a named person says so, in the ledger; what came since under another import is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.models import Q

from audit import ledger
from audit.models import LedgerEntry
from labeling.labels import IMPORTED
from labeling.models import Label, Vote

if TYPE_CHECKING:
    from django.contrib.auth.models import User

APPROVED, WITHDRAWN = "labeling.raters.approved", "labeling.raters.withdrawn"
FROM_FILES = f"{IMPORTED}:"


def record(source: str, *, is_approved: bool, subject: str, n_raters: int, reason: str, actor: User) -> None:
    """Note that `actor` answers for the raters of `source` (`import:<id>`), or does not any more. Call in a transaction.

    `subject` is the reference of the import. Whoever calls has checked the permission.
    """
    payload = {"source": source, "n_raters": n_raters, "reason": ledger.typed(reason, by=actor)}
    ledger.append(APPROVED if is_approved else WITHDRAWN, subject=subject, actor=actor, payload=payload)


def approved_sources() -> set[str]:
    """Return the sources whose raters somebody answers for: the last word on each counts."""
    lines = LedgerEntry.objects.filter(action__in=(APPROVED, WITHDRAWN)).order_by("seq")
    last = {payload["source"]: action for action, payload in lines.values_list("action", "payload")}
    return {source for source, action in last.items() if action == APPROVED}


def of_people() -> Q:
    """Return the condition that a vote is a person's."""
    return ~Q(source__startswith=FROM_FILES) | Q(source__in=approved_sources())


def stated(kind: str, labels: Iterable[Label]) -> set[str]:
    """Return the subjects of those of `labels` that are a file's word: no vote made them, or one that is no person's."""
    labels = list(labels)
    brought = {label.subject for label in labels if label.source.startswith(FROM_FILES)}
    if not brought:
        return {label.subject for label in labels if label.method == IMPORTED}
    votes = Vote.objects.filter(kind=kind, subject__in=brought, source__startswith=FROM_FILES)
    voted = set(votes.values_list("subject", flat=True))
    unknown = set(votes.exclude(of_people()).values_list("subject", flat=True))
    return {label.subject for label in labels if label.method == IMPORTED} | (brought - voted) | unknown
