"""A shop whose reviews were labelled: words that say what they mean, a product for every few of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.utils import timezone

from catalog.models import CustomerReview
from core.refs import ref
from labeling.models import Label
from tests import factories, people
from training import pipeline, runs
from training.models import TrainingRun

KIND = "sentiment"
CHARACTERS = {"method": "characters"}
WORDS = {
    "positive": ["lovely", "great", "perfect", "warm", "splendid", "happy"],
    "negative": ["broken", "awful", "cracked", "cold", "useless", "angry"],
    "neutral": ["arrived", "box", "usual", "tuesday", "standard", "plain"],
}
CHINESE = {"positive": "很好喜欢满意推荐不错", "negative": "很差失望破了退货难用", "neutral": "一般收到周二普通盒子"}


def review_text(label: str, rng: random.Random, *, chinese: bool = False) -> str:
    """Words that say `label`, among a few that say nothing."""
    if chinese:
        return "".join(rng.choices(CHINESE[label], k=10)) + "这个杯子"
    return " ".join(rng.choices(WORDS[label], k=6) + rng.choices(["the", "mug", "it", "is"], k=4))


def label_reviews(
    n: int = 200, *, seed: int = 1, chinese: float = 0.0, names: Sequence[str] = tuple(WORDS), wrong: float = 0.0
) -> list[str]:
    """Make `n` labelled reviews, five a product, and return their subjects; a share `wrong` of the labels is wrong."""
    rng, now = random.Random(seed), timezone.now()
    products = [factories.product(sku=f"SHOP-{seed}-{number}") for number in range(0, n, 5)]
    reviews, said = list[CustomerReview](), list[str]()
    for number in range(n):
        label = names[number % len(names)]
        is_chinese = rng.random() < chinese
        text = f"{review_text(label, rng, chinese=is_chinese)} {number}"
        review = CustomerReview(text=text, product=products[number // 5], locale="zh-Hans" if is_chinese else "en")
        review.external_id, review.rating = f"shop-{seed}-{number}", Decimal(5)
        reviews.append(review)
        said.append(rng.choice([other for other in names if other != label]) if rng.random() < wrong else label)
    CustomerReview.objects.bulk_create(reviews)
    made = [
        Label(
            question=KIND,
            subject=ref(review),
            label=label,
            method="single",
            n_votes=1,
            labelled_at=now,
            source="label_studio",
        )
        for review, label in zip(reviews, said, strict=True)
    ]
    Label.objects.bulk_create(made)
    return [label.subject for label in made]


def train(recipe: dict[str, Any] | None = None, **more: Any) -> TrainingRun:
    """Plan a run for sentiment, work it to its end, and return it."""
    run, _ = runs.plan(
        "sentiment", reason="for a test", actor=people.ml_engineer(), recipe=recipe or CHARACTERS, **more
    )
    assert pipeline.run_next()
    run.refresh_from_db()
    return run
