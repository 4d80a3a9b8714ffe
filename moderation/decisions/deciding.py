"""From what a reviewer answered to what happens: approve, fix, reject, label, or pass on to a senior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from core import leases
from core.actors import actor_ref, require_permission
from core.exceptions import PermanentError
from core.hints import hint_on_commit
from core.refs import ref
from labeling import labels
from labeling.consensus import ADJUDICATED
from labeling.models import Consensus, Vote
from labeling.question import question
from labeling.selectors import doubts
from moderation import announcements
from moderation.decisions import outcomes, reasons, recording
from moderation.lifecycle import advance, line_for
from moderation.live import publication
from moderation.models.reviews import COPY_VERDICT, Decision, ReviewItem
from moderation.queues.rules import policy_for, require_access
from moderation.queues.seats import add_seat, dispatch, draw, end_gold, falls_into, pass_to_senior
from moderation.queues.separation_of_duties import party_to_appeal, require_another_person

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Outcome = Decision.Outcome


@dataclass(frozen=True)
class Second:
    """The second person, who confirmed what the first one answered."""

    checker: User
    note: str


def record_decision(item: ReviewItem, *, consensus: Consensus, actor: User) -> Decision | None:
    """Act on what `actor` answered about `item`; returns the decision, or None when the item went to a senior instead.

    None also when the answer was given back to be completed, and when it waits for a second person to confirm it. Needs
    moderation.review_item and access to the item's queue, and for an escalated item moderation.review_escalated_item
    and another person than who escalated it.
    Raises `PermissionDenied`, `PermanentError` for an answer that says nothing, `StaleState` when it is decided
    already.
    """
    with transaction.atomic():
        item = ReviewItem.objects.select_for_update(no_key=True).get(pk=item.pk)
        require_may_answer(item, actor)
        if wants_senior(item, consensus, actor):
            return None
        reading = None
        if item.question == COPY_VERDICT:
            reading = reasons.read_complete(item, consensus=consensus, actor=actor)
            if reading is None:
                return None
        purpose = Vote.Purpose.ADJUDICATION if item.status == ReviewItem.Status.ESCALATED else item.purpose
        decision = decide(item, consensus=consensus, actor=actor, reading=reading)
        if decision:
            keep_vote(item, consensus, actor=actor, purpose=purpose)
    return decision


def require_may_answer(item: ReviewItem, actor: User) -> None:
    """Raise unless the answer of `actor` to `item` counts: `PermissionDenied`,
    `PermanentError` for their own escalation.
    """
    require_permission(actor, "moderation.review_item")
    require_another_person(actor, party_to_appeal(item), act="decide on it again")
    if item.status == ReviewItem.Status.ESCALATED:
        require_permission(actor, "moderation.review_escalated_item")
        if item.escalated_by_id == actor.pk:
            raise PermanentError("Who escalated an item does not decide it.", hint="Another senior has to.")
        if item.escalated_by:
            require_another_person(actor, [item.escalated_by], act="decide it")
    elif item.assignee_id != actor.pk:
        require_access(actor, item.question)  # opened in Label Studio directly, where everybody sees every task


def wants_senior(item: ReviewItem, consensus: Consensus, actor: User) -> bool:
    """Pass `item` to a senior if `actor`, who is none, asks for one in the answer; returns whether they do."""
    senior = actor.has_perm("moderation.review_escalated_item")
    if item.status == ReviewItem.Status.ESCALATED or not consensus.answer.get("escalate") or senior:
        return False
    comment = str(consensus.answer.get("comment") or "").strip()
    pass_to_senior(item, reason=comment or "the reviewer asked for a senior", actor=actor)
    return True


def keep_vote(item: ReviewItem, consensus: Consensus, *, actor: User, purpose: str, expected: str = "") -> str:
    """Keep what `actor` answered as their vote; returns its label, empty when the answer has none."""
    label = question(item.question).label_of(consensus.answer)
    if label:
        time, task = recording.time_spent(item, consensus), item.labeling_task
        labels.record_vote(
            item.question,
            ref(item.subject),
            rater=labels.rater_of(actor),
            label=label,
            purpose=purpose,
            at=timezone.now(),
            suggestion=item.suggestion,
            is_assisted=bool(task and task.shows_predictions),
            expected=expected,
            seconds=None if time is None else time.total_seconds(),
        )
    return label


def decide(
    item: ReviewItem,
    *,
    consensus: Consensus,
    actor: User,
    quality: float | None = None,
    n_votes: int = 1,
    reading: outcomes.Reading | None = None,
    second: Second | None = None,
) -> Decision | None:
    """Decide `item`, which the caller has locked, by `consensus`; None when another person has to look at it first.

    That is a senior, for a fix that the policy blocks, or the second person of what is of high severity
    (`moderation.decisions.confirmations`). In one transaction: the decision, the candidate's move, a fix as a child
    candidate, the publication, the siblings, the findings' verdicts, the label, and a ledger line for each. `actor`
    gave the answer that `consensus` holds.
    """
    lines: list[Line] = []
    if item.question == COPY_VERDICT:
        reading = reading or outcomes.read(item, consensus.answer, doubts=doubts(consensus))
        if _is_a_seniors(item, reading, consensus, actor, second):
            return None
    if item.status == ReviewItem.Status.WAITING:
        lines.append(dispatch(item, actor=actor))
    if reading:
        if reading.needs_second_person and second is None:
            ledger.append_many([*lines, _propose(item, consensus, actor, reading)], actor=actor)
            return None
        decision, more = _decide_copy(item, consensus, actor, reading, second)
    else:
        decision, more = _label(item, consensus, actor)
    lines += more
    kept = item.status in (ReviewItem.Status.ANSWERED, ReviewItem.Status.CONFIRMING)
    done = advance(
        item,
        from_=item.status,
        to=ReviewItem.Status.DECIDED,
        decided_at=timezone.now(),
        assignee=item.assignee if kept else actor,
        payload={
            "outcome": decision.outcome,
            "decision": str(decision.pk),
            "reasons": decision.reason_codes,
            "policy": decision.policy_version,
            "method": consensus.method,
        },
        **leases.NO_LEASE,
    )
    labels.record_label(
        item.question,
        ref(item.subject),
        label=question(item.question).label_of(consensus.answer),
        method=consensus.method,
        quality=quality,
        n_votes=n_votes,
        at=timezone.now(),
    )
    question(item.question).act(decision)
    announcements.item_completed(item, decision)
    by = second.checker if second else actor
    ledger.append_many([*lines, done], actor=by)
    if item.labeling_task and falls_into(draw("rereview", item.pk), policy_for(item.question).rereview_percent):
        add_seat(item, purpose=Vote.Purpose.AUDIT)
    if decision.result:
        publication.publish(decision.result, decision=decision, actor=by)
    hint_on_commit("moderation.open_reviews")
    return decision


def _is_a_seniors(
    item: ReviewItem, reading: outcomes.Reading, consensus: Consensus, actor: User, second: Second | None
) -> bool:
    """Pass a fix that the policy blocks on to a senior, unless it is one who answered and said why;
    returns whether it was.
    """
    if not reading.blocking or (
        outcomes.may_overrule(reading, actor) and str(reading.answer.get("comment") or "").strip()
    ):
        return False
    codes = ", ".join(reading.blocking)
    if second or item.status == ReviewItem.Status.ESCALATED or consensus.method == ADJUDICATED:
        raise PermanentError(f"The fix is blocked by policy ({codes}).", hint="Say in the comment why it may go out.")
    pass_to_senior(item, reason=f"the fix is blocked by policy: {codes}", actor=actor)
    return True


def _propose(item: ReviewItem, consensus: Consensus, actor: User, reading: outcomes.Reading) -> Line:
    """Keep what `actor` answered until a second person confirms it: nothing moves before."""
    kept = item.status == ReviewItem.Status.ANSWERED
    return advance(
        item,
        from_=item.status,
        to=ReviewItem.Status.CONFIRMING,
        assignee=item.assignee if kept else actor,
        proposal=consensus,
        proposed_by=actor,
        proposed_at=timezone.now(),
        high_severity=reading.why_two,
        payload={
            "by": actor_ref(actor),
            "outcome": str(reading.outcome),
            "why": reading.why_two,
            "consensus": ref(consensus),
        },
        **leases.NO_LEASE,
    )


def _decide_copy(
    item: ReviewItem, consensus: Consensus, actor: User, reading: outcomes.Reading, second: Second | None
) -> tuple[Decision, list[Line]]:
    result, lines = outcomes.carry_out(reading, maker=actor)
    second_person = {"checker": second.checker, "check_note": second.note} if second else {}
    decision = recording.record(
        item,
        consensus,
        actor,
        outcome=reading.outcome,
        result=result,
        high_severity=reading.why_two,
        **second_person,
    )
    if result:
        lines += outcomes.supersede_siblings(reading.candidate, keep={result.pk, reading.candidate.pk})
    payload = {
        "candidate": ref(reading.candidate),
        "result": ref(result) if result else None,
        "reasons": decision.reason_codes,
        "lead_time_s": None if decision.lead_time is None else round(decision.lead_time.total_seconds(), 1),
    }
    if second:
        payload |= {"maker": actor_ref(actor), "checker": actor_ref(second.checker), "why": decision.high_severity}
    lines.append(Line(f"moderation.decision.{reading.outcome}", ref(decision), payload))
    return decision, lines


def relabel(lead: ReviewItem, *, consensus: Consensus, actor: User) -> Decision | None:
    """Put the label of a blind second review in the place of the one that `lead` has; the caller has locked `lead`.

    A decision supersedes the one before. Of copy, only what we learn from changes: a text that is live is not taken
    down by a label, a senior does that; no decision then.
    """
    label = question(lead.question).label_of(consensus.answer)
    decision: Decision | None = None
    if lead.question != COPY_VERDICT:
        decision = recording.record(lead, consensus, actor, outcome=Outcome.LABEL, label=label)
        question(lead.question).act(decision)
        announcements.item_completed(lead, decision)
    labels.record_label(
        lead.question,
        ref(lead.subject),
        label=label,
        method=Vote.Purpose.SECOND_REVIEW,
        quality=None,
        n_votes=2,
        at=timezone.now(),
    )
    line = line_for(lead, "relabelled", label=label, decision=ref(decision) if decision else None)
    # A known answer that is not held to be true any more tests nobody.
    ended = end_gold(lead) if lead.gold_label != label else []
    ledger.append_many([line, *ended], actor=actor)
    return decision


def _label(item: ReviewItem, consensus: Consensus, actor: User) -> tuple[Decision, list[Line]]:
    label = question(item.question).label_of(consensus.answer)
    if not label:
        raise PermanentError("The answer holds no label.")
    decision = recording.record(item, consensus, actor, outcome=Outcome.LABEL, label=label)
    return decision, [Line("moderation.decision.label", ref(decision), {"label": label})]
