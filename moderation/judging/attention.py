"""Which drafts judges point at, by claims that no rule found, and their place in the queue that follows from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import Q

from audit import ledger
from audit.ledger import Line
from core.actors import SystemActor
from core.refs import ref
from inference import resolver
from inference.models import Role
from moderation import priority
from moderation.judging import agreement
from moderation.judging.said import chat_says, claims_in, said_of
from moderation.models.candidates import Candidate, Finding
from moderation.models.reviews import ReviewItem
from moderation.policy.claim_kinds import KINDS, kind_of
from moderation.queues.blindness import POINTED_AT
from moderation.queues.rules import policy_for

JUDGES = SystemActor("moderation.judging")


def pointed_at(drafts: Sequence[Candidate]) -> dict[str, tuple[str, ...]]:
    """Return the kinds of claims that judges alone see in each of `drafts`, by reference; nothing where they see none.

    Of what a rule found too people are told by its finding. A finding that only informs says that the rule sees no
    claim: the judge may think otherwise.
    """
    seen = {subject: claims_in(said) for subject, said in said_of(drafts).items()}
    if counted := chat_says(drafts):
        judge = resolver.find(Role.JUDGE)
        if judge is not None and agreement.of_chat(judge).counts:
            seen |= {subject: seen.get(subject, set()) | kinds for subject, kinds in counted.items()}
    known = _found_by_rules(drafts)
    alone = {subject: kinds - known.get(subject, set()) for subject, kinds in seen.items()}
    return {subject: tuple(kind for kind in KINDS if kind in kinds) for subject, kinds in alone.items() if kinds}


def _found_by_rules(drafts: Sequence[Candidate]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    subjects = {draft.pk: ref(draft) for draft in drafts}
    asks = Finding.objects.filter(candidate__in=subjects).exclude(severity=Finding.Severity.INFO)
    for key, evidence in asks.values_list("candidate_id", "evidence"):
        if kind := kind_of(evidence):
            found[subjects[key]].add(kind)
    return found


def factors_of(draft: Candidate, *, is_pointed_at: bool) -> priority.Factors:
    """Return how urgent `draft` is before people, by its channel, findings, grounding and price, and by judges."""
    return priority.factors_of_copy(
        channel=draft.channel,
        severities=[finding.severity for finding in draft.findings.all()],
        grounding=draft.grounding,
        price=draft.product.price,
        is_pointed_at=is_pointed_at,
    )


def put_forward(drafts: Sequence[Candidate]) -> int:
    """Move the items of those of `drafts` that judges point at further forward; returns how many drafts moved.

    For what a judge said after an item was opened. Never back, whatever it says: nothing takes attention away.
    """
    alone, n = pointed_at(drafts), 0
    for draft in drafts:
        if kinds := alone.get(ref(draft)):
            n += _put_forward(draft, kinds)
    return n


def _put_forward(draft: Candidate, kinds: Sequence[str]) -> int:
    factors = factors_of(draft, is_pointed_at=True)
    with transaction.atomic():
        lead = ReviewItem.objects.select_for_update(no_key=True).filter(candidate=draft).first()
        if lead is None or lead.status == ReviewItem.Status.DECIDED or lead.risk is None or lead.risk >= factors.risk:
            return 0
        ageing = policy_for(lead.question).ageing
        place = priority.urgent_from(lead.created_at, factors, ageing=ageing)
        seats = ReviewItem.objects.filter(Q(pk=lead.pk) | Q(lead=lead), urgent_from__gt=place)
        seats.update(urgent_from=place, risk=factors.risk)
        pointed = Line(POINTED_AT, ref(draft), {"claims": list(kinds)})
        ledger.append_many([pointed], actor=JUDGES)
    return 1
