"""Small, plain makers of saved rows. Each fills what it is not told with something ordinary and valid.

They write tables directly, past the functions of the desk: for setting a scene, never for testing a move.
"""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from catalog.models import CustomerMessage, CustomerReview, Product, ProductFact, PublishedCopy
from catalog.slots import Slot
from core.hashing import hash_json
from core.refs import ref
from inference.models import ModelAlias, ModelVersion
from labeling.models import Annotation, Consensus, LabelingProject, LabelingTask
from moderation import priority
from moderation.models.appeals import Appeal
from moderation.models.candidates import Candidate, Finding, GenerationRequest
from moderation.models.policies import PolicyVersion
from moderation.models.predictions import Prediction, Scoring
from moderation.models.retro_scans import RetroScan
from moderation.models.reviews import Decision, ReviewItem
from moderation.models.rule_proposals import RuleProposal
from moderation.queues import rules
from outbox.models import Delivery, Endpoint, Event, Secret

_numbers = itertools.count(1)
FACTS: Mapping[str, str] = {"material": "stoneware", "capacity": "350 ml", "colour": "sea green"}


def number_from_one() -> None:
    """Begin again with the first SKU, so that what hangs on it is the same in whatever order tests run."""
    global _numbers
    _numbers = itertools.count(1)


def fact(product: Product, name: str, value: str, **fields: Any) -> ProductFact:
    """A fact of `product`. A value such as `350 ml` becomes a quantity, `350` a number, anything else text."""
    made = fact_of(product, name, value, **fields)
    made.save()
    return made


def fact_of(product: Product, name: str, value: str, *, position: int = 0, **fields: Any) -> ProductFact:
    """The same, not saved."""
    head, _, unit = value.partition(" ")
    try:
        number = float(head)
    except ValueError:
        kind, quantity = ProductFact.Kind.TEXT, {}
    else:
        kind = ProductFact.Kind.QUANTITY if unit else ProductFact.Kind.NUMBER
        quantity = {"number": number, "unit": unit}
    values = {"kind": kind, **quantity, "locale": product.locale, "position": position, **fields}
    return ProductFact(product=product, name=name, value=value, **values)


def facts_of(product: Product, locale: str = "en") -> list[dict[str, Any]]:
    """The facts of `product` in `locale` as they are kept with a candidate: name, value, number, unit."""
    return [
        {"name": f.name, "value": f.value, "number": None if f.number is None else float(f.number), "unit": f.unit}
        for f in product.facts.filter(locale=locale)
    ]


def product(*, facts: Mapping[str, str] | None = None, **fields: Any) -> Product:
    """A product with `facts` (name → value as shown; default: a mug's)."""
    n = next(_numbers)
    values = {
        "sku": f"SKU-{n:04}",
        "title": f"Harbour mug {n}",
        "brand": "Tideway",
        "category": "Kitchen",
        "price": "18.50",
        "currency": "EUR",
        "source": "tests",
    } | fields
    facts = FACTS if facts is None else facts
    values.setdefault("facts_hash", hash_json({"title": values["title"], "facts": dict(facts)}))
    made = Product.objects.create(**values)
    ProductFact.objects.bulk_create(
        fact_of(made, name, value, position=position) for position, (name, value) in enumerate(facts.items())
    )
    return made


def model_version(role: str = "copywriter", *, alias: str | None = "champion", **fields: Any) -> ModelVersion:
    """A registered version, and `alias` moved to it (None: no alias)."""
    backends = {"copywriter": "causal_lm", "encoder": "sentence_encoder"}
    last = ModelVersion.objects.filter(role=role).order_by("-number").first()
    values = {
        "number": last.number + 1 if last else 1,
        "name": f"{role}-for-tests",
        "backend": backends.get(role, "sequence_classifier"),
        "locales": ["en"],
        "artifact_hash": uuid.uuid4().hex * 2,
        "source": "tests",
        "licence": "Apache-2.0",
    } | fields
    if values["backend"] == "scripted":  # what a script says is the draft, unless a test is about its finishing
        values["options"] = {"constrained": False, **values.get("options", {})}
    version = ModelVersion.objects.create(role=role, **values)
    if alias:
        ModelAlias.objects.update_or_create(role=role, name=alias, defaults={"version": version})
    return version


