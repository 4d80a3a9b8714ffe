"""A desk in the middle of a working day, for pages that show everything at once."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from core.actors import SystemActor
from core.hashing import hash_json
from core.refs import ref
from moderation.live.marking import mark_for
from moderation.models.candidates import Candidate
from monitoring import heartbeats
from tests import factories as make
from tests import people

HOSTILE = "<script>alert('owned')</script> \u202egnp.exe\u202c <b>Only 3 left</b> & \"cheap\""
MUG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300"><rect width="400" height="300" fill="#ecfeff"/>'
    '<path d="M120 90h130v90a40 40 0 0 1-40 40h-50a40 40 0 0 1-40-40z" fill="#2dd4bf"/>'
    '<path d="M250 112h20a28 28 0 0 1 0 56h-20" fill="none" stroke="#2dd4bf" stroke-width="14"/></svg>'
)
NAMES = ("Harbour mug", "Dune towel", "Fjord lamp", "Meadow bowl", "Granite scale", "Willow basket", "Ember kettle")


@dataclass(frozen=True)
class Scene:
    """The rows that tests and screenshots go to."""

    in_review: Candidate
    blocked: Candidate
    published: Candidate
    reviewer: User
    hostile: Candidate


def busy_desk() -> Scene:
    """Fill the tables with a working day: orders, drafts in every state, decisions, reviews, live copy."""
    rng = random.Random(7)
    reviewer = people.people("Reviewer", email="robin@example.com")
    User.objects.filter(pk=reviewer.pk).update(first_name="Robin", last_name="Reviewer")
    version = make.model_version(name="SmolLM2-135M-Instruct")
    picture = Path(settings.MEDIA_ROOT) / "demo" / "mug.svg"
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_text(MUG)
    products = [
        make.product(title=name, sku=f"HOME-{n:03}", image_url="/media/demo/mug.svg") for n, name in enumerate(NAMES)
    ]
    for n, channel in enumerate(("description", "recommendation", "ad_slogan")):
        make.generation_request(product_=products[n], channel=channel)
    make.generation_request(
        product_=products[3], status="generating", lease_expires_at=timezone.now() + dt.timedelta(hours=1)
    )
    make.generation_request(
        product_=products[4],
        status="failed",
        last_error="the endpoint refused the input",
        channel="ad_slogan",
        quarantined_at=timezone.now() - dt.timedelta(hours=3),
        n_attempts=5,
    )

    in_review = make.candidate(
        "The Harbour mug is hand-thrown stoneware in a calm sea green. It holds 350 ml, keeps tea hot for 6 hours "
        "and is guaranteed to last forever.",
        request=make.generation_request(product_=products[0], status="completed", round=2),
        status="in_review",
        rank=1,
        grounding=0.74,
        version=version,
    )
    make.finding(in_review, "6 hours", severity="warn", message="no fact backs “6 hours”")
    make.finding(
        in_review,
        "guaranteed to last forever",
        severity="block",
        code="absolute_claim",
        check_name="terms",
        message="“guaranteed” is a prohibited absolute claim",
        verdict="confirmed",
    )
    make.finding(
        in_review, "hand-thrown", severity="info", code="style", message="the house style avoids “hand-thrown”"
    )
    make.prediction(in_review, "sentiment", {"positive": 0.91, "neutral": 0.05, "negative": 0.04}, version=version)
    for n in range(2):
        make.candidate(
            f"A sea green mug, draft {n}.",
            request=in_review.request,
            rank=n + 2,
            grounding=0.6 - n / 10,
            screened_at=timezone.now(),
        )
    item = make.review_item(in_review, risk=0.55, uncertainty=0.26)

    for n in range(4):
        make.review_item(
            make.candidate(
                f"{NAMES[n + 1]}: a quiet piece for every day.",
                status="in_review",
                rank=1,
                request=make.generation_request(
                    product_=products[n + 1], status="completed", channel="recommendation", round=3
                ),
            ),
            pushed=n != 3,
        )
    escalated = make.review_item(
        make.candidate("A lamp that heals.", status="in_review"),
        status="escalated",
        escalated_reason="health claim?",
        escalated_by=reviewer,
    )
    blocked = make.candidate("As an AI language model, I cannot write this.", status="blocked", grounding=0.1)
    make.finding(
        blocked, "As an AI language model", severity="block", code="model_talk", message="the model speaks of itself"
    )
    hostile = make.candidate(HOSTILE + " x" * 3000, status="blocked", grounding=0.0)
    make.finding(hostile, "<script>alert('owned')</script>", severity="block", message="“<script>” is no copy")
    make.finding(hostile, "Only 3 left", severity="warn", message="pressure")

    machine = make.candidate(
        "A mug of stoneware, sea green, for 350 ml of tea. The best mug in the world.",
        status="superseded",
        request=make.generation_request(product_=products[5], status="completed"),
    )
    fix = make.candidate(
        "A mug of sea green stoneware that holds 350 ml of tea.",
        request=machine.request,
        parent=machine,
        origin="human",
        status="published",
        grounding=1.0,
    )
    fixed = make.review_item(machine, assignee=reviewer)
    decision = make.decision(
        fixed,
        "edit",
        reviewer=reviewer,
        result=fix,
        reasons=["superlative"],
        rationale="No “best in the world”.",
        lead_time=dt.timedelta(seconds=48),
    )
    live = make.published_copy(fix, ai_mark=mark_for(fix))
    with transaction.atomic():
        ledger.append_many(
            [
                Line(
                    "moderation.request.requested",
                    ref(machine.request),
                    {"sku": machine.product.sku, "n_candidates": 3},
                ),
                Line("moderation.candidate.generated", ref(machine), {"seed": 7, "prompt": "tests-1"}),
                Line("moderation.candidate.in_review", ref(machine), {"rank": 1}),
            ],
            actor=SystemActor("moderation.generation"),
        )
        ledger.append_many(
            [
                Line("moderation.item.dispatched", ref(fixed), {"to": f"user:{reviewer.pk}"}),
                Line("moderation.decision.edit", ref(decision), {"reasons": ["superlative"], "lead_time_s": 48.0}),
                Line(
                    "moderation.copy.published",
                    ref(live),
                    {"channel": "description", "locale": "en", "text_hash": hash_json([live.text])},
                ),
            ],
            actor=reviewer,
        )
    sentiments = [("positive", 34), ("neutral", 9), ("negative", 12)]
    for label, n in sentiments:
        for i in range(n):
            review = make.customer_review(
                f"{label.capitalize()} words about it, number {i}.", product=rng.choice(products)
            )
            make.sentiment(review, label, confidence=rng.uniform(0.6, 0.99))
    make.review_item(make.customer_review("Well. It is a mug.", product=products[0]))
    shop = make.webhook_endpoint()
    make.webhook_delivery(shop, status="delivered", n_attempts=1, response_status=204)
    make.webhook_delivery(
        shop, status="dead", n_attempts=10, response_status=500, last_error="the receiver answered 500"
    )
    _spread_over_the_day(rng)
    for name in (heartbeats.BEAT, *heartbeats.QUEUES):
        heartbeats.record(name)
    assert item.pk
    assert escalated.pk
    return Scene(in_review, blocked, fix, reviewer, hostile)


def _spread_over_the_day(rng: random.Random) -> None:
    """More drafts, written and decided at different hours: the chart needs a past."""
    first = make.candidate("An older draft.", request=make.generation_request(status="completed"), status="superseded")
    values = {field.attname: getattr(first, field.attname) for field in Candidate._meta.concrete_fields}
    del values["id"]
    older = Candidate.objects.bulk_create(Candidate(**values | {"ordinal": n}) for n in range(1, 60))
    for draft in older:
        draft.created_at = timezone.now() - dt.timedelta(minutes=rng.triangular(0, 1400, 200))
    Candidate.objects.bulk_update(older, ["created_at"])
