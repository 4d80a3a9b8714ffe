"""A challenger in the shadow: it scores what the champion scored last, and nothing acts on what it says."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Exists, OuterRef, QuerySet, Value, When

from core import leases
from core.exceptions import EcomsiteError
from inference import loader, resolver
from inference.models import ModelVersion
from labeling.question import question
from moderation.models.candidates import Score
from moderation.models.reviews import SENTIMENT, Sentiment
from moderation.models.shadow_scores import ShadowScore

log = logging.getLogger(__name__)
BATCH = 64
# Of the champion's texts so many at most are looked at, the latest ones: live traffic, not the history of the shop.
LATEST = 2000


@dataclass(frozen=True)
class Traffic:
    """The live texts of a role, and what its champions said of each."""

    noun: str  # the texts, in words
    field: str  # points at a text, both in `said` and in `ShadowScore`
    said: QuerySet[Any]  # rows with that field, `model_version`, `label` and `created_at`


# Of a draft the champion's one number is kept, how likely it is valid: its label is the likelier of the two.
_LIKELIER = Case(When(value__gte=0.5, then=Value("valid")), default=Value("invalid"))
_JUDGED = Score.objects.filter(name="valid_description").annotate(label=_LIKELIER)
TRAFFIC: Mapping[str, Traffic] = {
    SENTIMENT: Traffic("reviews", "review", Sentiment.objects.select_related("review")),
    "validity": Traffic("drafts", "candidate", _JUDGED.select_related("candidate__product")),
}


def score() -> int:
    """Have the challenger of each role score up to `BATCH` of the `LATEST` texts that its champion scored. Returns how many.

    Two workers at once may look at the same texts; each text is kept once. A challenger that cannot be loaded or does
    not answer is logged, and tried again with the next call; the other roles go on.
    """
    n = 0
    for role in TRAFFIC:
        try:
            n += _score(role)
        except leases.DATABASE_AWAY:
            raise
        except EcomsiteError as exc:
            log.warning("the challenger of the role %s cannot score in the shadow: %s", role, exc)
        except Exception:
            log.exception("the challenger of the role %s failed in the shadow", role)
    return n


def _score(role: str) -> int:
    champion, challenger = resolver.find(role), resolver.find(role, alias="challenger")
    if champion is None or challenger is None or challenger.pk == champion.pk:
        return 0
    traffic = TRAFFIC[role]
    seen = ShadowScore.objects.filter(**{traffic.field: OuterRef(traffic.field)}, model_version=challenger)
    latest = traffic.said.filter(model_version=champion).order_by("-pk")[:LATEST]
    unseen = traffic.said.filter(~Exists(seen), pk__in=latest.values("pk")).order_by("-pk")
    texts = [getattr(row, traffic.field) for row in unseen[:BATCH]]
    if not texts:
        return 0
    model = loader.load_classifier(challenger)
    began = time.perf_counter()
    answers = model.classify(question(role).inputs(texts))
    seconds = (time.perf_counter() - began) / len(texts)
    ShadowScore.objects.bulk_create(
        (ShadowScore(**{traffic.field: text}, model_version=challenger, label=answer.label, confidence=answer.confidence, seconds=seconds)
         for text, answer in zip(texts, answers, strict=True)),
        ignore_conflicts=True,
    )  # fmt: skip
    return len(texts)


@dataclass(frozen=True)
class Shadow:
    """A challenger beside the champion on live traffic: how many texts, how often alike, seconds a text."""

    noun: str
    n: int
    n_alike: int
    seconds: float

    @property
    def share(self) -> float:
        return self.n_alike / self.n if self.n else 0.0


def compared(challenger: ModelVersion, champion: ModelVersion) -> Shadow | None:
    """Return how the two compare on the texts that both have scored; None where their role has no shadow."""
    traffic = TRAFFIC.get(challenger.role)
    if traffic is None:
        return None
    theirs = traffic.said.filter(**{traffic.field: OuterRef(traffic.field)}, model_version=champion)
    scored = ShadowScore.objects.filter(Exists(theirs), model_version=challenger)
    alike = scored.filter(Exists(theirs.filter(label=OuterRef("label"))))
    n, spent = scored.count(), list(scored.values_list("seconds", flat=True)[:500])
    return Shadow(traffic.noun, n, alike.count(), sum(spent) / len(spent) if spent else 0.0)
