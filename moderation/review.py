"""Opening human work for what is ready for it, and settling it when people have answered."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from audit import ledger
from catalog.models import CustomerReview, Product
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError, StaleState
from core.hints import hint
from core.refs import ref
from inference import resolver
from inference.models import Role
from labeling import sync
from labeling.models import Consensus
from moderation import back_pressure, interfaces, priority
from moderation.decisions import pass_to_senior, record_decision
from moderation.lifecycle import line_for
from moderation.models.candidates import Candidate
from moderation.models.reviews import ReviewItem, Sentiment
from moderation.queue_policies import policy_for

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = logging.getLogger(__name__)
OPENER = SystemActor("moderation.review")
BATCH = 200
# What it is about, how urgent it is, what Label Studio shows, what it pre-fills.
Work = tuple[Candidate | CustomerReview, priority.Factors, dict[str, Any], list[dict[str, Any]]]
Kind, Status = ReviewItem.Kind, ReviewItem.Status


def open_reviews() -> int:
    """Open a review item and a labelling task for each candidate in review and each unsure sentiment. Returns how many.

    Of sentiments only while their queue takes more (`moderation.back_pressure`); drafts that were written are opened.
    """
    opened = 0
    for candidate in _candidates_without_item():
        opened += _open(Kind.COPY, _copy_work(candidate))
    sentiments = _unsure_sentiments()
    if sentiments and not back_pressure.is_paused(Kind.SENTIMENT):
        for sentiment in sentiments:
            opened += _open(Kind.SENTIMENT, _sentiment_work(sentiment))
    if opened:
        hint("labeling.push_tasks")
    return opened


def _candidates_without_item() -> list[Candidate]:
    return list(
        Candidate.objects.filter(status=Candidate.Status.IN_REVIEW, review_item=None, origin=Candidate.Origin.MACHINE)
        .select_related("product", "model_version")
        .prefetch_related("findings")
        .order_by("created_at")[:BATCH]
    )


def _unsure_sentiments() -> list[Sentiment]:
    """Scores of the sentiment champion that are too unsure to stand alone and that nobody was asked about yet."""
    version = resolver.find(Role.SENTIMENT)
    if version is None:
        return []
    return list(
        Sentiment.objects.filter(
            model_version=version, confidence__lt=settings.MODERATION["SENTIMENT_CONFIDENCE"], review__review_item=None
        )
        .select_related("review__product", "model_version")
        .order_by("confidence")[:BATCH]
    )


def _copy_work(candidate: Candidate) -> Work:
    product, findings = candidate.product, list(candidate.findings.all())
    factors = priority.factors_of_copy(
        channel=candidate.channel, severities=[finding.severity for finding in findings],
        grounding=candidate.grounding, price=product.price,
    )  # fmt: skip
    shown = [
        {"id": f.pk, "code": f.code, "severity": f.severity, "message": f.message, "start": f.start, "end": f.end}
        for f in findings
    ]
    payload = interfaces.copy_review_payload(
        title=product.title_for(candidate.locale), brand=product.brand, category=product.category,
        image_url=picture_url(product), channel=candidate.get_channel_display(), locale=candidate.locale,
        facts=[(fact["name"], fact["value"]) for fact in candidate.facts], text=candidate.text, findings=shown,
        grounding=candidate.grounding, console_url=absolute(reverse("admin:moderation_candidate_change", args=[candidate.pk])),
    )  # fmt: skip
    predictions = interfaces.copy_review_predictions(
        text=candidate.text, findings=shown, model_version=str(candidate.model_version or "unknown"),
        score=candidate.grounding,
    )  # fmt: skip
    return candidate, factors, payload, predictions


def _sentiment_work(sentiment: Sentiment) -> Work:
    review: CustomerReview = sentiment.review
    factors = priority.factors_of_label(
        confidence=sentiment.confidence, n_labels=len(sentiment.probabilities),
        price=review.product.price if review.product else None,
    )  # fmt: skip
    payload = interfaces.review_sentiment_payload(
        title=review.title, text=review.text, product=review.product.title if review.product else "",
        rating=None if review.rating is None else float(review.rating), locale=review.locale,
    )  # fmt: skip
    predictions = interfaces.review_sentiment_predictions(
        label=sentiment.label, model_version=str(sentiment.model_version), score=sentiment.confidence
    )
    return review, factors, payload, predictions


def absolute(path: str) -> str:
    """Return the address of one of our pages as Label Studio's pages, on another origin, have to ask for it."""
    return f"{settings.SITE_URL}/{path.lstrip('/')}"


