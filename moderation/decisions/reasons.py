"""Why: what an answer about a draft has to say besides its verdict, and giving it back to who left that out."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from core.actors import actor_ref
from core.refs import ref
from labeling import labels
from labeling.models import Consensus
from labeling.selectors import doubts
from moderation.decisions.outcomes import Reading, may_overrule, read
from moderation.lifecycle import advance, line_for
from moderation.models.candidates import Finding
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues.rules import policy_for
from moderation.queues.seats import dispatch

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Status = ReviewItem.Status
NOTHING_PROPOSED = (
    "You chose to fix the text as proposed, but nothing is proposed that you did not tick as a false alarm, or nothing "
    "would be left of the text: accept, fix or reject it."
)
NEEDS_REASON = (Decision.Outcome.EDIT, Decision.Outcome.REJECT)


def read_complete(item: ReviewItem, *, consensus: Consensus, actor: User) -> Reading | None:
    """Read what `actor` answered about a draft; an answer that lacks something is given back to them, and None
    returned.

    A fix that the policy blocks, by who may not overrule that, lacks nothing: it is a senior's. Raises as
    `outcomes.read`.
    """
    if "fixups" in consensus.answer and not consensus.answer.get("fixed_text"):
        give_back(item, consensus=consensus, actor=actor, reason=NOTHING_PROPOSED)
        return None
    reading = read(item, consensus.answer, doubts=doubts(consensus))
    if (
        lacking := _missing_reason(reading)
        or _not_looked_at(reading)
        or _not_mended(reading)
        or (_missing_text(reading) if may_overrule(reading, actor) else "")
    ):
        give_back(item, consensus=consensus, actor=actor, reason=lacking)
        return None
    return reading


def _missing_reason(reading: Reading) -> str:
    if reading.outcome in NEEDS_REASON and not reading.answer.get("reason_codes"):
        return "Your answer does not say why: tick at least one reason, and send it again."
    return ""


def _not_looked_at(reading: Reading) -> str:
    """Of what the checks warn of in a draft that is let out as it is, each is a false alarm,
    or right and let out with a reason.
    """
    if reading.outcome != Decision.Outcome.APPROVE:
        return ""
    dismissed, confirmed = (
        {str(key) for key in reading.answer.get(name) or []} for name in ("dismissed_findings", "confirmed_findings")
    )
    warned = [finding for finding in reading.findings if finding.severity != Finding.Severity.INFO]
    open_ = [finding for finding in warned if str(finding.pk) not in dismissed | confirmed]
    if open_:
        return (
            f"{len(open_)} warning{'s are' if len(open_) > 1 else ' is'} still open ({_said(open_)}): tick each "
            "that is a false alarm, or that the others are right, and say in the comment why the text may go out."
        )
    is_let_out = any(str(finding.pk) in confirmed - dismissed for finding in warned)
    if is_let_out and not str(reading.answer.get("comment") or "").strip():
        return "You say that a warning is right: say in the comment why the text may go out all the same."
    return ""


def _not_mended(reading: Reading) -> str:
    """A fix as proposed mends every warning that is no false alarm: one key must not carry another one out.

    Nor one that is in the mended text alone, which nobody has seen.
    """
    if "fixups" not in reading.answer:
        return ""
    settled = {str(key) for name in ("dismissed_findings", "fixups") for key in reading.answer.get(name) or []}
    open_ = [
        finding
        for finding in reading.candidate.findings.all()
        if finding.severity != Finding.Severity.INFO and str(finding.pk) not in settled
    ]
    if open_:
        return (
            f"Nothing is proposed for {len(open_)} warning{'s' if len(open_) > 1 else ''} ({_said(open_)}): tick what "
            "is a false alarm, or choose Fix and mend the text yourself."
        )
    if left := _left_in_mended(reading):
        return (
            f"The checks would warn of the text as proposed, too ({_said(left)}): choose Fix and mend the text "
            "yourself, or reject it."
        )
    return ""


def _left_in_mended(reading: Reading) -> list[Finding]:
    """Return what the checks warn of in the text that would go out, and the reviewer did not call a false alarm.

    A finding has another number in another text: it is told by its code and its words.
    """
    dismissed = {str(key) for key in reading.answer.get("dismissed_findings") or []}
    alarms = {
        (finding.code, reading.candidate.text[finding.start : finding.end])
        for finding in reading.candidate.findings.all()
        if str(finding.pk) in dismissed
    }
    return [
        finding
        for finding in reading.findings
        if finding.severity == Finding.Severity.WARN
        and (finding.code, reading.text[finding.start : finding.end]) not in alarms
    ]


def _said(findings: Sequence[Finding]) -> str:
    return ("; ".join(finding.message for finding in findings[:3]) + ("; …" if len(findings) > 3 else ""))[:280]


def _missing_text(reading: Reading) -> str:
    """What needs a comment: the reason “other”, a block that is overruled, and what is of high severity."""
    if str(reading.answer.get("comment") or "").strip():
        return ""
    if reading.outcome in NEEDS_REASON and "other" in (reading.answer.get("reason_codes") or []):
        return "The reason is “Other”: say in the comment what it is, and send it again."
    if reading.blocking:
        return f"The policy blocks your text ({', '.join(reading.blocking)}): say in the comment why it may go out."
    if reading.why_high:
        return (
            f"This text is of high severity ({', '.join(reading.why_high)}): say in the comment why, and send it again."
        )
    return ""


def answer_again(item: ReviewItem, *, person: User, reason: str) -> dict[str, Any]:
    """Return the columns of an item that stays with `person`, who has to answer it once more;
    `reason` is shown to them.
    """
    now = timezone.now()
    return {
        "assignee": person,
        "lease_token": uuid.uuid4(),
        "lease_expires_at": now + policy_for(item.question).reservation,
        "returned_reason": reason[:500],
        "returned_at": now,
    }


def give_back(item: ReviewItem, *, consensus: Consensus, actor: User, reason: str) -> None:
    """Have `actor` complete their answer to `item`, which the caller has locked: it stays with them, and they are told
    why.

    Their annotation stays as it is in Label Studio, to be completed there. Where another person holds the item just
    now, it stays with that one.
    """
    told = {"to": actor_ref(actor), "reason": reason[:500], "consensus": ref(consensus)}
    theirs = answer_again(item, person=actor, reason=reason)
    lines: list[Line] = []
    if item.status == Status.ANSWERED:  # what they said before does not count any more
        labels.forget_vote(item.question, ref(item.subject), rater=labels.rater_of(actor))
        lines.append(
            advance(item, from_=Status.ANSWERED, to=Status.DISPATCHED, event="given_back", payload=told, **theirs)
        )
    else:
        lines += [dispatch(item, actor=actor)] if item.status == Status.WAITING else []
        if item.assignee_id in (None, actor.pk):
            ReviewItem.objects.filter(pk=item.pk).update(**theirs)
        lines.append(line_for(item, "given_back", **told))
    ledger.append_many(lines, actor=actor)
