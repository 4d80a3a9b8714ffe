"""The second person: confirming or returning what one person answered about a text of high severity.

What is of high severity is a rule of the queue (`moderation.decisions.severity`). Whoever answers it proposes; nothing
moves until somebody who had no part in it confirms. The decision is made then, with both names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import ledger
from core import leases
from core.actors import actor_ref, require_permission
from core.exceptions import PermanentError, StaleState
from core.reasons import require_reason
from moderation.decisions import panels, reasons
from moderation.decisions.deciding import Second
from moderation.lifecycle import advance
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import seats
from moderation.queues.seats import Purpose, Status
from moderation.queues.separation_of_duties import involved_in, require_another_person

if TYPE_CHECKING:
    from django.contrib.auth.models import User

LONGEST_NOTE = 500
ANSWERED = (Status.ANSWERED, Status.DECIDED)


def waiting() -> QuerySet[ReviewItem]:
    """Return what waits for a second person, the longest waiting first."""
    return ReviewItem.objects.filter(status=Status.CONFIRMING).order_by("proposed_at", "pk")


def may_confirm(item: ReviewItem, user: Any) -> bool:
    """Whether a page shows `user` the buttons; the functions below ask again."""
    if item.status != Status.CONFIRMING or not user.has_perm("moderation.check_decision"):
        return False
    try:
        require_another_person(user, involved_in(item), act="confirm it")
    except PermanentError:
        return False
    return True


def confirm(item: ReviewItem, *, proposal: int, actor: User, note: str = "") -> Decision:
    """Let out what another person answered about `item`, and return the decision of both.

    `proposal` is the key of the answer that `actor` saw. Needs moderation.check_decision. Raises `PermanentError` for
    somebody who had a part in it (answered, escalated, overruled a block), `StaleState` when it does not wait any more
    or another answer does by now.
    """
    require_permission(actor, "moderation.check_decision")
    with transaction.atomic():
        lead, _ = _locked(item, proposal)
        require_another_person(actor, involved_in(lead), act="confirm it")
        return panels.confirm(lead, second=Second(actor, note.strip()[:LONGEST_NOTE]))


def return_(item: ReviewItem, *, proposal: int, actor: User, reason: str) -> None:
    """Give back what another person answered about `item`, with a reason; nothing goes out.

    To who answered; what a senior had decided goes to the seniors, and what a panel had agreed on to an adjudicator.
    Needs moderation.check_decision. Raises as `confirm`, and `PermanentError` without a reason.
    """
    require_permission(actor, "moderation.check_decision")
    hint = "Say what should be looked at again."
    reason = require_reason(reason, act="Returning an answer", hint=hint, longest=LONGEST_NOTE)
    with transaction.atomic():
        lead, others = _locked(item, proposal)
        maker = lead.proposed_by
        require_another_person(actor, involved_in(lead), act="return it")
        if maker is None:
            raise StaleState("Nothing waits for a second person here.")
        payload = {"by": actor_ref(actor), "to": actor_ref(maker), "reason": ledger.typed(reason, by=actor)}
        gone: dict[str, Any] = {"proposal": None, "proposed_by": None, "proposed_at": None, "high_severity": []}
        if any(seat.purpose in (Purpose.LABEL, Purpose.ADJUDICATION) and seat.status in ANSWERED for seat in others):
            line = advance(lead, from_=Status.CONFIRMING, to=Status.ANSWERED, event="returned", payload=payload, **gone)
            seats.ask_adjudicator(lead, reason=f"Returned by the second person: {reason}")
        elif lead.escalated_at:
            again = {"assignee": None, "escalated_reason": reason, "escalated_at": timezone.now(), **leases.NO_LEASE}
            line = advance(
                lead, from_=Status.CONFIRMING, to=Status.ESCALATED, event="returned", payload=payload, **again, **gone
            )
            seats.ask_afresh(lead, note=f"Returned by a second person: {reason}")
        else:
            again = reasons.answer_again(lead, person=maker, reason=f"Returned by a second person: {reason}")
            line = advance(
                lead, from_=Status.CONFIRMING, to=Status.DISPATCHED, event="returned", payload=payload, **again, **gone
            )
        ledger.append_many([line], actor=actor)


def _locked(item: ReviewItem, proposal: int) -> tuple[ReviewItem, list[ReviewItem]]:
    """Lock the leading item and its panel: of two who press a button at once, one finds it decided."""
    lead, *others = seats.lock_panel(item.leading)
    if lead.status != Status.CONFIRMING:
        raise StaleState("It does not wait for a second person any more.", hint="Look at the page again.")
    if lead.proposal_id != proposal:
        raise StaleState("Another answer waits by now.", hint="Look at the page again before you confirm.")
    return lead, others