def generation_request(*, product_: Product | None = None, **fields: Any) -> GenerationRequest:
    """An order for copy, queued."""
    product_ = product_ or product()
    values = {
        "channel": "description",
        "locale": "en",
        "facts_hash": product_.facts_hash,
        "prompt_version": "tests-1",
    } | fields
    return GenerationRequest.objects.create(product=product_, **values)


def candidate(
    text: str = "A sea green stoneware mug that holds 350 ml.",
    *,
    request: GenerationRequest | None = None,
    version: ModelVersion | None = None,
    **fields: Any,
) -> Candidate:
    """A draft with full provenance, `generated` unless `status` says otherwise; its request is completed."""
    request = request or generation_request(status="completed", finished_at=timezone.now())
    if fields.get("origin") != Candidate.Origin.HUMAN:
        version = version or ModelVersion.objects.filter(role="copywriter").first() or model_version()
    last = request.candidates.order_by("-ordinal").first()
    values = {
        "ordinal": last.ordinal + 1 if last else 0,
        "product": request.product,
        "channel": request.channel,
        "locale": request.locale,
        "audience": request.audience,
        "variant": request.variant,
        "model_version": version,
        "prompt_version": request.prompt_version,
        "prompt_hash": hash_json({"prompt": text}),
        "facts_hash": request.facts_hash,
        "facts": facts_of(request.product, request.locale),
        "params": {"temperature": 0.7, "top_p": 0.9, "max_new_tokens": 120},
        "seed": 7,
        "prompt_tokens": 120,
        "completion_tokens": 24,
        "generation_seconds": 0.8,
        "device": "cpu",
        "finish_reason": "stop",
        "grounding": 0.9,
        "rank": None,
        "screened_at": None if fields.get("status", "generated") == "generated" else timezone.now(),
    } | fields
    return Candidate.objects.create(request=request, text=text, **values)


def finding(candidate_: Candidate, span: str = "", *, severity: str = "warn", **fields: Any) -> Finding:
    """A finding in `candidate_` that points at the first `span` of its text (empty: at the whole text)."""
    start = candidate_.text.index(span) if span else None
    values = {
        "check_name": "grounding",
        "check_version": "1",
        "code": "unsupported_number",
        "message": f"no fact backs “{span}”" if span else "about the whole text",
        "start": start,
        "end": None if start is None else start + len(span),
        "evidence": {"claim": span} if span else {},
    } | fields
    return Finding.objects.create(candidate=candidate_, severity=severity, **values)


def prediction(
    subject: Any, asked: str, probabilities: Mapping[str, float], *, version: ModelVersion, **fields: Any
) -> Prediction:
    """What `version` says of `subject`, a row: the likeliest of `probabilities`. It stands, unless it is a shadow."""
    return predictions([subject], asked, probabilities, version=version, **fields)[0]


def predictions(
    subjects: Sequence[Any], asked: str, probabilities: Mapping[str, float], *, version: ModelVersion, **fields: Any
) -> list[Prediction]:
    """The same of each of `subjects`, in two statements."""
    label = max(probabilities, key=lambda one: probabilities[one])
    values = {"label": label, "confidence": probabilities[label], "probabilities": probabilities} | fields
    if not values.get("is_shadow"):
        Scoring.objects.bulk_create(
            [Scoring(question=asked, subject=ref(subject), scored_with=version.pk) for subject in subjects],
            update_conflicts=True,
            unique_fields=("subject", "question"),
            update_fields=("scored_with",),
        )
    return Prediction.objects.bulk_create(
        Prediction(question=asked, subject=ref(subject), model_version=version, **values) for subject in subjects
    )


def validity(candidate_: Candidate, value: float, *, version: ModelVersion, **fields: Any) -> Prediction:
    """What `version` says of a draft: valid with probability `value`."""
    return prediction(candidate_, "validity", {"valid": value, "invalid": 1 - value}, version=version, **fields)


def customer_review(text: str = "Keeps tea hot, and it looks lovely.", **fields: Any) -> CustomerReview:
    """What a customer wrote about a product."""
    return customer_reviews([text], **fields)[0]


def customer_message(text: str = "Where is my kettle?", **fields: Any) -> CustomerMessage:
    """A message to the shop, by email."""
    values = {"external_id": f"message-{next(_numbers):05}", "channel": "email"} | fields
    return CustomerMessage.objects.create(text=text, **values)


