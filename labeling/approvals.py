"""Whose votes count as people's: ours, and those of raters of a file whom a person answers for, by name.

That a column calls somebody a rater is a claim of the file: what stands there may be a model's answers, or a champion's
own. Each rater of each file is believed once as many people as it takes say so, in the ledger; what came since under
another import is not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db.models import Q

from audit import ledger
from audit.models import LedgerEntry
from core.bulk import in_array
from labeling.labels import IMPORTED
from labeling.models import Label, Vote

if TYPE_CHECKING:
    from django.contrib.auth.models import User

APPROVED, WITHDRAWN = "labeling.raters.approved", "labeling.raters.withdrawn"
FROM_FILES = f"{IMPORTED}:"
Rater = tuple[str, str]  # the source (`import:<id>`), and the pseudonym of who is a rater there


@dataclass
class Word:
    """Who answers for a rater, as the ledger calls them, and how many have to."""

    by: list[str] = field(default_factory=list)
    needed: int = 1

    @property
    def is_enough(self) -> bool:
        return len(self.by) >= self.needed


def record(
    source: str, raters: Collection[str], *, is_approved: bool, subject: str, reason: str, actor: User, needed: int = 1
) -> None:
    """Note that `actor` answers for `raters` of `source` (`import:<id>`), or that nobody does any more.

    Call in a transaction.

    `subject` is the reference of the import, `needed` how many people have to answer. Whoever calls has checked the
    permission.
    """
    payload = {
        "source": source,
        "n_raters": len(raters),
        "raters": sorted(raters),
        "needed": needed,
        "reason": ledger.typed(reason, by=actor),
    }
    ledger.append(APPROVED if is_approved else WITHDRAWN, subject=subject, actor=actor, payload=payload)


def words(source: str = "") -> dict[Rater, Word]:
    """Return what people said of the raters of `source`, or of every one: the lines of the ledger, in their order."""
    lines = LedgerEntry.objects.filter(action__in=(APPROVED, WITHDRAWN)).order_by("seq")
    found: dict[Rater, Word] = {}
    for action, actor, payload in lines.values_list("action", "actor", "payload"):
        if source and payload["source"] != source:
            continue
        # Lines of before raters were named are about all of the file.
        named = payload["raters"] if "raters" in payload else raters_of(payload["source"])
        for rater in named:
            key = (payload["source"], rater)
            if action == WITHDRAWN:
                found.pop(key, None)
                continue
            word = found.setdefault(key, Word())
            word.needed = payload.get("needed", 1)
            if actor not in word.by:
                word.by.append(actor)
    return found


def raters_of(source: str) -> list[str]:
    """Return the raters that `source` brought votes of which no later import replaced."""
    return sorted(Vote.objects.filter(source=source).order_by().values_list("rater", flat=True).distinct())


def approved_raters() -> set[Rater]:
    """Return the raters whom as many people answer for as have to."""
    return {rater for rater, word in words().items() if word.is_enough}


def of_people() -> Q:
    """Return the condition that a vote is a person's."""
    people = ~Q(source__startswith=FROM_FILES)
    by_source: defaultdict[str, list[str]] = defaultdict(list)
    for source, rater in sorted(approved_raters()):
        by_source[source].append(rater)
    for source, raters in by_source.items():
        people |= Q(source=source, rater__in=in_array(raters))
    return people


def stated(question: str, labels: Iterable[Label]) -> set[str]:
    """Return the subjects of those of `labels` that are a file's word: no vote made them,
    or one that is no person's.
    """
    labels = list(labels)
    brought = {label.subject for label in labels if label.source.startswith(FROM_FILES)}
    if not brought:
        return {label.subject for label in labels if label.method == IMPORTED}
    votes = Vote.objects.filter(question=question, subject__in=brought, source__startswith=FROM_FILES)
    approved, voted, unknown = approved_raters(), set[str](), set[str]()
    for subject, source, rater in votes.values_list("subject", "source", "rater"):
        voted.add(subject)
        if (source, rater) not in approved:
            unknown.add(subject)
    return {label.subject for label in labels if label.method == IMPORTED} | (brought - voted) | unknown


def files_behind(question: str, labels: Iterable[Label]) -> dict[str, frozenset[str]]:
    """Return the subjects of those of `labels` that files brought, each with every source that had a say in its label.

    A label names the last import that changed it; the votes that it comes to may be those of others.
    """
    found = {label.subject: {label.source} for label in labels if label.source.startswith(FROM_FILES)}
    votes = Vote.objects.filter(question=question, subject__in=list(found), source__startswith=FROM_FILES)
    for subject, source in votes.values_list("subject", "source"):
        found[subject].add(source)
    return {subject: frozenset(sources) for subject, sources in found.items()}


def file_of(label: Label) -> str:
    """Return the source that brought `label`; empty where our own people gave it."""
    return label.source if label.source.startswith(FROM_FILES) else IMPORTED if label.method == IMPORTED else ""
