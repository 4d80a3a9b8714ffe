"""Checks and scores: which drafts are blocked, which is the best of its request, and what a reviewer must look at."""

from __future__ import annotations

import dataclasses
import logging
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from catalog.evidence import proven_facts
from core import leases
from core.actors import SystemActor, require_permission
from core.exceptions import LeaseLost, TransientError
from core.hints import hint, hint_on_commit
from core.reasons import require_reason
from inference import prompts
from inference.contracts import CopyBrief, Fact
from moderation import brand_voices, policy_versions
from moderation.drafting import near_copies
from moderation.drafting.opinions import Opinion, acceptance, opinions_on
from moderation.drafting.opinions import save as save_opinions
from moderation.drafting.proofreading import Reading, proofread
from moderation.lifecycle import advance
from moderation.models.candidates import Candidate, Finding, GenerationRequest
from moderation.models.queues import QueuePolicy
from moderation.models.reviews import COPY_VERDICT
from moderation.policy import base, grounding, merging
from moderation.queues.rules import policy_for

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = logging.getLogger(__name__)
SCREENER = SystemActor("moderation.screening")
BATCH = 20
Status = Candidate.Status
Severity = Finding.Severity


def brief_of(candidate: Candidate) -> CopyBrief:
    """Return what a candidate was written from: its product and the proofs as they are, with the facts as they were."""
    product, proven = candidate.product, proven_facts(candidate.product)
    return CopyBrief(
        channel=candidate.channel,
        locale=candidate.locale,
        title=product.title_for(candidate.locale),
        brand=product.brand,
        category=product.category,
        facts=tuple(
            Fact(**{**fact, "has_evidence": (fact["name"], fact["value"]) in proven}) for fact in candidate.facts
        ),
        voice=brand_voices.voice_then(product.brand, candidate.locale, version=candidate.brand_voice),
    )


def draft_of(candidate: Candidate, *, text: str | None = None) -> base.Draft:
    """Return what the policy checks see of a candidate: its text (or `text`), its facts,
    and live copy it may repeat.
    """
    said = candidate.text if text is None else text
    others = near_copies.find_alike(said, product=candidate.product, locale=candidate.locale)
    return dataclasses.replace(draft_from(brief_of(candidate), said), others=others)


def draft_from(brief: CopyBrief, text: str) -> base.Draft:
    """Return what the policy checks see of `text`, written from `brief`."""
    return base.Draft(
        text=text,
        channel=brief.channel,
        locale=brief.locale,
        title=brief.title,
        brand=brief.brand,
        category=brief.category,
        facts=tuple(brief.facts),
        prompt_lines=tuple(prompts.prompt_lines(brief)),
    )


def grounding_of(candidate: Candidate, *, text: str) -> float:
    """Return how well the facts of `candidate` back `text`, 0 to 1."""
    return grounding.grounding_score(draft_of(candidate, text=text))


def policy_version() -> str:
    """Return the hash of the policy version in force; it stands in every decision."""
    return policy_versions.policy_in_force().version.content_hash


def find_problems(draft: base.Draft) -> list[Finding]:
    """Run every check of the policy in force on `draft` and return unsaved findings, which name its version.

    What several checks find about the same words and fact is one finding. A contradicted fact blocks, where the queue
    of copy says so.
    """
    policy = policy_versions.policy_in_force()
    blocks = policy_for(COPY_VERDICT).contradicted_facts == QueuePolicy.Contradicted.BLOCK
    return [
        Finding(
            policy_version=policy.version,
            check_name=result.check_name,
            check_version=result.check_version,
            code=hit.code,
            severity=Severity.BLOCK if blocks and _is_contradiction(hit) else hit.severity,
            message=hit.message[:500],
            start=hit.start,
            end=hit.end,
            evidence=dict(hit.evidence),
        )
        for result in merging.merged(base.run_checks(draft, policy.checks))
        for hit in result.hits
    ]


def _is_contradiction(hit: base.Hit) -> bool:
    # A note is about a part, or another thing than the one that is sold: nobody need answer it.
    return merging.is_contradicted(hit.code) and hit.severity != base.Severity.INFO


def screen_candidates() -> int:
    """Screen the drafts of up to `BATCH` requests, rank them and send the best of each to a person.

    Returns drafts seen.

    A request whose drafts cannot be screened is tried again, and goes into quarantine in the end; the others go on.
    """
    lease = settings.LEASES.work
    requests = leases.claim(_to_screen(), n=BATCH, duration=lease)
    with leases.heartbeat(requests, duration=lease):
        n = _screen_together(requests)
    if n:  # once for the batch: a hint for each request would flood the queue
        hint("moderation.open_reviews")
    return n


def _to_screen() -> QuerySet[GenerationRequest]:
    drafts = Candidate.objects.filter(status=Status.GENERATED, screened_at=None)
    # From the drafts that wait, which are few, to their requests; not through all requests there ever were.
    # An order that was cut short has drafts already; they are ranked with those that it lacks.
    oldest = leases.claimable(GenerationRequest.objects.exclude(finished_at=None)).filter(
        pk__in=drafts.values("request")
    )
    return oldest.order_by("finished_at", "pk")


