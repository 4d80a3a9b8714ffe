"""A person's own word on a hidden customer review: shown again, as a decision that takes the place of the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from catalog.models import HiddenReview
from core import leases
from core.actors import require_permission
from core.exceptions import PermanentError, StaleState
from core.label_sets import NONE
from core.refs import pk_of, ref
from labeling import labels, sync
from labeling.consensus import ADJUDICATED
from labeling.question import question
from moderation import announcements
from moderation.decisions.recording import superseded_by_one_on
from moderation.drafting import screening
from moderation.lifecycle import advance
from moderation.models.appeals import Appeal
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import seats
from moderation.queues.seats import PANELS, Purpose, Status

if TYPE_CHECKING:
    from django.contrib.auth.models import User

LONGEST = 500


def show_again(hidden: HiddenReview, *, actor: User, reason: str) -> Decision:
    """Show a hidden customer review again, as a decision of `actor` that supersedes the one that hid it.

    Needs catalog.show_review and a reason of at most `LONGEST` characters. Raises `PermanentError` while an appeal
    against that decision is open, which somebody has to answer; `StaleState` where it is not what hides the review any
    more.
    """
    require_permission(actor, "catalog.show_review")
    reason = reason.strip()
    if not reason or len(reason) > LONGEST:
        raise PermanentError(
            f"Showing it again needs a reason of at most {LONGEST} characters.",
            hint="Say what the decision overlooked.",
        )
    with transaction.atomic():
        decision = Decision.objects.select_related("item").get(pk=pk_of(hidden.decision_ref, Decision))
        lead = seats.lock_panel(decision.item.leading)[0]
        # Who appeals against it this very moment goes first, or finds it superseded.
        Decision.objects.select_for_update(of=("self",), no_key=True).get(pk=decision.pk)
        if not HiddenReview.objects.filter(pk=hidden.pk, ended_at=None).exists():
            raise StaleState("Something else was decided about it meanwhile.", hint="Look at the page again.")
        if Appeal.objects.filter(decision=decision, status=Appeal.Status.OPEN).exists():
            raise PermanentError(
                "An appeal against this decision is open.", hint="Judge it: who appealed waits for it."
            )
        return rule(lead, label=NONE, actor=actor, reason=reason)


def rule(lead: ReviewItem, *, label: str, actor: User, reason: str) -> Decision:
    """Decide `lead`, whose panel the caller has locked, by the word of `actor` alone; what is open on it ends.

    Whoever calls has asked whether `actor` may. Raises `PermanentError` for a label that the question does not have.
    """
    asked = question(lead.question)
    asked.require_label(label)
    lead.refresh_from_db()
    before, lines = lead.status, list[Line]()
    if before == Status.WAITING:
        lines.append(seats.dispatch(lead, actor=actor))
    if before != Status.DECIDED:
        lines.append(
            advance(
                lead, from_=lead.status, to=Status.DECIDED, decided_at=timezone.now(), assignee=actor, **leases.NO_LEASE
            )
        )
        if lead.labeling_task:
            sync.withdraw_task(lead.labeling_task)  # what nobody answered
    decision = Decision.objects.create(
        item=lead,
        outcome=Decision.Outcome.LABEL,
        label=label,
        decided_by=Decision.DecidedBy.HUMAN_SINGLE,
        reviewer=actor,
        rationale=reason,
        policy_version=screening.policy_version(),
        supersedes=superseded_by_one_on(lead),
    )
    labels.record_label(
        lead.question, ref(lead.subject), label=label, method=ADJUDICATED, quality=None, n_votes=1, at=timezone.now()
    )
    asked.act(decision)
    announcements.item_completed(lead, decision)
    ended = seats.withdraw(lead, purposes=(Purpose.LABEL, Purpose.ADJUDICATION))
    if lead.gold_label != label:
        ended += seats.end_gold(lead)
    ledger.append_many(ended, actor=PANELS)
    lines.append(Line("moderation.decision.label", ref(decision), {"label": label, "ruled": True}))
    ledger.append_many(lines, actor=actor)
    return decision
