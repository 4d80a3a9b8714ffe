"""A person answers for the raters of an imported file: from then on what they say counts as people's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audit.models import LedgerEntry
from catalog.models import ImportRun
from core.actors import SystemActor, actor_ref, require_permission
from core.exceptions import PermanentError
from core.refs import ref
from labeling import approvals
from labeling.models import Vote
from moderation.label_exchange.importing import source_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User

LONGEST_REASON = 200


def raters_in(run: ImportRun) -> int:
    """Return how many raters `run` brought votes of that no later import replaced."""
    return Vote.objects.filter(source=source_of(run)).values("rater").distinct().count()


def is_approved(run: ImportRun) -> bool:
    """Whether somebody answers for the raters of `run`."""
    return source_of(run) in approvals.approved_sources()


def approve_raters(run: ImportRun, *, reason: str, actor: User | SystemActor) -> int:
    """Answer for the raters of `run`: they are people. Returns how many. Needs moderation.set_gold.

    Raises `PermanentError` without a person or a reason, for an import that is no finished one of votes, and for who
    brought the file in: another person says whose word it is. Twice is once.
    """
    person, n_raters = _who_answers(run, reason, actor), raters_in(run)
    if not n_raters:
        raise PermanentError(f"import {run.pk} brought no votes.", hint="A label without a rater is nobody's.")
    brought = LedgerEntry.objects.filter(subject=ref(run), action__startswith="catalog.import.")
    if brought.filter(actor=actor_ref(person)).exists():
        raise PermanentError("who brought a file in does not answer for its raters.", hint="Ask somebody else to.")
    _record(run, is_now=True, n_raters=n_raters, reason=reason, person=person)
    return n_raters


def withdraw_approval(run: ImportRun, *, reason: str, actor: User | SystemActor) -> int:
    """Answer for the raters of `run` no longer. Returns how many they are. Needs and raises as `approve_raters`."""
    person, n_raters = _who_answers(run, reason, actor), raters_in(run)
    _record(run, is_now=False, n_raters=n_raters, reason=reason, person=person)
    return n_raters


def _who_answers(run: ImportRun, reason: str, actor: User | SystemActor) -> User:
    require_permission(actor, "moderation.set_gold")
    if isinstance(actor, SystemActor):
        raise PermanentError("a person answers for the raters of a file.", hint="Name them: --by USERNAME.")
    if not reason.strip():
        raise PermanentError("there is no reason.", hint="Say who the raters are: --reason TEXT.")
    if run.kind != "labels" or run.status != ImportRun.Status.COMPLETED:
        raise PermanentError(f"import {run.pk} is no finished import of labels.")
    return actor


def _record(run: ImportRun, *, is_now: bool, n_raters: int, reason: str, person: User) -> None:
    with transaction.atomic():
        # Two at once come one after the other, and leave one line.
        ImportRun.objects.select_for_update().get(pk=run.pk)
        if is_approved(run) != is_now:
            approvals.record(
                source_of(run), is_approved=is_now, subject=ref(run), n_raters=n_raters,
                reason=reason.strip()[:LONGEST_REASON], actor=person,
            )  # fmt: skip
