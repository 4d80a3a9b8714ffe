"""From what a reviewer answered to what happens: approve, fix, reject, label, or pass on to a senior."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from core import leases
from core.actors import SystemActor, actor_ref, require_permission
from core.exceptions import PermanentError
from core.hashing import hash_json
from core.hints import hint_on_commit
from core.refs import ref
from labeling import sync
from labeling.models import Consensus
from moderation import announcements, publication, screening
from moderation.lifecycle import advance
from moderation.models.candidates import Candidate, Finding
from moderation.models.reviews import Decision, ReviewItem
from moderation.queue_policies import require_access

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Outcome = Decision.Outcome
OPEN = (ReviewItem.Status.WAITING, ReviewItem.Status.DISPATCHED, ReviewItem.Status.ESCALATED)
VERDICTS = {"accept": Outcome.APPROVE, "fix": Outcome.EDIT, "reject": Outcome.REJECT}


def record_decision(item: ReviewItem, *, consensus: Consensus, actor: User) -> Decision | None:
    """Act on what `actor` answered about `item`; returns the decision, or None when the item went to a senior instead.

    In one transaction: the decision, the candidate's move, a fix as a child candidate, the publication, the siblings,
    the findings' verdicts, and a ledger line for each. Needs moderation.review_item and access to the item's queue, and
    for an escalated item moderation.review_escalated_item and another person than who escalated it.
    Raises `PermissionDenied`, `PermanentError` for an answer that says nothing, `StaleState` when it is decided already.
    """
    require_permission(actor, "moderation.review_item")
    answer = consensus.answer
    senior = actor.has_perm("moderation.review_escalated_item")
    with transaction.atomic():
        item = ReviewItem.objects.select_for_update().get(pk=item.pk)
        if item.status == ReviewItem.Status.ESCALATED:
            require_permission(actor, "moderation.review_escalated_item")
            if item.escalated_by_id == actor.pk:
                raise PermanentError("Who escalated an item does not decide it.", hint="Another senior has to.")
        elif item.assignee_id != actor.pk:
            require_access(actor, item.kind)  # opened in Label Studio directly, where everybody sees every task
        if item.status != ReviewItem.Status.ESCALATED and answer.get("escalate") and not senior:
            comment = str(answer.get("comment") or "").strip()
            pass_to_senior(item, reason=comment or "the reviewer asked for a senior", actor=actor)
            return None
        lines = _dispatch(item, actor=actor)
        decide = _label if item.kind == ReviewItem.Kind.SENTIMENT else _decide_copy
        decision, more = decide(item, consensus, actor)
        if decision is None:
            return None
        lines += more
        done = advance(
            item, from_=item.status, to=ReviewItem.Status.DECIDED, decided_at=timezone.now(), assignee=actor,
            payload={"outcome": decision.outcome, "decision": str(decision.pk), "reasons": decision.reason_codes,
                     "policy": decision.policy_version},
            **leases.NO_LEASE,
        )  # fmt: skip
        announcements.item_completed(item, decision)
        ledger.append_many([*lines, done], actor=actor)
        if decision.result:
            publication.publish(decision.result, decision=decision, actor=actor)
        hint_on_commit("moderation.open_reviews")
    return decision


def _dispatch(item: ReviewItem, *, actor: User | SystemActor) -> list[Line]:
    """An answer to an item nobody had leased (opened in Label Studio directly) takes it on the way."""
    if item.status != ReviewItem.Status.WAITING:
        return []
    to, at = ReviewItem.Status.DISPATCHED, item.claimed_at or timezone.now()
    return [advance(item, from_=ReviewItem.Status.WAITING, to=to, claimed_at=at, payload={"to": actor_ref(actor)})]


def _label(item: ReviewItem, consensus: Consensus, actor: User) -> tuple[Decision | None, list[Line]]:
    label = str(consensus.answer.get("sentiment") or "")
    if not label:
        raise PermanentError("The answer holds no sentiment.")
    decision = _decision(item, consensus, actor, outcome=Outcome.LABEL, label=label)
    return decision, [Line("moderation.decision.label", ref(decision), {"label": label})]


def _decide_copy(item: ReviewItem, consensus: Consensus, actor: User) -> tuple[Decision | None, list[Line]]:
    candidate = Candidate.objects.select_related("product", "request").get(review_item=item)
    verdict = consensus.answer.get("verdict")
    if verdict not in VERDICTS:
        raise PermanentError(f"The answer holds no verdict: {verdict!r}.")
    outcome = VERDICTS[verdict]
    fixed = str(consensus.answer.get("fixed_text") or "").strip()
    if outcome == Outcome.EDIT and (not fixed or fixed == candidate.text.strip()):
        if not fixed:
            raise PermanentError("The reviewer chose Fix but left no text.")
        outcome = Outcome.APPROVE  # nothing was changed
    lines = _judge_findings(candidate, consensus.answer)
    result: Candidate | None = None
    if outcome == Outcome.REJECT:
        lines.append(advance(candidate, from_=Candidate.Status.IN_REVIEW, to=Candidate.Status.REJECTED))
        lines += screening.promote_next(candidate.request)
    elif outcome == Outcome.APPROVE:
        result = candidate
        lines.append(advance(candidate, from_=Candidate.Status.IN_REVIEW, to=Candidate.Status.APPROVED))
    else:
        result, more = _fix(candidate, fixed, item=item, consensus=consensus, actor=actor)
        lines += more
        if result is None:
            return None, []
    decision = _decision(item, consensus, actor, outcome=outcome, result=result)
    if result:
        lines += _supersede_siblings(candidate, keep={result.pk, candidate.pk})
    lines.append(Line(f"moderation.decision.{outcome}", ref(decision), {
        "candidate": ref(candidate), "result": ref(result) if result else None, "reasons": decision.reason_codes,
        "lead_time_s": None if decision.lead_time is None else round(decision.lead_time.total_seconds(), 1),
    }))  # fmt: skip
    return decision, lines


def _decision(
    item: ReviewItem, consensus: Consensus, actor: User, *, outcome: str, label: str = "",
    result: Candidate | None = None,
) -> Decision:  # fmt: skip
    times = [a.lead_time for a in consensus.annotations.all() if a.lead_time is not None]
    return Decision.objects.create(
        item=item, consensus=consensus, outcome=outcome, label=label, result=result,
        decided_by=Decision.DecidedBy.HUMAN_SINGLE if consensus.method == "single" else Decision.DecidedBy.HUMAN_CONSENSUS,
        reviewer=actor, reason_codes=list(consensus.answer.get("reason_codes") or []),
        rationale=str(consensus.answer.get("comment") or "")[:2000], policy_version=screening.policy_version(),
        lead_time=sum(times, dt.timedelta()) if times else None,
    )  # fmt: skip


def _judge_findings(candidate: Candidate, answer: dict[str, Any]) -> list[Line]:
    """Note which findings the reviewer confirmed and which were false alarms."""
    lines = []
    for key, verdict in (
        ("confirmed_findings", Finding.Verdict.CONFIRMED),
        ("dismissed_findings", Finding.Verdict.DISMISSED),
    ):
        ids = [int(pk) for pk in answer.get(key) or [] if str(pk).isdigit()]
        if ids and Finding.objects.filter(candidate=candidate, pk__in=ids).update(verdict=verdict):
            lines.append(Line(f"moderation.findings.{verdict}", ref(candidate), {"findings": ids}))
    return lines


def _fix(
    candidate: Candidate, text: str, *, item: ReviewItem, consensus: Consensus, actor: User
) -> tuple[Candidate | None, list[Line]]:
    """Make the reviewer's text a child candidate, checked by the same policy.

    A fix that the policy would block is not let out by one reviewer: the item goes to a senior. A senior lets it out
    by saying why in the comment, which is recorded as overruling the block.
    """
    findings = screening.find_problems(screening.draft_of(candidate, text=text))
    blocking = sorted({finding.code for finding in findings if finding.severity == Finding.Severity.BLOCK})
    reason = str(consensus.answer.get("comment") or "").strip()
    if blocking and not (actor.has_perm("moderation.overrule_block") and reason):
        if item.status != ReviewItem.Status.ESCALATED:
            pass_to_senior(item, reason=f"the fix is blocked by policy: {', '.join(blocking)}", actor=actor)
            return None, []
        raise PermanentError(
            f"The fix is blocked by policy ({', '.join(blocking)}).", hint="Say in the comment why it may go out."
        )
    ordinal = candidate.request.candidates.aggregate(last=Max("ordinal"))["last"] + 1
    child = Candidate.objects.create(
        request=candidate.request, ordinal=ordinal, parent=candidate, product=candidate.product,
        channel=candidate.channel, locale=candidate.locale, text=text, origin=Candidate.Origin.HUMAN,
        prompt_version=candidate.prompt_version, facts_hash=candidate.facts_hash, facts=candidate.facts,
        screened_at=timezone.now(), grounding=screening.grounding_of(candidate, text=text),
    )  # fmt: skip
    screening.save_findings(child, findings)
    lines = [Line("moderation.candidate.fixed", ref(child), {"parent": ref(candidate), "text_hash": hash_json([text])})]
    status = Candidate.Status
    if blocking:
        lines.append(advance(child, from_=status.GENERATED, to=status.BLOCKED, payload={"findings": blocking}))
        lines.append(
            advance(
                child, from_=status.BLOCKED, to=status.IN_REVIEW, event="overruled", payload={"reason": reason[:500]}
            )
        )
    else:
        lines.append(advance(child, from_=status.GENERATED, to=status.IN_REVIEW))
    lines.append(advance(child, from_=status.IN_REVIEW, to=status.APPROVED))
    lines.append(advance(candidate, from_=status.IN_REVIEW, to=status.SUPERSEDED, payload={"by": ref(child)}))
    return child, lines


def _supersede_siblings(candidate: Candidate, *, keep: Iterable[object]) -> list[Line]:
    """One text of a request goes out; the other drafts, and any open work on them, end here."""
    lines = []
    status = Candidate.Status
    siblings = Candidate.objects.filter(
        request=candidate.request, status__in=(status.GENERATED, status.BLOCKED, status.IN_REVIEW)
    ).exclude(pk__in=list(keep))
    for sibling in siblings.order_by("pk"):
        lines.append(advance(sibling, from_=sibling.status, to=status.SUPERSEDED, payload={"by": ref(candidate)}))
        work = ReviewItem.objects.filter(candidate=sibling, status__in=OPEN).select_related("labeling_task").first()
        if work:
            lines.append(advance(work, from_=work.status, to=ReviewItem.Status.WITHDRAWN, **leases.NO_LEASE))
            if work.labeling_task:
                sync.withdraw_task(work.labeling_task)
    return lines


def pass_to_senior(item: ReviewItem, *, reason: str, actor: User | SystemActor) -> None:
    """Escalate `item`; call inside a transaction."""
    lines = _dispatch(item, actor=actor)
    lines.append(
        advance(
            item, from_=ReviewItem.Status.DISPATCHED, to=ReviewItem.Status.ESCALATED, payload={"reason": reason[:500]},
            escalated_reason=reason[:500], escalated_by=None if isinstance(actor, SystemActor) else actor, escalated_at=timezone.now(), assignee=None,
            **leases.NO_LEASE,
        )
    )  # fmt: skip
    ledger.append_many(lines, actor=actor)
