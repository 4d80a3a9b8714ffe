"""What the desk tells those who subscribed (`outbox.events`): each in the transaction that makes it true.

Thin on purpose: references, skus and codes. People are `user:<id>`, reasons are codes, and a text is fetched from the
API. docs/webhooks.md describes each type's data.
"""

from __future__ import annotations

from typing import Any

from catalog.models import HiddenReview, PublishedCopy
from catalog.slots import Slot
from core.actors import actor_ref
from core.refs import ref
from moderation.models.candidates import Candidate, GenerationRequest
from moderation.models.reviews import Decision, ReviewItem
from outbox.events import emit


def copy_published(copy: PublishedCopy, *, decision: Decision, replaces: PublishedCopy | None) -> None:
    """A text went live."""
    emit(
        "copy.published",
        {
            **_copy(copy),
            "decision": ref(decision),
            "replaces": ref(replaces) if replaces else None,
            "published_at": copy.published_at.isoformat(),
            "text_hash": copy.provenance["text_hash"],
            "human_edited": copy.provenance["human_edited"],
        },
    )


def copy_retired(copy: PublishedCopy, *, replaced_by: PublishedCopy | None = None) -> None:
    """A text is no longer shown: newer copy took its place, or a person took it down and the shelf is empty."""
    emit("copy.retired", {**_copy(copy), "replaced_by": ref(replaced_by) if replaced_by else None})


def item_completed(item: ReviewItem, decision: Decision) -> None:
    """A review item is decided."""
    emit(
        "item.completed",
        {
            "item": ref(item),
            "question": item.question,
            "kind": item.question,  # what receivers know it as from before
            "decision": ref(decision),
            "outcome": decision.outcome,
            "label": decision.label,
            "reason_codes": decision.reason_codes,
            "decided_by": decision.decided_by,
            "reviewer": actor_ref(decision.reviewer) if decision.reviewer else None,
            "policy_version": decision.policy_version,
            "result": ref(decision.result) if decision.result else None,
            **(_candidate(item.candidate) if item.candidate else {}),
            **({"customer_review": ref(item.customer_review)} if item.customer_review else {}),
        },
    )


def review_hidden(hidden: HiddenReview) -> None:
    """A customer review is not to be shown, and why."""
    emit("review.hidden", {**_review(hidden), "reasons": hidden.reasons, "decision": hidden.decision_ref})


def review_shown(hidden: HiddenReview) -> None:
    """A customer review that was hidden may be shown again."""
    emit("review.shown", {**_review(hidden), "decision": hidden.ended_by})


def request_completed(request: GenerationRequest, *, n_candidates: int) -> None:
    """The drafts of a request are written; they are checked next."""
    emit("request.completed", {**_request(request), "n_candidates": n_candidates})


def request_failed(request: GenerationRequest) -> None:
    """A request was given up; a person may have it tried again. Why stands in the console."""
    emit("request.failed", {**_request(request), "n_attempts": request.n_attempts})


def _copy(copy: PublishedCopy) -> dict[str, Any]:
    return {
        "copy": ref(copy),
        "candidate": copy.candidate_ref,
        **Slot.of(copy).as_event(),
        "variant": copy.variant,
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {"candidate": ref(candidate), **Slot.of(candidate).as_event(), "variant": candidate.variant}


def _review(hidden: HiddenReview) -> dict[str, Any]:
    review = hidden.review
    return {
        "customer_review": ref(review),
        "external_id": review.external_id,
        "sku": review.product.sku if review.product else "",
    }


def _request(request: GenerationRequest) -> dict[str, Any]:
    return {"request": ref(request), **Slot.of(request).as_event(), "variant": request.variant}