def customer_reviews(texts: Iterable[str], **fields: Any) -> list[CustomerReview]:
    """What customers wrote about a product, in one statement."""
    if "product" not in fields:
        fields["product"] = product()
    rows = [{"external_id": f"review-{next(_numbers)}", "rating": "5.0", "text": text} | fields for text in texts]
    return CustomerReview.objects.bulk_create(CustomerReview(**row) for row in rows)


def sentiment(
    review: CustomerReview, label: str = "positive", *, confidence: float = 0.9, version: ModelVersion | None = None
) -> Prediction:
    """The sentiment that `version` gave `review`."""
    return sentiments([review], label, confidence=confidence, version=version)[0]


def sentiments(
    reviews: Sequence[CustomerReview], label: str, *, confidence: float = 0.9, version: ModelVersion | None = None
) -> list[Prediction]:
    """The same sentiment of each of `reviews`."""
    version = version or ModelVersion.objects.filter(role="sentiment").first() or model_version("sentiment")
    others = [other for other in ("positive", "negative", "neutral") if other != label]
    probabilities = {label: confidence} | dict.fromkeys(others, (1 - confidence) / 2)
    return predictions(reviews, "sentiment", probabilities, version=version, label=label, confidence=confidence)


def labeling_project(question: str = "copy_verdict", *, ls_project_id: int | None = None) -> LabelingProject:
    """The labelling project of `question`."""
    made, _ = LabelingProject.objects.get_or_create(
        question=question, defaults={"title": question.replace("_", " ").capitalize(), "ls_project_id": ls_project_id}
    )
    return made


def labeling_task(reference: str, *, question: str = "copy_verdict", **fields: Any) -> LabelingTask:
    """A labelling task in Label Studio (`pushed`) unless `status` says otherwise."""
    values: dict[str, Any] = {"status": "pushed", "payload": {"reference": reference}} | fields
    if values["status"] != "open":
        values.setdefault("ls_task_id", next(_numbers))
        values.setdefault("pushed_at", timezone.now())
    project = labeling_project(question, ls_project_id=7 if question == "copy_verdict" else 8)
    return LabelingTask.objects.create(project=project, reference=reference, **values)


def push_tasks() -> None:
    """Have every open labelling task stand in Label Studio."""
    for task in LabelingTask.objects.filter(status="open"):
        LabelingTask.objects.filter(pk=task.pk).update(status="pushed", ls_task_id=next(_numbers))


def review_item(
    about: Candidate | CustomerReview | None = None,
    *,
    pushed: bool = True,
    age: dt.timedelta = dt.timedelta(0),
    risk: float = 0.2,
    uncertainty: float = 0.5,
    value: float = 1,
    **fields: Any,
) -> ReviewItem:
    """A unit of human work, waiting for `age`; with its labelling task in Label Studio, or still to be pushed."""
    about = about or candidate(status="in_review")
    question = "copy_verdict" if isinstance(about, Candidate) else "sentiment"
    factors = priority.Factors(risk, uncertainty, value)
    opened = timezone.now() - age
    ageing = rules.policy_for(question).ageing
    place = {
        "risk": risk,
        "uncertainty": uncertainty,
        "value": value,
        "urgent_from": priority.urgent_from(opened, factors, ageing=ageing),
    }
    item = ReviewItem.objects.create(**ReviewItem.pointing_at(question, about), **(place | fields))
    ReviewItem.objects.filter(pk=item.pk).update(created_at=opened)
    item.created_at = opened
    item.labeling_task = labeling_task(ref(item), question=question, status="pushed" if pushed else "open")
    item.save(update_fields=["labeling_task"])
    return item


def lease(item: ReviewItem, user: User, *, minutes: float = 15) -> ReviewItem:
    """Hand `item` to `user`, as `moderation.queues.handing_out.next_item` leaves it."""
    item.status, item.assignee, item.claimed_at = ReviewItem.Status.DISPATCHED, user, timezone.now()
    item.lease_token = uuid.uuid4()
    item.lease_expires_at = timezone.now() + dt.timedelta(minutes=minutes)
    item.save()
    return item