def _screen_together(requests: Sequence[GenerationRequest]) -> int:
    """Screen the drafts of `requests`; where that fails, one by one, so that one cannot sink the rest."""
    if not requests:
        return 0
    drafts = Candidate.objects.filter(request__in=requests, status=Status.GENERATED, screened_at=None)
    try:
        # The model runs outside the transaction: no row stays locked while it thinks.
        waiting = list(drafts.select_related("product"))
        opinions, readings = opinions_on(waiting), {draft.pk: _proofread(draft) for draft in waiting}
        return sum(_screen_request(request, opinions, readings) for request in requests)
    except TransientError as exc:
        log.warning("drafts cannot be screened now: %s", exc)
        leases.release(requests, error=str(exc), counts=False, pause=leases.backoff(1))
    except leases.DATABASE_AWAY:
        raise
    except Exception as exc:
        if len(requests) > 1:
            return sum(_screen_together([request]) for request in requests)
        log.exception("the drafts of request %s cannot be screened", requests[0].pk)
        leases.fail(requests[0], error=f"{type(exc).__name__}: {exc}")
    return 0


def _proofread(candidate: Candidate) -> Reading:
    if not settings.MODERATION.proofreads:
        return Reading()
    brief = brief_of(candidate)
    keep = (brief.title, brief.brand, *(fact.value for fact in brief.facts))
    return proofread(candidate.text, locale=brief.locale, keep=keep, dialect=settings.MODERATION.dialect)


def _screen_request(
    request: GenerationRequest, opinions: Sequence[Opinion], readings: Mapping[uuid.UUID, Reading]
) -> int:
    try:
        return _screen(request, opinions, readings)
    except LeaseLost:
        log.warning("request %s: the lease was lost while screening; another worker has its drafts", request.pk)
        return 0


def _screen(request: GenerationRequest, opinions: Sequence[Opinion], readings: Mapping[uuid.UUID, Reading]) -> int:
    with transaction.atomic():
        leases.hold(request)
        drafts = list(
            Candidate.objects.filter(request=request, status=Status.GENERATED, screened_at=None).select_related(
                "product"
            )
        )
        save_opinions(opinions, drafts)
        lines: list[Line] = []
        passed: list[tuple[float, int, float, int, Candidate]] = []
        for candidate in drafts:
            draft = draft_of(candidate)
            findings = find_problems(draft)
            save_findings(candidate, findings)
            candidate.grounding = grounding.grounding_score(draft)
            candidate.screened_at = timezone.now()
            Candidate.objects.filter(pk=candidate.pk).update(
                grounding=candidate.grounding,
                screened_at=candidate.screened_at,
                proofreading=readings[candidate.pk].as_json if candidate.pk in readings else {},
            )
            codes = sorted({finding.code for finding in findings})
            if any(finding.severity == Severity.BLOCK for finding in findings):
                lines.append(advance(candidate, from_=Status.GENERATED, to=Status.BLOCKED, payload={"findings": codes}))
            else:
                n_warnings = sum(finding.severity == Severity.WARN for finding in findings)
                accepted = acceptance(opinions, candidate)
                passed.append((-candidate.grounding, n_warnings, -accepted, candidate.ordinal, candidate))
                lines.append(
                    Line(
                        "moderation.candidate.screened",
                        f"moderation.candidate:{candidate.pk}",
                        {"findings": codes, "grounding": round(candidate.grounding, 4)},
                    )
                )
        # The best grounded draft goes first; among equals the one with fewer warnings, then what people would accept.
        ranked = [entry[-1] for entry in sorted(passed, key=lambda entry: entry[:-1])]
        for rank, candidate in enumerate(ranked, start=1):
            Candidate.objects.filter(pk=candidate.pk).update(rank=rank)
        if ranked:
            lines.append(advance(ranked[0], from_=Status.GENERATED, to=Status.IN_REVIEW, payload={"rank": 1}))
        leases.release([request], n_attempts=0)
        ledger.append_many(lines, actor=SCREENER)
    return len(drafts)


def save_findings(candidate: Candidate, findings: Sequence[Finding]) -> None:
    """Replace the findings of `candidate`: screening twice leaves one set."""
    Finding.objects.filter(candidate=candidate).delete()
    for finding in findings:
        finding.candidate = candidate
    Finding.objects.bulk_create(findings)


def promote_next(request: GenerationRequest) -> list[Line]:
    """Send the next-ranked draft of `request` to review, if there is one; returns the ledger lines to append."""
    following = (
        Candidate.objects.filter(request=request, status=Status.GENERATED, rank__isnull=False).order_by("rank").first()
    )
    if following is None:
        return []
    return [advance(following, from_=Status.GENERATED, to=Status.IN_REVIEW, payload={"rank": following.rank})]


def overrule_block(candidate: Candidate, *, actor: User | SystemActor, reason: str) -> None:
    """Put a blocked draft into review after all. A person must say why (moderation.overrule_block).

    Raises `PermanentError` without a reason, `StaleState` when it is no longer blocked.
    """
    require_permission(actor, "moderation.overrule_block")
    reason = require_reason(reason, act="Overruling a block", hint="Say why this text may be looked at after all.")
    with transaction.atomic():
        line = advance(
            candidate,
            from_=Status.BLOCKED,
            to=Status.IN_REVIEW,
            event="overruled",
            payload={"reason": ledger.typed(reason, by=actor)},
        )
        ledger.append_many([line], actor=actor)
        hint_on_commit("moderation.open_reviews")
