"""Files of labels with raters, and our own people beside them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.utils import timezone

from catalog.models import CustomerReview, ImportRun
from core.actors import SystemActor
from core.refs import ref
from inference.models import ModelVersion
from labeling import approvals, labels
from moderation.label_exchange.approving import word_of
from moderation.label_exchange.importing import File, import_labels, source_of
from tests import factories, people

ACTOR = SystemActor("tests")
KIND = "sentiment"
NAMES = ("positive", "negative", "neutral")
FLIPPED = {"positive": "negative", "negative": "positive", "neutral": "positive"}
ALL = 24
# Of our own people; far from the numbers that the people of tests get, one of whom brings the file in.
OURS = "user:900000071"


def truth(number: int) -> str:
    """What review `number` means."""
    return NAMES[number % 3]


def said(
    n: int, *raters: str, label: str = "", first: int = 0, says: Callable[[int], str] = truth
) -> list[dict[str, Any]]:
    """What `raters` say of `n` reviews: what they mean, `label` of all of them, or what `says` gives."""
    return [
        {"text": f"Review {i}", "external_id": f"x-{i}", "label": label or says(i), "rater": rater}
        for i in range(first, first + n)
        for rater in raters
    ]


def bring(path: Path, rows: list[dict[str, Any]], *, actor: Any = None) -> ImportRun:
    """Import `rows`, in the name of an engineer unless of somebody else."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return import_labels(File(path), actor=actor or people.ml_engineer())


def is_approved(run: ImportRun) -> bool:
    """Whether enough people answer for every rater of `run`."""
    words, raters = approvals.words(source_of(run)), approvals.raters_of(source_of(run))
    return bool(raters) and all(word_of(words, run, rater).is_enough for rater in raters)


def answer_ourselves(
    n: int = ALL, *, first: int = 0, rater: str = OURS, says: Callable[[int], str] = truth, **more: Any
) -> None:
    """Have one of our own people say what `n` reviews of a file mean."""
    for number in range(first, first + n):
        review = CustomerReview.objects.get(text=f"Review {number}")
        labels.record_vote(
            KIND, ref(review), rater=rater, label=says(number), purpose="label", at=timezone.now(), **more
        )


def score(n: int, *, right: float, seed: int = 1) -> Callable[[int], str]:
    """Have the champion score `n` reviews, right on a share of them, and return what it says of each."""
    rng, version = random.Random(seed), factories.model_version("sentiment")
    told = {i: truth(i) if rng.random() < right else FLIPPED[truth(i)] for i in range(n)}
    _score(version, told)
    return told.__getitem__


def _score(version: ModelVersion, told: dict[int, str]) -> None:
    for number, label in told.items():
        review, _ = CustomerReview.objects.get_or_create(
            text=f"Review {number}", defaults={"external_id": f"x-{number}"}
        )
        factories.sentiment(review, label, confidence=0.99, version=version)