def answer(item: ReviewItem, user: User | None, **said: Any) -> Consensus:
    """What `user` answered to `item` in Label Studio, as `labeling` has it after a pull; it is still to be settled.

    Who accepts a draft says of each finding that it is a false alarm, unless `said` names findings itself.
    """
    if said.get("verdict") == "accept" and not {"dismissed_findings", "confirmed_findings"} & set(said):
        findings = Finding.objects.filter(candidate=item.leading.candidate_id).values_list("pk", flat=True)
        said["dismissed_findings"] = [str(pk) for pk in findings]
    task = ReviewItem.objects.get(pk=item.pk).labeling_task  # what it asks now: a senior gets a task of their own
    assert task is not None
    number, now = next(_numbers), timezone.now()
    annotation = Annotation.objects.create(
        task=task,
        ls_annotation_id=number,
        annotator=user,
        ls_user_id=number,
        result=[],
        standing="counts",
        stamped_at=now,
        ls_created_at=now,
        ls_updated_at=now,
    )
    consensus = Consensus.objects.create(task=task, annotation_set_hash=str(number), answer=said)
    consensus.annotations.add(annotation)
    return consensus


def decision(item: ReviewItem, outcome: str = "approve", *, reasons: Sequence[str] = (), **fields: Any) -> Decision:
    """The final act on `item`, which is decided with it."""
    values = {"decided_by": "human_single", "reason_codes": list(reasons)} | fields
    made = Decision.objects.create(item=item, outcome=outcome, **values)
    ReviewItem.objects.filter(pk=item.pk).update(status="decided", decided_at=timezone.now())
    return made


def appeal(decision_: Decision, **fields: Any) -> Appeal:
    """An open appeal against a decision, by somebody without a role unless `appellant` says otherwise."""
    if "appellant" not in fields:
        fields["appellant"] = User.objects.create(username=f"appellant-{next(_numbers)}")
    return Appeal.objects.create(decision=decision_, **({"reason": "The facts say so."} | fields))


def published_copy(candidate_: Candidate | None = None, **fields: Any) -> PublishedCopy:
    """Live copy, and its candidate `published`."""
    candidate_ = candidate_ or candidate(status="published")
    Candidate.objects.filter(pk=candidate_.pk).update(status="published")
    version = candidate_.model_version
    values = {
        "text": candidate_.text,
        "candidate_ref": ref(candidate_),
        "published_at": timezone.now(),
        "provenance": {"model": str(version) if version else "", "prompt_version": candidate_.prompt_version},
        "ai_mark": {"label": "AI-generated"},
        "variant": candidate_.variant,
    } | fields
    return PublishedCopy.objects.create(**Slot.of(candidate_).where(), **values)


def retro_scan(**fields: Any) -> RetroScan:
    """A policy being tried on live copy: the one in force, by nobody in particular."""
    version = PolicyVersion.objects.order_by("number").first()
    actor = fields.pop("actor", None) or User.objects.create(username=f"scanner-{next(_numbers)}")
    values = {"version": version, "actor": actor, "reason": "tests", "until": timezone.now()} | fields
    return RetroScan.objects.create(**values)


def rule_proposal(**fields: Any) -> RuleProposal:
    """A rule that is proposed for a softer severity."""
    values = {
        "pack": "us_ftc",
        "rule": "substantiation",
        "rule_hash": "0" * 64,
        "version": PolicyVersion.objects.order_by("number").first(),
        "severity": "warn",
        "softer": "info",
        "n_confirmed": 1,
        "n_dismissed": 59,
        "high": 0.09,
        "floor": 0.2,
    } | fields
    return RuleProposal.objects.create(**values)


def webhook_endpoint(*types: str, **fields: Any) -> Endpoint:
    """A receiver of webhooks, subscribed to `types` (none: to copy that went live)."""
    values = {"url": "https://shop.example.com/hooks/T0KEN", "description": "the shop"} | fields
    made = Endpoint.objects.create(event_types=list(types) or ["copy.published"], **values)
    Secret.objects.create(endpoint=made, salt="5a" * 32, fingerprint="0" * 16)
    return made


def webhook_delivery(
    endpoint: Endpoint | None = None, *, data: Mapping[str, Any] | None = None, **fields: Any
) -> Delivery:
    """An event on its way to `endpoint`, pending unless `status` says otherwise."""
    event = Event.objects.create(type="copy.published", data=dict(data or {"sku": "MUG-1"}))
    return Delivery.objects.create(event=event, endpoint=endpoint or webhook_endpoint(), **fields)
