"""The work that flows while faults hit: orders for copy and customer reviews, a few of each poisoned on purpose."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from catalog.models import CustomerReview, Product, ProductFact
from core.actors import SystemActor
from core.refs import keys_of, ref_in_sql, ref_to
from labeling.models import LabelingTask
from moderation.drafting import ordering
from moderation.models.candidates import Candidate, GenerationRequest
from moderation.models.predictions import Prediction, Scoring
from moderation.models.reviews import ReviewItem
from tests import factories
from tests.moderation.conftest import GOOD, REFUSAL

# Called while the database is away: somebody has to start it again.
meanwhile: list[Callable[[], None]] = []
P, T = ParamSpec("P"), TypeVar("T")
DRAFTS = 2  # one that goes to a person, one that the checks block
_numbers = itertools.count(1)


def patient(function: Callable[P, T]) -> Callable[P, T]:
    """Let `function` ask again while the database is away: it is the tests' own view, not what is tested."""

    @wraps(function)
    def asks(*args: P.args, **kwargs: P.kwargs) -> T:
        deadline = time.monotonic() + 60
        while True:
            try:
                return function(*args, **kwargs)
            except (OperationalError, InterfaceError):
                connection.close()
                if time.monotonic() > deadline:
                    raise
                for look in meanwhile:
                    look()
                time.sleep(0.2)

    return asks


def employ_models(*, seconds: float) -> None:
    """Make a scripted writer that takes `seconds` for a batch, and a word counter for sentiment, the champions."""
    options = {"texts": [GOOD, REFUSAL], "seconds": seconds, "poison": "Cursed"}
    factories.model_version(backend="scripted", artifact_hash="", options=options)
    factories.model_version("sentiment", backend="word_count", artifact_hash="")


@patient
def order_copy(n: int, *, poisoned: int = 0) -> None:
    """Order copy for `n` new products and `poisoned` more that the model chokes on, as the console would."""
    titles = ["Harbour mug 1"] * n + ["Cursed mug 1"] * poisoned
    products = Product.objects.bulk_create(
        Product(sku=f"F-{next(_numbers):06}", title=title, brand="Tideway", category="Kitchen", facts_hash="f" * 64)
        for title in titles
    )
    facts = [
        ("material", "stoneware", {}),
        ("colour", "sea green", {}),
        ("capacity", "350 ml", {"kind": "quantity", "number": 350, "unit": "ml"}),
    ]
    ProductFact.objects.bulk_create(
        ProductFact(product=product, name=name, value=value, position=position, **kind)
        for product in products
        for position, (name, value, kind) in enumerate(facts)
    )
    ordering.request_copy(
        products, channels=["description"], locales=["en"], actor=SystemActor("tests"), n_candidates=DRAFTS
    )


@patient
def receive_reviews(n: int, *, poisoned: int = 0) -> None:
    """Store `n` customer reviews, one in ten of which the model is unsure about, and `poisoned` that it chokes on."""
    texts = ["a mug, neither here nor there" if i % 10 == 0 else "good, very good" for i in range(n)]
    texts += ["it made me choke"] * poisoned
    CustomerReview.objects.bulk_create(CustomerReview(external_id=f"f-{next(_numbers)}", text=text) for text in texts)


HEALTHY_REQUESTS = ~Q(product__title__startswith="Cursed")
HEALTHY_REVIEWS = ~Q(text__contains="choke")


def _said() -> Exists:
    subject = ref_in_sql(CustomerReview, OuterRef("pk"))
    return Exists(Prediction.objects.filter(question="sentiment", subject=subject))


def unscored() -> QuerySet[CustomerReview]:
    """Reviews of which no model has said anything."""
    return CustomerReview.objects.exclude(_said())


def unsure_without_item(sure: float) -> QuerySet[Prediction]:
    """What the model is unsure of and nobody is asked about. The tone of drafts is no review's."""
    items = ReviewItem.objects.filter(question="sentiment", about=OuterRef("subject"))
    said = Prediction.objects.filter(question="sentiment", confidence__lt=sure).about(CustomerReview)
    return said.exclude(Exists(items))


def poisoned_scorings() -> QuerySet[Scoring]:
    """What the scorer holds of reviews that the model chokes on."""
    poison = CustomerReview.objects.exclude(HEALTHY_REVIEWS).values_list("pk", flat=True)
    return Scoring.objects.filter(subject__in=[ref_to(CustomerReview, key) for key in poison])


@patient
def waiting() -> tuple[int, int]:
    """Return how many healthy orders are not written and reviews not scored yet."""
    requests = GenerationRequest.objects.filter(HEALTHY_REQUESTS).exclude(status="completed")
    return requests.count(), unscored().filter(HEALTHY_REVIEWS).count()


@patient
def held() -> tuple[set[object], set[object]]:
    """Return which orders and which reviews somebody holds a lease on now."""
    requests = GenerationRequest.objects.filter(HEALTHY_REQUESTS, lease_token__isnull=False)
    leased = Scoring.objects.filter(lease_token__isnull=False).values_list("subject", flat=True)
    reviews = CustomerReview.objects.filter(HEALTHY_REVIEWS, pk__in=keys_of(list(leased), CustomerReview))
    return set(requests.values_list("pk", flat=True)), set(reviews.values_list("pk", flat=True))


@patient
def live_tokens() -> int:
    """Return how many claims are held now: one token each."""
    return sum(
        model.objects.filter(lease_expires_at__gt=Now(), lease_token__isnull=False)
        .order_by()
        .values("lease_token")
        .distinct()
        .count()
        for model in (GenerationRequest, Scoring)
    )


@patient
def open_tasks() -> int:
    """Return how many labelling tasks are on their way to Label Studio."""
    return LabelingTask.objects.filter(status="open").count()


@patient
def are_done(requests: set[object], reviews: set[object]) -> bool:
    """Whether these orders are written and screened, and these reviews are scored."""
    unwritten = GenerationRequest.objects.filter(pk__in=requests).exclude(status="completed")
    unscreened = GenerationRequest.objects.filter(pk__in=requests, candidates__screened_at=None)
    return not (unwritten.exists() or unscreened.exists() or unscored().filter(pk__in=reviews).exists())


@patient
def everything_is_done(*, pushed: bool) -> bool:
    """Whether all healthy work came to its end, and all poison to quarantine."""
    if any(waiting()) or Candidate.objects.filter(screened_at=None).exists():
        return False
    if Candidate.objects.filter(status="in_review", review_item=None).exists():
        return False
    if unsure_without_item(0.75).exists():
        return False
    if pushed and LabelingTask.objects.filter(status="open").exists():
        return False
    poison = (GenerationRequest.objects.exclude(HEALTHY_REQUESTS), poisoned_scorings())
    if CustomerReview.objects.exclude(HEALTHY_REVIEWS).count() != poisoned_scorings().count():
        return False
    return not any(rows.filter(quarantined_at=None).exists() for rows in poison)


@patient
def longest_overdue() -> float:
    """Return for how many seconds the most overdue lease has been lying about."""
    worst = 0.0
    for model in (GenerationRequest, Scoring):
        rows = model.objects.filter(lease_token__isnull=False, lease_expires_at__lt=Now()).order_by("lease_expires_at")
        expiry = rows.values_list("lease_expires_at", flat=True).first()
        if expiry:
            worst = max(worst, (timezone.now() - expiry).total_seconds())
    return worst


@patient
def opened_between(start: object, end: object) -> int:
    """Return how many drafts reached the desk of a person between two moments: the end of the way."""
    return ReviewItem.objects.filter(question="copy_verdict", created_at__gte=start, created_at__lt=end).count()
