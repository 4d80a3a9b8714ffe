"""Opening human work for what is ready for it, and settling it when people have answered."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from celery.exceptions import SoftTimeLimitExceeded
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, Model, OuterRef, Q, Value
from django.db.models.functions import Coalesce

from audit import ledger
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError, StaleState
from core.hints import hint
from core.reasons import require_reason
from core.refs import ref
from labeling import sync
from labeling.models import Consensus
from labeling.question import Question, question, queue_names
from moderation import priority
from moderation.decisions import panels
from moderation.judging import attention
from moderation.lifecycle import line_for
from moderation.models.candidates import Candidate
from moderation.models.predictions import Prediction
from moderation.models.reviews import COPY_VERDICT, ReviewItem
from moderation.queues import active_learning, back_pressure, daily_lot, first_labels, seats
from moderation.queues.rules import factors_about, place_of, policy_for
from moderation.queues.seats import pass_to_senior

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = logging.getLogger(__name__)
OPENER = SystemActor("moderation.review")
BATCH = 200
# Why a draft is put before people: all of them are.
EVERY_DRAFT = "every draft"
Status = ReviewItem.Status


@dataclass(frozen=True)
class Work:
    """What an item is made from."""

    about: Model
    factors: priority.Factors
    payload: dict[str, Any]  # what Label Studio shows
    predictions: list[dict[str, Any]]  # what it pre-fills
    suggestion: str = ""  # the label the model suggests
    strategy: str = ""  # why this one was chosen


def open_reviews() -> int:
    """Open human work for drafts in review, and for what a model said that is worth asking about.

    Returns how many items.

    Questions that want first labels are asked by lot (`moderation.queues.first_labels`).

    Of what models said only while the queue of the question takes more (`moderation.queues.back_pressure`), but for the
    few of each day's lot; drafts that were written are opened.
    """
    opened = 0
    drafts = _candidates_without_item()
    alone = attention.pointed_at(drafts)
    for candidate in drafts:
        opened += _open(COPY_VERDICT, _copy_work(candidate, is_pointed_at=ref(candidate) in alone))
    for asked, drawn in daily_lot.to_open(n=BATCH):
        opened += _open_predictions(asked, [(said, seats.DAILY_LOT) for said in drawn])
    for asked in active_learning.doubted_questions():
        if not back_pressure.is_paused(asked.name):
            opened += _open_predictions(asked, active_learning.choose(asked, n=BATCH))
    for asked, drawn_first in first_labels.due():
        opened += sum(open_about(asked, subject, strategy=first_labels.RANDOM) for subject in drawn_first)
    if opened:
        hint("labeling.push_tasks")
        hint("moderation.explain")
    return opened


def _candidates_without_item() -> list[Candidate]:
    return list(
        # A person's fix goes out with its decision; asked about anew is one that came back by an appeal.
        Candidate.objects.filter(
            Q(origin=Candidate.Origin.MACHINE) | Q(reinstated_by__isnull=False),
            status=Candidate.Status.IN_REVIEW,
            review_item=None,
        )
        .select_related("product", "model_version")
        .prefetch_related("findings")
        .order_by("created_at")[:BATCH]
    )


def _copy_work(candidate: Candidate, *, is_pointed_at: bool) -> Work:
    factors = attention.factors_of(candidate, is_pointed_at=is_pointed_at)
    about = question(COPY_VERDICT)
    predictions = about.suggestions(
        candidate, model_version=str(candidate.model_version or "unknown"), score=candidate.grounding
    )
    return Work(candidate, factors, about.task_data(candidate), predictions, strategy=EVERY_DRAFT)


def _open_predictions(asked: Question, chosen: active_learning.Chosen) -> int:
    rows = asked.rows([said.subject for said, _ in chosen])
    return sum(
        _open(asked.name, _work_of(asked, said, rows[said.subject], strategy=strategy))
        for said, strategy in chosen
        if said.subject in rows
    )


def _work_of(asked: Question, said: Prediction, subject: Any, *, strategy: str) -> Work:
    # What the lot drew is as urgent as a guess: behind all that the model is unsure of, drift would be seen too late.
    confidence = None if strategy == seats.DAILY_LOT else said.confidence
    factors = factors_about(asked, subject, confidence=confidence)
    label = said.label
    try:
        predictions = asked.suggestions(
            subject, label=label, model_version=str(said.model_version), score=said.confidence
        )
    except PermanentError:  # an answer that the question had when the model was made, and has no more
        label, predictions = "", []
    return Work(subject, factors, asked.task_data(subject), predictions, suggestion=label, strategy=strategy)


def open_about(asked: Question, subject: Any, *, strategy: str) -> int:
    """Ask people about `subject`, a row, with nothing suggested; 0 where they were asked before."""
    return _open(
        asked.name, Work(subject, factors_about(asked, subject), asked.task_data(subject), [], strategy=strategy)
    )


def _open(question: str, work: Work) -> int:
    """Open an item with its labelling task, and a seat for each further person that the queue's rules ask for."""
    policy = policy_for(question)
    place = {**place_of(work.factors, policy), "suggestion": work.suggestion, "strategy": work.strategy}
    with transaction.atomic():
        item, made = ReviewItem.objects.get_or_create(
            question=question,
            about=ref(work.about),
            lead=None,
            defaults={**ReviewItem.pointing_at(question, work.about), **place},
        )
        if not made:
            return 0
        item.labeling_task = sync.open_task(
            item.question,
            reference=ref(item),
            payload=work.payload,
            predictions=work.predictions,
            shows_predictions=seats.shows_suggestion(item),
        )
        item.save(update_fields=["labeling_task"])
        ledger.append_many([line_for(item, "opened", about=ref(work.about))], actor=OPENER)
        for _ in range(policy.overlap(work.factors.risk) - 1):
            seats.add_seat(item)
    return 1


