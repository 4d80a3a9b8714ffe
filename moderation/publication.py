"""Letting copy out to shoppers and taking it back. Only a recorded decision publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from catalog import publishing
from catalog.models import Product, PublishedCopy
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError
from core.hashing import hash_json
from core.refs import pk_of, ref
from moderation import announcements
from moderation.lifecycle import advance
from moderation.marking import mark_for
from moderation.models.candidates import Candidate
from moderation.models.reviews import Decision

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Status = Candidate.Status
RELEASING = {Decision.Outcome.APPROVE, Decision.Outcome.EDIT}


def provenance_of(candidate: Candidate, decision: Decision) -> dict[str, Any]:
    """Return what the API tells about a published text: which model and prompt, whether edited, when decided. No persons."""
    machine = candidate.parent or candidate
    version = machine.model_version
    return {
        "model": None if version is None else {"role": version.role, "name": version.name, "version": version.number},
        "prompt_version": machine.prompt_version,
        "facts_hash": machine.facts_hash,
        "text_hash": hash_json([candidate.text]),
        "generated_at": machine.created_at.isoformat(),
        "human_reviewed": decision.decided_by != Decision.DecidedBy.AUTOMATIC,
        "human_edited": candidate.origin == Candidate.Origin.HUMAN,
        "decision": str(decision.pk),
        "decided_at": decision.created_at.isoformat(),
        "policy_version": decision.policy_version,
    }


def publish(candidate: Candidate, *, decision: Decision, actor: User | SystemActor) -> PublishedCopy:
    """Make an approved candidate live in place of what was live for its product, channel and locale.

    Raises `PermanentError` unless `decision` lets out exactly this candidate, `StaleState` when it is not approved.
    """
    require_permission(actor, "moderation.review_item")
    if decision.outcome not in RELEASING or decision.result_id != candidate.pk:
        raise PermanentError(f"decision {decision.pk} does not let out candidate {candidate.pk}")
    with transaction.atomic():
        now = timezone.now()
        lines = [advance(candidate, from_=Status.APPROVED, to=Status.PUBLISHED, payload={"decision": str(decision.pk)})]
        # The product row orders publications of the same place: the one that waits sees what the other made live.
        Product.objects.select_for_update(of=("self",)).get(pk=candidate.product_id)
        same: dict[str, Any] = {"product": candidate.product, "channel": candidate.channel, "locale": candidate.locale}
        replaced = PublishedCopy.objects.filter(**same, retired_at=None).first()
        live = publishing.put_live(
            **same, text=candidate.text, candidate_ref=ref(candidate),
            provenance=provenance_of(candidate, decision), ai_mark=mark_for(candidate), now=now,
        )  # fmt: skip
        if replaced:
            lines += _retire_candidate(replaced, reason="replaced")
            announcements.copy_retired(replaced, replaced_by=live)
        announcements.copy_published(live, decision=decision, replaces=replaced)
        lines.append(Line("moderation.copy.published", ref(live), {
            "candidate": ref(candidate), "replaces": ref(replaced) if replaced else None,
            "text_hash": hash_json([candidate.text]), "channel": candidate.channel, "locale": candidate.locale,
        }))  # fmt: skip
        ledger.append_many(lines, actor=actor)
    return live


def _retire_candidate(copy: PublishedCopy, *, reason: str) -> list[Line]:
    candidate = Candidate.objects.get(pk=pk_of(copy.candidate_ref, Candidate))
    return [
        advance(candidate, from_=Status.PUBLISHED, to=Status.RETIRED, payload={"reason": reason}),
        Line("moderation.copy.retired", ref(copy), {"reason": reason}),
    ]


def retire(published_copy: PublishedCopy, *, actor: User | SystemActor, reason: str) -> None:
    """Take a live text down; the shelf stays empty until the next decision. Needs catalog.retire_copy and a reason.

    Raises `PermanentError` without a reason, `StaleState` when it is not live any more.
    """
    require_permission(actor, "catalog.retire_copy")
    if not reason.strip():
        raise PermanentError("Taking copy down needs a reason.", hint="Say why, for whoever audits it later.")
    with transaction.atomic():
        lines = _retire_candidate(published_copy, reason=reason.strip()[:200])
        publishing.take_down(published_copy, reason=reason.strip()[:200], now=timezone.now())
        announcements.copy_retired(published_copy)
        ledger.append_many(lines, actor=actor)
