"""What an auditor asks about customer reviews: which were hidden, by whom and why, and which were shown again."""

from __future__ import annotations

from catalog.models import HiddenReview
from core.actors import actor_ref
from core.refs import keys_of, ref
from moderation.decisions import appeals
from moderation.decisions.statements import document
from moderation.models.reviews import Decision
from monitoring.auditor.asking import MOST_ROWS, Answer, Asked, table


def hidden(asked: Asked) -> Answer:
    """21: every hiding in the time asked about, with the decision it rests on, and what ended it."""
    found = HiddenReview.objects.filter(**asked.within("hidden_at")).select_related("review__product")
    if asked.sku:
        found = found.filter(review__product__sku=asked.sku)
    rows = list(found[: MOST_ROWS + 1])
    refs = [reference for row in rows for reference in (row.decision_ref, row.ended_by) if reference]
    decisions = {
        ref(one): one
        for one in Decision.objects.filter(pk__in=keys_of(refs, Decision)).select_related(
            "reviewer", "checker", "appeal"
        )
    }
    columns = (
        "review",
        "sku",
        "hidden",
        "because",
        "a model had said",
        "by",
        "statement",
        "appeal",
        "shown or hidden anew",
        "by",
    )
    cells = [
        (
            row.review.external_id,
            row.review.product.sku if row.review.product else "–",
            row.hidden_at,
            ", ".join(row.reasons),
            ", ".join(row.marked) or "–",
            _who(decisions.get(row.decision_ref)),
            document.puid_of(decisions[row.decision_ref]) if row.decision_ref in decisions else "–",
            _appeal(decisions.get(row.decision_ref)),
            row.ended_at or "–",
            _who(decisions.get(row.ended_by)),
        )
        for row in rows
    ]
    standing = found.filter(ended_at=None).count()
    n_open = appeals.open_appeals().filter(decision__outcome=Decision.Outcome.LABEL).count()
    return Answer(
        f"{found.count():,} hiding(s) of a review, {standing:,} of them stand; {n_open} appeal(s) against one are "
        "open.",
        [table("Hidden reviews, the latest first", columns, cells, note="Each by a recorded decision of a person.")],
    )


def _who(decision: Decision | None) -> str:
    if decision is None:
        return "–"
    people = [person for person in (decision.reviewer, decision.checker) if person]
    return ", ".join(actor_ref(person) for person in people) or "nobody any more"


def _appeal(decision: Decision | None) -> str:
    filed = getattr(decision, "appeal", None)
    return filed.get_status_display() if filed else "–"