def escalate(item: ReviewItem, *, actor: User, reason: str) -> None:
    """Pass an item on to a senior reviewer. Needs moderation.review_item and a reason."""
    require_permission(actor, "moderation.review_item")
    reason = require_reason(reason, act="Escalating", hint="Say what the senior should look at.", longest=2000)
    with transaction.atomic():
        item = ReviewItem.objects.select_for_update(no_key=True).get(pk=item.pk)
        pass_to_senior(item, reason=reason, actor=actor)


def settle_decisions() -> int:
    """Turn every answer that has not been acted on yet into a decision. Returns decisions made.

    The sweep behind the signal `consensus_reached`: a lost signal costs one beat interval. An answer that cannot be
    acted on (unknown person, no permission, nothing in it, an error of ours) sends the item to a senior; one that lacks
    a reason goes back to who gave it. None is ever dropped, or holds up another. What is answered while a second person
    looks at the answer before waits for their word, and one to a question that the settings do not name (any more)
    waits until they do. A database that is away is raised.
    """
    newer = Consensus.objects.filter(
        task=OuterRef("labeling_task"), pk__gt=Coalesce(OuterRef("last_consensus"), Value(0))
    )
    items = ReviewItem.objects.filter(Exists(newer), question__in=queue_names())
    items = items.exclude(status__in=(Status.WITHDRAWN, Status.CONFIRMING))
    items = items.filter(~Q(lead__status=Status.CONFIRMING) | Q(lead=None)).order_by("created_at")
    return sum(_settle(item) for item in items[:BATCH])


def _settle(item: ReviewItem) -> int:
    consensus = Consensus.objects.filter(task=item.labeling_task_id).order_by("pk").last()
    if consensus is None:
        return 0
    annotation = consensus.annotations.select_related("annotator").order_by("ls_updated_at").last()
    annotator = annotation.annotator if annotation else None
    try:
        with transaction.atomic():
            if annotator is None:
                raise PermissionDenied("it was given by an account that belongs to none of our users")
            if item.status == Status.DECIDED:
                # A published text does not change under the shopper because an annotation did: a person retires it.
                _acted_on(item, consensus)
                late = line_for(item, "answered_late", consensus=ref(consensus))
                ledger.append_many([late], actor=annotator)
                return 0
            is_decided = panels.answer(item, consensus=consensus, actor=annotator)
            _acted_on(item, consensus)
        return int(is_decided)
    except StaleState:
        return 0
    except (PermissionDenied, PermanentError) as exc:
        log.warning("item %s: the answer cannot be acted on: %s", item.pk, exc)
        _refuse(item, consensus, reason=f"the answer could not be acted on: {exc}")
    except (OperationalError, InterfaceError, SoftTimeLimitExceeded):
        raise  # the database is away or the turn is over, which is no fault of this answer: its turn comes again
    except Exception as exc:
        log.exception("item %s: the answer cannot be acted on", item.pk)
        _refuse(item, consensus, reason=f"the answer could not be acted on: an unexpected {type(exc).__name__}")
    return 0


def _acted_on(item: ReviewItem, consensus: Consensus) -> None:
    """Note the answer; unless a later one was, which is what a panel came to on the task of its leading item."""
    before = Q(last_consensus=None) | Q(last_consensus__lt=consensus.pk)
    ReviewItem.objects.filter(before, pk=item.pk).update(last_consensus=consensus)


def _refuse(item: ReviewItem, consensus: Consensus, *, reason: str) -> None:
    """Note an answer that cannot be acted on, and have a senior look at the item."""
    with transaction.atomic():
        item = ReviewItem.objects.select_for_update(no_key=True).get(pk=item.pk)
        _acted_on(item, consensus)
        if item.status in (Status.WAITING, Status.DISPATCHED):
            pass_to_senior(item, reason=reason, actor=OPENER)
        else:
            line = line_for(item, "answer_refused", consensus=ref(consensus), reason=reason[:500])
            ledger.append_many([line], actor=OPENER)
