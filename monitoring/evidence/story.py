"""The story of one published text as plain data: who wrote it, from what, what was found, who let it out."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from audit.models import LedgerEntry
from catalog.models import PublishedCopy
from core.actors import actor_ref
from core.differences import diff
from core.hashing import hash_json
from core.refs import pk_of, ref
from inference.models import ModelVersion
from labeling.models import Vote
from moderation.drafting import reproduction
from moderation.live import history, marking
from moderation.models.appeals import Appeal
from moderation.models.candidates import Candidate
from moderation.models.policies import PolicyVersion
from moderation.models.predictions import Prediction
from moderation.models.reviews import COPY_VERDICT, Decision


def live_at(moment: dt.datetime, *, sku: str) -> QuerySet[PublishedCopy]:
    """Return what was live of a product at `moment`, by slot and variant."""
    then = Q(retired_at=None) | Q(retired_at__gt=moment)
    found = PublishedCopy.objects.filter(then, product__sku=sku, published_at__lte=moment)
    return found.select_related("product").order_by("channel", "locale", "audience", "variant")


def story_of(copy: PublishedCopy, *, at: dt.datetime) -> dict[str, Any]:
    """Return all that is known about `copy` as of `at`, as JSON. Deterministic; people are pseudonyms (`user:<id>`)."""
    shown = Candidate.objects.select_related("product", "parent", "model_version", "request").get(
        pk=pk_of(copy.candidate_ref, Candidate)
    )
    texts = shown.lineage()
    machine = texts[-1]
    return {
        "copy": ref(copy),
        "channel": copy.channel,
        "locale": copy.locale,
        "audience": copy.audience,
        "variant": copy.variant,
        "text": copy.text,
        "text_hash": hash_json([copy.text]),
        "published_at": copy.published_at.isoformat(),
        "ai_mark": copy.ai_mark,
        "ai_mark_is_genuine": marking.is_genuine(copy.ai_mark.get("AIGC", {}), copy.text),
        "provenance": copy.provenance,
        "draft": _draft(machine),
        "changes": [] if shown == machine else [dataclasses.asdict(one) for one in diff(machine.text, shown.text)],
        "findings": {ref(text): _findings(text) for text in reversed(texts)},
        "decisions": [_decision(decision) for decision in _decisions(texts, at)],
        "answers": list(_answers(texts, at)),
        "appeals": list(_appeals(texts, at)),
        "ledger": [_line(entry) for entry in _entries(shown, at)],
    }


def _draft(machine: Candidate) -> dict[str, Any]:
    prompt = reproduction.prompt_of(machine)
    return {
        "candidate": ref(machine),
        "text": machine.text,
        "generated_at": machine.created_at.isoformat(),
        "model": _model(machine.model_version),
        "params": machine.params,
        "seed": machine.seed,
        "device": machine.device,
        "finish_reason": machine.finish_reason,
        "facts": machine.facts,
        "facts_hash": machine.facts_hash,
        "grounding": machine.grounding,
        "prompt": {
            "version": machine.prompt_version,
            "hash": machine.prompt_hash,
            "rendered_again_is_the_same": prompt.is_same,
            "messages": [dataclasses.asdict(message) for message in prompt.messages] if prompt.is_same else [],
        },
        "scores": [
            {
                "question": said.question,
                "label": said.label,
                "confidence": said.confidence,
                "probabilities": said.probabilities,
                "model": str(said.model_version),
                "is_shadow": said.is_shadow,
            }
            for said in Prediction.objects.filter(subject=ref(machine))
            .select_related("model_version")
            .order_by("question", "is_shadow", "pk")
        ],
    }


def _model(version: ModelVersion | None) -> dict[str, Any] | None:
    if version is None:
        return None
    names = ("role", "name", "number", "backend", "source", "licence", "artifact_hash", "base_hash", "dataset_hash")
    return {"version": str(version.pk), **{name: getattr(version, name) for name in names}}


def _findings(candidate: Candidate) -> list[dict[str, Any]]:
    names = ("check_name", "check_version", "code", "severity", "message", "start", "end", "evidence", "verdict")
    return [
        {name: getattr(finding, name) for name in names}
        for finding in candidate.findings.order_by("start", "end", "code", "check_name")
    ]


def _decisions(texts: Sequence[Candidate], at: dt.datetime) -> QuerySet[Decision]:
    """Return what was decided on `texts`, and what was until an appeal brought one of them back."""
    about = (
        Decision.objects.filter(item__candidate__in=texts)
        .values("pk")
        .union(
            Decision.objects.filter(item__lead__candidate__in=texts).values("pk"),
            Appeal.objects.filter(candidate__in=texts).values("decision"),
        )
    )
    found = Decision.objects.filter(pk__in=about, created_at__lte=at)
    return found.select_related("reviewer", "checker", "item").order_by("created_at", "pk")


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "decision": ref(decision),
        "at": decision.created_at.isoformat(),
        "outcome": decision.outcome,
        "decided_by": decision.decided_by,
        "who": actor_ref(decision.reviewer) if decision.reviewer else None,
        "reason_codes": decision.reason_codes,
        "rationale": decision.rationale,
        "policy_version": decision.policy_version,
        "high_severity": decision.high_severity,
        "second_person": actor_ref(decision.checker) if decision.checker else None,
        "their_note": decision.check_note,
        "saw_suggestion": decision.suggestion_shown,
        "held_seconds": None if decision.dwell_time is None else round(decision.dwell_time.total_seconds(), 1),
        "seconds": None if decision.lead_time is None else round(decision.lead_time.total_seconds(), 1),
        "supersedes": None if decision.supersedes_id is None else f"moderation.decision:{decision.supersedes_id}",
    }


def _answers(texts: Sequence[Candidate], at: dt.datetime) -> Iterable[dict[str, Any]]:
    """Yield what each person said of them, and whether they saw what a model suggested before they said it."""
    subjects = [ref(text) for text in texts]
    for vote in Vote.objects.filter(question=COPY_VERDICT, subject__in=subjects, voted_at__lte=at).order_by("pk"):
        yield {
            "who": vote.rater,
            "label": vote.label,
            "purpose": vote.purpose,
            "at": vote.voted_at.isoformat(),
            "seconds": vote.seconds,
            "saw_suggestion": vote.is_assisted,
            "suggestion": vote.suggestion,
        }


def _appeals(texts: Sequence[Candidate], at: dt.datetime) -> Iterable[dict[str, Any]]:
    """Yield the appeals against those decisions: who, and what came of it by then."""
    found = Appeal.objects.filter(decision__in=_decisions(texts, at), created_at__lte=at)
    for appeal in found.select_related("appellant", "judge").order_by("created_at"):
        judged = appeal.decided_at is not None and appeal.decided_at <= at
        yield {
            "appeal": ref(appeal),
            "decision": f"moderation.decision:{appeal.decision_id}",
            "at": appeal.created_at.isoformat(),
            "by": actor_ref(appeal.appellant),
            "status": appeal.status if judged else Appeal.Status.OPEN.value,
            "judge": actor_ref(appeal.judge) if judged and appeal.judge else None,
        }


def policies_of(stories: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the whole text of each policy version that the decisions of `stories` name: its hash → its content."""
    named = {decision["policy_version"] for story in stories for decision in story["decisions"]}
    return {version.content_hash: version.content for version in PolicyVersion.objects.filter(content_hash__in=named)}


def _entries(shown: Candidate, at: dt.datetime) -> Iterable[LedgerEntry]:
    return LedgerEntry.objects.filter(subject__in=history.subjects_of(shown), at__lte=at).order_by("seq")


def _line(entry: LedgerEntry) -> dict[str, Any]:
    """A line as it is stored, what people typed still sealed: so its hash can be computed again by whoever holds it."""
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "payload": entry.payload,
        "prev": entry.prev_hash,
        "hash": entry.entry_hash,
    }