def picture_url(product: Product) -> str:
    """Return where the picture of `product` is; an address of its own stays, a path is one under MEDIA_URL."""
    url = product.image_url
    return url if not url or "://" in url else absolute(f"{settings.MEDIA_URL}{url}")


def _open(kind: str, work: Work) -> int:
    subject, factors, payload, predictions = work
    about = {"candidate": subject} if isinstance(subject, Candidate) else {"customer_review": subject}
    urgent_from = priority.urgent_from(timezone.now(), factors, ageing=policy_for(kind).ageing)
    place = {
        "urgent_from": urgent_from,
        "risk": factors.risk,
        "uncertainty": factors.uncertainty,
        "value": factors.value,
    }
    with transaction.atomic():
        item, made = ReviewItem.objects.get_or_create(**about, defaults={"kind": kind, **place})
        if not made:
            return 0
        item.labeling_task = sync.open_task(item.kind, reference=ref(item), payload=payload, predictions=predictions)
        item.save(update_fields=["labeling_task"])
        ledger.append_many([line_for(item, "opened", about=ref(subject))], actor=OPENER)
    return 1


def escalate(item: ReviewItem, *, actor: User, reason: str) -> None:
    """Pass an item on to a senior reviewer. Needs moderation.review_item and a reason."""
    require_permission(actor, "moderation.review_item")
    if not reason.strip():
        raise PermanentError("Escalating needs a reason.", hint="Say what the senior should look at.")
    with transaction.atomic():
        item = ReviewItem.objects.select_for_update().get(pk=item.pk)
        pass_to_senior(item, reason=reason.strip(), actor=actor)


def settle_decisions() -> int:
    """Turn every answer that has not been acted on yet into a decision. Returns decisions made.

    The sweep behind the signal `consensus_reached`: a lost signal costs one beat interval. An answer that cannot be
    acted on (unknown person, no permission, nothing in it, an error of ours) sends the item to a senior; it is never
    dropped, and holds up no other. A database that is away is raised.
    """
    newer = Consensus.objects.filter(
        task=OuterRef("labeling_task"), pk__gt=Coalesce(OuterRef("last_consensus"), Value(0))
    )
    items = ReviewItem.objects.filter(Exists(newer)).exclude(status=Status.WITHDRAWN).order_by("created_at")[:BATCH]
    return sum(_settle(item) for item in items)


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
            decided = item.status != Status.DECIDED and record_decision(item, consensus=consensus, actor=annotator)
            if item.status == Status.DECIDED:
                # A published text does not change under the shopper because an annotation did: a person retires it.
                late = line_for(item, "answered_late", consensus=ref(consensus))
                ledger.append_many([late], actor=annotator)
            ReviewItem.objects.filter(pk=item.pk).update(last_consensus=consensus)
        return bool(decided)
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


def _refuse(item: ReviewItem, consensus: Consensus, *, reason: str) -> None:
    """Note an answer that cannot be acted on, and have a senior look at the item."""
    with transaction.atomic():
        item = ReviewItem.objects.select_for_update().get(pk=item.pk)
        ReviewItem.objects.filter(pk=item.pk).update(last_consensus=consensus)
        if item.status in (Status.WAITING, Status.DISPATCHED):
            pass_to_senior(item, reason=reason, actor=OPENER)
        else:
            line = line_for(item, "answer_refused", consensus=ref(consensus), reason=reason[:500])
            ledger.append_many([line], actor=OPENER)
