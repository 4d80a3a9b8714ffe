"""Letting copy out to shoppers and taking it back. Only a recorded decision publishes."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from audit import ledger
from audit.ledger import Line, Sealed
from catalog import publishing
from catalog.models import Product, PublishedCopy
from catalog.slots import Slot, require_known
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError
from core.hashing import hash_json
from core.reasons import require_reason
from core.refs import pk_of, ref
from moderation import announcements
from moderation.drafting import near_copies, screening
from moderation.lifecycle import advance
from moderation.live.marking import mark_for
from moderation.models.candidates import Candidate
from moderation.models.reviews import Decision
from moderation.reason_codes import REASONS

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Status = Candidate.Status
RELEASING = {Decision.Outcome.APPROVE, Decision.Outcome.EDIT}


def provenance_of(candidate: Candidate, decision: Decision) -> dict[str, Any]:
    """Return what the API tells about a published text: which model and prompt, whether edited, when decided.

    No persons.
    """
    machine = candidate.first_draft
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


def publish(
    candidate: Candidate, *, decision: Decision, actor: User | SystemActor, variant: str | None = None
) -> PublishedCopy:
    """Make an approved candidate live in place of what was live in its slot in the same variant; other variants stay
    live.

    That is the variant it was asked for, unless the decision lets it out as another `variant`. Raises `PermanentError`
    unless `decision` lets out exactly this candidate or for a name that is none, `StaleState` when it is not approved.
    """
    require_permission(actor, "moderation.review_item")
    if decision.outcome not in RELEASING or decision.result_id != candidate.pk:
        raise PermanentError(f"decision {decision.pk} does not let out candidate {candidate.pk}")
    slot, variant = Slot.of(candidate), candidate.variant if variant is None else variant
    require_known(variant=variant)
    with transaction.atomic():
        now = timezone.now()
        lines = [advance(candidate, from_=Status.APPROVED, to=Status.PUBLISHED, payload={"decision": str(decision.pk)})]
        # The product row orders publications of the same place: the one that waits sees what the other made live.
        Product.objects.select_for_update(of=("self",), no_key=True).get(pk=candidate.product_id)
        replaced = PublishedCopy.objects.filter(**slot.where(), variant=variant, retired_at=None).first()
        live = publishing.put_live(
            slot,
            variant=variant,
            text=candidate.text,
            candidate_ref=ref(candidate),
            provenance=provenance_of(candidate, decision),
            ai_mark=mark_for(candidate),
            now=now,
            # Let out before, and taken back by who did: decided on again since.
            again=Decision.objects.filter(result=candidate).exclude(pk=decision.pk).exists(),
        )
        near_copies.remember(live)
        if replaced:
            near_copies.forget(replaced)
            lines += _retire_candidate(replaced, reason="replaced")
            announcements.copy_retired(replaced, replaced_by=live)
        announcements.copy_published(live, decision=decision, replaces=replaced)
        lines.append(
            Line(
                "moderation.copy.published",
                ref(live),
                {
                    "candidate": ref(candidate),
                    "replaces": ref(replaced) if replaced else None,
                    "text_hash": hash_json([candidate.text]),
                    **slot.as_event(),
                    "variant": variant,
                },
            )
        )
        ledger.append_many(lines, actor=actor)
    return live


def put_back(published_copy: PublishedCopy, *, actor: User, reason: str, by: str) -> PublishedCopy:
    """Make a text live again that was taken down, as a decision of `actor`; `by` refers to what took it down.

    Needs catalog.publish_copy. What shoppers saw when stays true: it is live copy of its own, from now on. Raises
    `StaleState` where something newer is live or it is live, `PermanentError` where no decision ever let it out.
    """
    require_permission(actor, "catalog.publish_copy")
    said = ledger.typed(reason[:500], by=actor)
    with transaction.atomic():
        Product.objects.select_for_update(of=("self",), no_key=True).get(pk=published_copy.product_id)
        candidate = Candidate.objects.get(pk=pk_of(published_copy.candidate_ref, Candidate))
        released = Decision.objects.filter(result=candidate, outcome__in=RELEASING).order_by("-created_at").first()
        if released is None:
            raise PermanentError(f"No decision let out {ref(candidate)}.", hint="Request new copy for the product.")
        line = advance(candidate, from_=Status.RETIRED, to=Status.PUBLISHED, payload={"reason": said, "undoes": by})
        decision = Decision.objects.create(
            item=released.item,
            outcome=released.outcome,
            result=candidate,
            decided_by=Decision.DecidedBy.HUMAN_SINGLE,
            reviewer=actor,
            reason_codes=["recall_undone"],
            rationale=reason[:2000],
            supersedes=Decision.objects.filter(item=released.item, superseded_by=None).first(),
            policy_version=screening.policy_version(),
        )
        live = publishing.put_back(
            published_copy,
            provenance=provenance_of(candidate, decision) | {"restores": ref(published_copy)},
            now=timezone.now(),
        )
        near_copies.remember(live)
        announcements.copy_published(live, decision=decision, replaces=None)
        payload = {
            "candidate": ref(candidate),
            "restores": ref(published_copy),
            "decision": ref(decision),
            "undoes": by,
            "text_hash": hash_json([candidate.text]),
        }
        ledger.append_many([line, Line("moderation.copy.restored", ref(live), payload)], actor=actor)
    return live


def _retire_candidate(copy: PublishedCopy, *, reason: str | Sealed) -> list[Line]:
    candidate = Candidate.objects.get(pk=pk_of(copy.candidate_ref, Candidate))
    return [
        advance(candidate, from_=Status.PUBLISHED, to=Status.RETIRED, payload={"reason": reason}),
        Line("moderation.copy.retired", ref(copy), {"reason": reason}),
    ]


def retire(
    published_copy: PublishedCopy, *, actor: User | SystemActor, reason: str, reason_codes: Sequence[str] = ("other",)
) -> None:
    """Take a live text down; the shelf stays empty until the next decision. Needs catalog.retire_copy and a reason.

    That is a decision too, which supersedes the one that let the text out: it can be appealed against. `reason_codes`
    are those of `interface_texts.REASONS`. Raises `PermanentError` without a reason or for an unknown code,
    `StaleState` when it is not live any more.
    """
    require_permission(actor, "catalog.retire_copy")
    reason = require_reason(reason, act="Taking copy down", longest=2000)
    if not reason_codes or (unknown := sorted(set(reason_codes) - set(REASONS))):
        known = ", ".join(REASONS)
        raise PermanentError(
            f"There is no such reason: {', '.join(unknown) if reason_codes else 'none'}; there are {known}."
        )
    said = ledger.typed(reason[:200], by=actor)
    _take_down(published_copy, actor=actor, reason=reason, said=said, codes=list(reason_codes))


def take_back(published_copy: PublishedCopy, *, actor: User, reason: str) -> None:
    """Take down what `actor` let out themselves a moment ago (`moderation.decisions.corrections`, which asks whether
    they may).

    Needs moderation.review_item. `reason` is the house's wording. Raises as `retire`.
    """
    require_permission(actor, "moderation.review_item")
    _take_down(published_copy, actor=actor, reason=reason, said=reason, codes=["other"])


def _take_down(
    published_copy: PublishedCopy, *, actor: User | SystemActor, reason: str, said: str | Sealed, codes: list[str]
) -> None:
    with transaction.atomic():
        lines = _retire_candidate(published_copy, reason=said)
        publishing.take_down(published_copy, reason=reason[:200], now=timezone.now())
        near_copies.forget(published_copy)
        announcements.copy_retired(published_copy)
        lines += _decide_to_retire(published_copy, actor=actor, reason=reason, codes=codes)
        ledger.append_many(lines, actor=actor)


def _decide_to_retire(copy: PublishedCopy, *, actor: User | SystemActor, reason: str, codes: list[str]) -> list[Line]:
    before = Decision.objects.filter(result__pk=pk_of(copy.candidate_ref, Candidate), superseded_by=None).first()
    if before is None:
        return []  # no decision of this desk let it out
    person = None if isinstance(actor, SystemActor) else actor
    decision = Decision.objects.create(
        item=before.item,
        supersedes=before,
        outcome=Decision.Outcome.RETIRE,
        reviewer=person,
        decided_by=Decision.DecidedBy.HUMAN_SINGLE if person else Decision.DecidedBy.AUTOMATIC,
        reason_codes=codes,
        rationale=reason[:2000],
        policy_version=screening.policy_version(),
    )
    payload = {"copy": ref(copy), "candidate": copy.candidate_ref, "reasons": codes}
    return [Line("moderation.decision.retire", ref(decision), payload)]


def forget_reasons(keys: Collection[uuid.UUID], *, instead: str) -> int:
    """Replace the reasons for which these copies were taken down: who gave them is erased. Returns how many."""
    return publishing.forget_reasons(keys, instead=instead)
