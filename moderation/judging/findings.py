"""Which findings about claims people confirmed or dismissed, by decisions that stand: what judges are measured by."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.db.models import Exists, OuterRef, Q, QuerySet

from moderation.models.appeals import Appeal
from moderation.models.candidates import Finding
from moderation.models.reviews import COPY_VERDICT, Decision
from moderation.policy.claim_kinds import kind_of, kinds_by_rule

Severity, Verdict = Finding.Severity, Finding.Verdict


def judged_findings() -> QuerySet[Finding]:
    """Return the findings of rules that are about a claim, of which a person said whether they are right.

    Not of decisions that an appeal overturned or a later one superseded. What only informs is confirmed by whoever
    says nothing of it: such a word teaches nobody, and is left out.
    """
    by_pack: dict[str, list[str]] = {}
    for name in kinds_by_rule():
        pack, _, rule = name.partition(".")
        by_pack.setdefault(pack, []).append(rule)
    of_claims = reduce(or_, (Q(evidence__pack=pack, evidence__rule__in=rules) for pack, rules in by_pack.items()))
    stand = Decision.objects.filter(
        item__question=COPY_VERDICT, item__candidate=OuterRef("candidate"), superseded_by=None
    ).exclude(Q(decided_by=Decision.DecidedBy.AUTOMATIC) | Q(appeal__status=Appeal.Status.OVERTURNED))
    said = Finding.objects.filter(of_claims, Exists(stand)).exclude(verdict="")
    return said.exclude(severity=Severity.INFO, verdict=Verdict.CONFIRMED)


def verdicts_on(findings: Iterable[Finding]) -> dict[tuple[str, str], bool]:
    """Return what people said of each draft and kind of claim: (draft's key, kind) → whether the claim is there.

    Of several findings of one kind in a draft one that was confirmed is enough.
    """
    said: dict[tuple[str, str], bool] = {}
    for finding in findings:
        key = str(finding.candidate_id), kind_of(finding.evidence)
        said[key] = said.get(key, False) or finding.verdict == Verdict.CONFIRMED
    return said
