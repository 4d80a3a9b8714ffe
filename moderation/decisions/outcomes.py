"""What an answer about a draft means, and carrying it out: the draft's move, a fix as a child, the drafts beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Max
from django.utils import timezone

from audit.ledger import Line, Sealed
from catalog.slots import Slot
from core.actors import actor_ref
from core.exceptions import PermanentError
from core.hashing import hash_json
from core.refs import ref
from moderation.decisions.severity import why_high
from moderation.drafting import screening
from moderation.lifecycle import advance
from moderation.models.candidates import Candidate, Finding
from moderation.models.reviews import Decision, ReviewItem
from moderation.policy.fixups import read_fixup
from moderation.queues.rules import policy_for
from moderation.queues.seats import withdraw

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Outcome, Status = Decision.Outcome, Candidate.Status
LONGEST_KEY: Final = 18  # digits
VERDICTS = {"accept": Outcome.APPROVE, "fix": Outcome.EDIT, "reject": Outcome.REJECT}


@dataclass(frozen=True)
class Reading:
    """An answer about a draft, read: what it comes to, and what the checks say of the text that would go out."""

    candidate: Candidate
    outcome: str
    answer: Mapping[str, Any]
    text: str  # what would go out, or was rejected
    findings: Sequence[Finding]  # of that text; those of a fix are not saved yet
    why_high: Sequence[str]  # codes (moderation.decisions.severity); empty: of no high severity
    doubts: Sequence[str] = ()  # codes (labeling.selectors.doubts): whether what was seen was what was asked

    @property
    def blocking(self) -> list[str]:
        """The codes of what blocks a fix; what blocks a draft was overruled before anybody was asked."""
        if self.outcome != Outcome.EDIT:
            return []
        return sorted({finding.code for finding in self.findings if finding.severity == Finding.Severity.BLOCK})

    @property
    def needs_second_person(self) -> bool:
        """Whether one person alone does not let it out. What is rejected is shown to nobody and needs none."""
        return bool(self.why_two) and self.outcome != Outcome.REJECT

    @property
    def why_two(self) -> list[str]:
        """Why a second person looks at it."""
        return [*self.why_high, *self.doubts]


def read(item: ReviewItem, answer: Mapping[str, Any], *, doubts: Sequence[str] = ()) -> Reading:
    """Read what somebody answered about the draft of `item`. Writes nothing.

    Raises `PermanentError` for an answer that holds no verdict, or a fix without a text. A fix that changes nothing is
    an approval.
    """
    candidate = Candidate.objects.select_related("product", "request").get(review_item=item.leading)
    verdict = answer.get("verdict")
    if verdict not in VERDICTS:
        raise PermanentError(f"The answer holds no verdict: {verdict!r}.")
    outcome, fixed = VERDICTS[verdict], str(answer.get("fixed_text") or "").strip()
    if outcome == Outcome.EDIT and not fixed:
        raise PermanentError("The reviewer chose Fix but left no text.")
    if outcome == Outcome.EDIT and fixed == candidate.text.strip():
        outcome = Outcome.APPROVE
    if outcome == Outcome.EDIT:
        findings, text = screening.find_problems(screening.draft_of(candidate, text=fixed)), fixed
    else:
        findings, text = list(candidate.findings.all()), candidate.text
    why = why_high(
        policy_for(item.question), channel=candidate.channel, category=candidate.product.category, findings=findings
    )
    return Reading(candidate, outcome, answer, text, findings, why, doubts)


def carry_out(reading: Reading, *, maker: User) -> tuple[Candidate | None, list[Line]]:
    """Move the draft and make the fix; returns what goes out, if anything, and the lines for the ledger."""
    candidate, lines = reading.candidate, _judge_findings(reading.candidate, reading.answer)
    if reading.outcome == Outcome.REJECT:
        lines.append(advance(candidate, from_=Status.IN_REVIEW, to=Status.REJECTED))
        return None, lines + screening.promote_next(candidate.request)
    if reading.outcome == Outcome.APPROVE:
        lines.append(advance(candidate, from_=Status.IN_REVIEW, to=Status.APPROVED))
        return candidate, lines
    result, more = _fix(reading, maker=maker)
    return result, lines + more


def _judge_findings(candidate: Candidate, answer: Mapping[str, Any]) -> list[Line]:
    """Note which findings the reviewer confirmed and which were false alarms."""
    lines = []
    for key, verdict in (
        ("confirmed_findings", Finding.Verdict.CONFIRMED),
        ("dismissed_findings", Finding.Verdict.DISMISSED),
    ):
        # "²" is a digit, and no number.
        ids = [int(pk) for pk in answer.get(key) or [] if str(pk).isdecimal() and len(str(pk)) <= LONGEST_KEY]
        if ids and Finding.objects.filter(candidate=candidate, pk__in=ids).update(verdict=verdict):
            lines.append(Line(f"moderation.findings.{verdict}", ref(candidate), {"findings": ids}))
    return lines


def _fix(reading: Reading, *, maker: User) -> tuple[Candidate, list[Line]]:
    """Make the reviewer's text a child candidate, which the same policy has checked.

    What the policy blocks is let out by who may overrule it (`deciding.decide` has seen to that) and says why in the
    comment, which is recorded as overruling the block.
    """
    candidate, text = reading.candidate, reading.text
    reason = str(reading.answer.get("comment") or "").strip()
    fixups = _fixups_taken(candidate, reading.answer)
    ordinal = candidate.request.candidates.aggregate(last=Max("ordinal"))["last"] + 1
    child = Candidate.objects.create(
        request=candidate.request,
        ordinal=ordinal,
        parent=candidate,
        **Slot.of(candidate).where(),
        variant=candidate.variant,
        text=text,
        origin=Candidate.Origin.HUMAN,
        prompt_version=candidate.prompt_version,
        brand_voice=candidate.brand_voice,
        facts_hash=candidate.facts_hash,
        facts=candidate.facts,
        params={"fixups": fixups} if fixups else {},
        screened_at=timezone.now(),
        grounding=screening.grounding_of(candidate, text=text),
    )
    screening.save_findings(child, reading.findings)
    told: dict[str, Any] = {"parent": ref(candidate), "text_hash": hash_json([text])}
    if fixups:
        told |= {"fixups": [fixup["finding"] for fixup in fixups], "fixups_taken_by": actor_ref(maker)}
    lines = [Line("moderation.candidate.fixed", ref(child), told)]
    if reading.blocking:
        lines.append(advance(child, from_=Status.GENERATED, to=Status.BLOCKED, payload={"findings": reading.blocking}))
        why = {"reason": Sealed(reason[:500], by=actor_ref(maker))}
        lines.append(advance(child, from_=Status.BLOCKED, to=Status.IN_REVIEW, event="overruled", payload=why))
    else:
        lines.append(advance(child, from_=Status.GENERATED, to=Status.IN_REVIEW))
    lines.append(advance(child, from_=Status.IN_REVIEW, to=Status.APPROVED))
    lines.append(advance(candidate, from_=Status.IN_REVIEW, to=Status.SUPERSEDED, payload={"by": ref(child)}))
    return child, lines


def _fixups_taken(candidate: Candidate, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the fix-ups that made the text of a fix, each with its finding, for the provenance of the text."""
    taken = {str(key) for key in answer.get("fixups") or []}
    return [
        {"finding": finding.pk, "code": finding.code, **fixup.as_evidence}
        for finding in candidate.findings.all()
        if str(finding.pk) in taken and (fixup := read_fixup(finding.evidence))
    ]


def may_overrule(reading: Reading, actor: User) -> bool:
    """Whether `actor` may let out a fix that the policy blocks; a fix that it does not block anybody may."""
    return not reading.blocking or actor.has_perm("moderation.overrule_block")


def supersede_siblings(candidate: Candidate, *, keep: Iterable[object]) -> list[Line]:
    """One text of a request goes out; the other drafts, and any open work on them, end here."""
    lines = []
    siblings = Candidate.objects.filter(
        request=candidate.request, status__in=(Status.GENERATED, Status.BLOCKED, Status.IN_REVIEW)
    ).exclude(pk__in=list(keep))
    for sibling in siblings.order_by("pk"):
        lines.append(advance(sibling, from_=sibling.status, to=Status.SUPERSEDED, payload={"by": ref(candidate)}))
        if work := ReviewItem.objects.filter(candidate=sibling).first():
            lines += withdraw(work)
    return lines
