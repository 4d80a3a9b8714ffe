"""Appeals against a rejection, a taking down or a hiding: filed with a reason, judged by who had no part in it.

Overturned, the same text is a fresh draft of its request: checked by the rules of today and put before a person, and
let out by their decision alone, which supersedes the one that was overturned. Nothing comes back past the desk. A
customer review is the customer's and was shown before anybody judged it: there the judge's own decision shows it again.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from audit import ledger
from core.actors import require_permission
from core.exceptions import PermanentError, StaleState
from core.hashing import hash_json
from core.hints import hint_on_commit
from core.label_sets import NONE
from core.refs import ref
from labeling import labels
from moderation.decisions.rulings import rule
from moderation.lifecycle import advance, line_for
from moderation.live.hidden_reviews import hidden_by
from moderation.models.appeals import Appeal
from moderation.models.candidates import Candidate
from moderation.models.reviews import Decision
from moderation.queues import seats
from moderation.queues.separation_of_duties import involved_in_decision, require_another_person

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from audit.ledger import Line

Status = Appeal.Status
AGAINST = (Decision.Outcome.REJECT, Decision.Outcome.RETIRE)
LONGEST = 4000
# What a draft is by where it came from; everything else is what becomes of it.
ORIGIN = (
    "request",
    "parent",
    "product",
    "channel",
    "locale",
    "audience",
    "variant",
    "text",
    "origin",
    "model_version",
    "prompt_version",
    "prompt_hash",
    "brand_voice",
    "facts_hash",
    "facts",
    "params",
    "seed",
    "prompt_tokens",
    "completion_tokens",
    "generation_seconds",
    "device",
    "finish_reason",
)


def open_appeals() -> QuerySet[Appeal]:
    """Return what nobody has judged yet, the oldest first."""
    return Appeal.objects.filter(status=Status.OPEN).order_by("created_at")


def deadline(decision: Decision) -> dt.datetime:
    """Return until when an appeal against `decision` is taken (`APPEAL_DAYS`)."""
    return decision.created_at + dt.timedelta(days=settings.APPEAL_DAYS)


def why_not(decision: Decision) -> str:
    """Return why nobody can appeal against `decision`; empty when somebody can."""
    if decision.outcome not in AGAINST and hidden_by(decision) is None:
        return "Only a rejection, a taking down or the hiding of a review can be appealed against."
    if Decision.objects.filter(supersedes=decision).exists():
        return "A later decision stands in its place."
    if Appeal.objects.filter(decision=decision).exists():
        return "There is an appeal against it already."
    return "" if timezone.now() <= deadline(decision) else f"The time for an appeal ended on {deadline(decision):%F}."


def appeal(decision: Decision, *, actor: User, reason: str) -> Appeal:
    """File an appeal against a rejection, a taking down or the hiding of a customer review, once for each decision.

    Needs moderation.appeal_decision and a reason. Raises `PermanentError` for another decision, one that is superseded,
    one that was appealed against, and after `APPEAL_DAYS`. The reason stays out of the ledger: it may name people.
    """
    require_permission(actor, "moderation.appeal_decision")
    reason = reason.strip()
    if not reason or len(reason) > LONGEST:
        raise PermanentError(
            f"An appeal needs a reason of at most {LONGEST:,} characters.", hint="Say what the decision overlooks."
        )
    try:
        with transaction.atomic():
            decision = Decision.objects.select_for_update(of=("self",), no_key=True).get(pk=decision.pk)
            if words := why_not(decision):
                raise PermanentError(words)
            made = Appeal.objects.create(decision=decision, appellant=actor, reason=reason)
            payload = {"decision": ref(decision), "reason_hash": hash_json([reason])}
            ledger.append_many([line_for(made, "opened", **payload)], actor=actor)
    except IntegrityError as exc:  # two filed it this very moment
        raise StaleState("There is an appeal against it already.") from exc
    return made


def may_judge(filed: Appeal, user: Any) -> bool:
    """Whether a page shows `user` the buttons; `judge` asks again."""
    if filed.status != Status.OPEN or not user.has_perm("moderation.judge_appeal"):
        return False
    try:
        _require_judge(filed, user)
    except PermanentError:
        return False
    return True


def judge(filed: Appeal, *, actor: User, overturn: bool, answer: str) -> Appeal:
    """Uphold a decision, or overturn it: then its text is a fresh draft, which a person decides on anew.

    A customer review is shown again, by a decision of `actor`; not where people have ticked something again since.

    Needs moderation.judge_appeal and an answer that says why. Raises `PermanentError` for who decided, checked,
    answered or appealed, `StaleState` when it is judged already.
    """
    require_permission(actor, "moderation.judge_appeal")
    answer = answer.strip()[:LONGEST]
    if not answer:
        raise PermanentError("An appeal is answered with a reason.", hint="Say why the decision stands or falls.")
    with transaction.atomic():
        filed = (
            Appeal.objects.select_for_update(of=("self",), no_key=True)
            .select_related("decision__item")
            .get(pk=filed.pk)
        )
        _require_judge(filed, actor)
        updates: dict[str, Any] = {"judge": actor, "answer": answer, "decided_at": timezone.now()}
        lines: list[Line] = []
        if overturn and filed.decision.outcome == Decision.Outcome.LABEL:
            updates["ruling"] = _shown_again(filed.decision, judge=actor, answer=answer)
        elif overturn:
            updates["candidate"], lines = _as_a_draft_again(filed)
        payload = {"decision": ref(filed.decision), "answer_hash": hash_json([answer])}
        payload |= {name: ref(updates[name]) for name in ("candidate", "ruling") if name in updates}
        to = Status.OVERTURNED if overturn else Status.UPHELD
        lines.append(advance(filed, from_=Status.OPEN, to=to, payload=payload, **updates))
        ledger.append_many(lines, actor=actor)
        hint_on_commit("moderation.screen_candidates")
    return filed


def _require_judge(filed: Appeal, actor: User) -> None:
    involved = [filed.appellant, *involved_in_decision(filed.decision)]
    require_another_person(actor, involved, act="judge this appeal")


def _shown_again(decision: Decision, *, judge: User, answer: str) -> Decision:
    """Return the decision that stands in the place of `decision` and shows the review: one made meanwhile,
    or the judge's.
    """
    lead = seats.lock_panel(decision.item.leading)[0]
    later = Decision.objects.filter(item=lead, superseded_by=None).exclude(pk=decision.pk).first()
    if later is None:
        return rule(lead, label=NONE, actor=judge, reason=answer)
    if hidden_by(later):
        raise PermanentError(
            "Somebody has decided since that it is unsafe.",
            hint="Uphold this one: that decision can be appealed against.",
        )
    return later


def text_of(decision: Decision) -> Candidate:
    """Return the text that a decision rejected or took down. Raises `PermanentError` for one about no draft."""
    before = decision.supersedes
    if decision.outcome == Decision.Outcome.RETIRE and before and before.result:
        return before.result
    if decision.item.candidate is None:
        raise PermanentError("This decision is about no text of ours.")
    return decision.item.candidate


def _as_a_draft_again(filed: Appeal) -> tuple[Candidate, list[Line]]:
    """Make the text a draft like any other: the screening finds it, and its findings and rank are made anew."""
    text = text_of(filed.decision)
    last = text.request.candidates.aggregate(last=Max("ordinal"))["last"]
    fields = {name: getattr(text, name) for name in ORIGIN}
    again = Candidate.objects.create(id=uuid.uuid4(), ordinal=last + 1, **fields)
    item = filed.decision.item
    if filed.decision.outcome == Decision.Outcome.REJECT:  # that it is bad is not held to be true any more
        labels.forget_label(item.question, ref(item.subject))
    return again, [line_for(again, "reinstated", appeal=ref(filed), **{"from": ref(text)})]
