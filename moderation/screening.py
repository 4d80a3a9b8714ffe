"""Checks and scores: which drafts are blocked, which is the best of its request, and what a reviewer must look at."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from core import leases
from core.actors import SystemActor, require_permission
from core.exceptions import LeaseLost, PermanentError, TransientError
from core.hints import hint, hint_on_commit
from inference import loader, prompts, resolver
from inference.contracts import Classification, CopyBrief, Fact
from inference.models import ModelVersion, Role
from moderation.lifecycle import advance
from moderation.models.candidates import Candidate, Finding, GenerationRequest, Score
from moderation.policy import base, grounding

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = logging.getLogger(__name__)
SCREENER = SystemActor("moderation.screening")
BATCH = 20
Status = Candidate.Status
Severity = Finding.Severity


def draft_of(candidate: Candidate, *, text: str | None = None) -> base.Draft:
    """Return what the policy checks see of a candidate: its text (or `text`) and the facts it was written from."""
    product = candidate.product
    brief = CopyBrief(
        channel=candidate.channel, locale=candidate.locale, title=product.title_for(candidate.locale),
        brand=product.brand, category=product.category, facts=tuple(Fact(**fact) for fact in candidate.facts),
    )  # fmt: skip
    return base.Draft(
        text=candidate.text if text is None else text, channel=brief.channel, locale=brief.locale, title=brief.title,
        brand=brief.brand, category=brief.category, facts=tuple(base.Fact(**fact) for fact in candidate.facts),
        prompt_lines=tuple(prompts.prompt_lines(brief)),
    )  # fmt: skip


def grounding_of(candidate: Candidate, *, text: str) -> float:
    """Return how well the facts of `candidate` back `text`, 0 to 1."""
    return grounding.grounding_score(draft_of(candidate, text=text))


def policy_version() -> str:
    """Return a short hash that names the checks in force and their versions; it stands in every decision."""
    return base.policy_version(base.load_checks())


def find_problems(draft: base.Draft) -> list[Finding]:
    """Run every check of the policy on `draft` and return unsaved findings."""
    return [
        Finding(
            check_name=result.check_name, check_version=result.check_version, code=hit.code, severity=hit.severity,
            message=hit.message[:500], start=hit.start, end=hit.end, evidence=dict(hit.evidence),
        )
        for result in base.run_checks(draft, base.load_checks())
        for hit in result.hits
    ]  # fmt: skip


def screen_candidates() -> int:
    """Screen the drafts of up to `BATCH` requests, rank them and send the best of each to a person. Returns drafts seen.

    A request whose drafts cannot be screened is tried again, and goes into quarantine in the end; the others go on.
    """
    lease = settings.LEASES["WORK"]
    requests = leases.claim(_to_screen(), n=BATCH, duration=lease)
    with leases.heartbeat(requests, duration=lease):
        n = _screen_together(requests)
    if n:  # once for the batch: a hint for each request would flood the queue
        hint("moderation.open_reviews")
    return n


def _to_screen() -> QuerySet[GenerationRequest]:
    drafts = Candidate.objects.filter(status=Status.GENERATED, screened_at=None)
    # From the drafts that wait, which are few, to their requests; not through all requests there ever were.
    oldest = leases.claimable(GenerationRequest.objects.all()).filter(pk__in=drafts.values("request"))
    return oldest.order_by("finished_at", "pk")


def _screen_together(requests: Sequence[GenerationRequest]) -> int:
    """Screen the drafts of `requests`; where that fails, one by one, so that one cannot sink the rest."""
    if not requests:
        return 0
    drafts = Candidate.objects.filter(request__in=requests, status=Status.GENERATED, screened_at=None)
    try:
        # The model runs outside the transaction: no row stays locked while it thinks.
        scorer, tones = _score_tone(list(drafts))
        return sum(_screen_request(request, scorer=scorer, tones=tones) for request in requests)
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


def _score_tone(candidates: Sequence[Candidate]) -> tuple[ModelVersion | None, dict[object, Classification]]:
    """Return how positive each text sounds to the sentiment champion; nothing when there is no champion yet."""
    version = resolver.find(Role.SENTIMENT)
    if version is None:
        return None, {}
    answers = loader.load_classifier(version).classify([candidate.text for candidate in candidates])
    return version, {candidate.pk: answer for candidate, answer in zip(candidates, answers, strict=True)}


def _screen_request(
    request: GenerationRequest, *, scorer: ModelVersion | None, tones: dict[object, Classification]
) -> int:
    try:
        return _screen(request, scorer=scorer, tones=tones)
    except LeaseLost:
        log.warning("request %s: the lease was lost while screening; another worker has its drafts", request.pk)
        return 0


def _screen(request: GenerationRequest, *, scorer: ModelVersion | None, tones: dict[object, Classification]) -> int:
    with transaction.atomic():
        leases.hold(request)
        drafts = list(
            Candidate.objects.filter(request=request, status=Status.GENERATED, screened_at=None).select_related(
                "product"
            )
        )
        lines: list[Line] = []
        passed: list[tuple[int, float, Candidate]] = []
        for candidate in drafts:
            draft = draft_of(candidate)
            findings = find_problems(draft)
            save_findings(candidate, findings)
            if scorer and (tone := tones.get(candidate.pk)):
                Score.objects.update_or_create(
                    candidate=candidate, name="positive_tone", model_version=scorer,
                    defaults={"value": tone.probabilities.get("positive", 0.0)},
                )  # fmt: skip
            candidate.grounding = grounding.grounding_score(draft)
            candidate.screened_at = timezone.now()
            Candidate.objects.filter(pk=candidate.pk).update(
                grounding=candidate.grounding, screened_at=candidate.screened_at
            )
            codes = sorted({finding.code for finding in findings})
            if any(finding.severity == Severity.BLOCK for finding in findings):
                lines.append(advance(candidate, from_=Status.GENERATED, to=Status.BLOCKED, payload={"findings": codes}))
            else:
                n_warnings = sum(finding.severity == Severity.WARN for finding in findings)
                passed.append((n_warnings, -candidate.grounding, candidate))
                lines.append(Line("moderation.candidate.screened", f"moderation.candidate:{candidate.pk}",
                                  {"findings": codes, "grounding": round(candidate.grounding, 4)}))  # fmt: skip
        # The best grounded draft goes first; among equals the one with fewer warnings.
        ranked = [c for _, _, c in sorted(passed, key=lambda entry: (entry[1], entry[0], entry[2].ordinal))]
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
    if not reason.strip():
        raise PermanentError("Overruling a block needs a reason.", hint="Say why this text may be looked at after all.")
    with transaction.atomic():
        line = advance(
            candidate,
            from_=Status.BLOCKED,
            to=Status.IN_REVIEW,
            event="overruled",
            payload={"reason": reason.strip()[:500]},
        )
        ledger.append_many([line], actor=actor)
        hint_on_commit("moderation.open_reviews")
