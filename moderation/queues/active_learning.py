"""Which sentiments people are asked about: those the model is unsure of, the most telling first, and a share by lot.

The share by lot is drawn from everything that was scored, also from what the model is sure of: without it nobody would
know how often the sure ones are wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Exists, Max, Min, OuterRef, QuerySet

from catalog.models import CustomerReview
from core.refs import ref_in_sql
from inference import resolver
from inference.models import ModelVersion
from labeling.models import Label
from labeling.question import question
from moderation.models.reviews import SENTIMENT, ReviewItem, Sentiment
from moderation.queues import seats
from moderation.queues.rules import policy_for

Chosen = Sequence[tuple[Sentiment, str]]
KIND = SENTIMENT
RANDOM, UNCERTAIN = "random", "uncertain"
# Of so many of the unsure ones.
POOL = 1000


def sentiments(*, n: int) -> Chosen:
    """Return up to `n` scores of the champion to ask people about, each with the strategy that chose it.

    All that are less sure than the question's `ask_below` are asked about in the end, the most telling first. For every
    hundred of them `random_percent` of the queue's rules are drawn by lot from all that was scored.
    """
    from labeling.quality import sampling

    version = resolver.find(SENTIMENT)
    if version is None:
        return []
    unsure = _unasked(version).filter(confidence__lt=question(SENTIMENT).ask_below)
    pool = list(unsure.select_related("review__product", "model_version").order_by("confidence")[:POOL])
    if len(pool) <= n:
        chosen: Chosen = [(score, UNCERTAIN) for score in pool]
    elif (n_labelled := Label.objects.filter(kind=KIND).count()) < sampling.COLD_START:
        # The model's doubts mean little yet: from everything, not from what it doubts.
        chosen = [(score, sampling.COLD) for score in _draw(version, n, but=(), seed=pool[0].pk)]
    else:
        chosen = _telling(pool, n, n_labelled=n_labelled)
    return [*chosen, *_by_lot(version, chosen)]


def _unasked(version: ModelVersion) -> QuerySet[Sentiment]:
    """What was scored and nobody has said the label of: neither a person here, nor an import."""
    subject = ref_in_sql(CustomerReview, OuterRef("review_id"))
    labelled = Label.objects.filter(kind=KIND, subject=subject)
    asked = ReviewItem.objects.filter(kind=KIND, customer_review=OuterRef("review_id"))
    return Sentiment.objects.filter(~Exists(labelled), ~Exists(asked), model_version=version)


def _telling(pool: list[Sentiment], n: int, *, n_labelled: int) -> Chosen:
    """Of the unsure ones, those that are most unsure and most unlike each other first."""
    from labeling.quality import sampling

    labels = sorted({label for score in pool for label in score.probabilities})
    rows = [[score.probabilities.get(label, 0.0) for label in labels] for score in pool]
    asked = (
        ReviewItem.objects.filter(kind=KIND, lead=None)
        .order_by("-created_at")
        .values_list("customer_review__text", flat=True)
    )
    chosen = sampling.choose(
        n,
        uncertainty=sampling.margin(rows),
        features=sampling.hashed([score.review.text for score in pool]),
        asked=_features(list(asked[: sampling.COMPARED])),
        n_labelled=n_labelled,
        seed=pool[0].pk,
        strategy=replace(sampling.SAFEST, random_share=0),
    )
    return [(pool[row], strategy) for row, strategy in chosen]


def _features(texts: list[str]) -> Any:
    from labeling.quality import sampling

    return sampling.hashed(texts) if texts else None


def _by_lot(version: ModelVersion, chosen: Chosen) -> Chosen:
    """So many by lot, sure or not, that they are `random_percent` of all that is asked on the long run."""
    percent = policy_for(KIND).random_percent
    if not chosen or not percent:
        return []
    seed = chosen[0][0].pk
    lacking = len(chosen) * min(percent / max(100 - percent, 1), 100)
    due = int(lacking) + (seats.draw("how many", seed) < lacking % 1)
    return [(score, RANDOM) for score in _draw(version, due, but=[score.pk for score, _ in chosen], seed=seed)]


def _draw(version: ModelVersion, n: int, *, but: Sequence[int], seed: int) -> list[Sentiment]:
    """Draw `n` of all that was scored and is not asked about, other than `but`.

    The lot draws keys: what was scored long ago has the same chance as what came last, and anybody can draw it again.
    """
    scored = _unasked(version).exclude(pk__in=but).select_related("review__product", "model_version")
    ends = Sentiment.objects.aggregate(first=Min("pk"), last=Max("pk"))
    width = ends["last"] - ends["first"] + 1
    keys = dict.fromkeys(ends["first"] + int(seats.draw("next", seed, place) * width) for place in range(POOL))
    found = scored.in_bulk(list(keys))
    drawn = [found[key] for key in keys if key in found]
    if len(drawn) < n:  # few are left, or scored by this model: of the latest then
        latest = scored.exclude(pk__in=list(found)).order_by("-pk")[:POOL]
        drawn += sorted(latest, key=lambda score: seats.draw("next", score.pk))
    return drawn[:n]
