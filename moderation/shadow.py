"""A challenger in the shadow: it answers what the champion answered last, and nothing acts on what it says."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef

from core import leases
from core.exceptions import EcomsiteError
from inference import loader, resolver
from inference.models import ModelVersion
from labeling.question import Question, answered_by_models
from moderation.models.predictions import Prediction, Predictions, Scoring, fields_of

log = logging.getLogger(__name__)
BATCH = 64
# Of what the champion answered so much at most is looked at, the latest: live traffic, not the history of the shop.
LATEST = 2000


def score() -> int:
    """Have each challenger answer up to `BATCH` of the `LATEST` that its champion answered. Returns how many.

    Two workers at once may look at the same subjects; each is kept once. A challenger that cannot be loaded or does not
    answer is logged, and tried again with the next call; the other questions go on.
    """
    n = 0
    for asked in answered_by_models():
        try:
            n += _score(asked)
        except leases.DATABASE_AWAY:
            raise
        except EcomsiteError as exc:
            log.warning("the challenger of the role %s cannot score in the shadow: %s", asked.name, exc)
        except Exception:
            log.exception("the challenger of the role %s failed in the shadow", asked.name)
    return n


def _said_by(version: ModelVersion, asked: Question) -> Predictions:
    """What `version` said of what the question is about: of a draft's words alone, say, it may be asked as well."""
    return Prediction.objects.filter(question=asked.name, model_version=version).about(asked.subject_model)


def _score(asked: Question) -> int:
    champion, challenger = resolver.find(asked.name), resolver.find(asked.name, alias="challenger")
    if champion is None or challenger is None or challenger.pk == champion.pk:
        return 0
    latest = _said_by(champion, asked).order_by("-pk")[:LATEST]
    seen = Prediction.objects.filter(question=asked.name, subject=OuterRef("subject"), model_version=challenger)
    unseen = Prediction.objects.filter(~Exists(seen), pk__in=latest.values("pk")).order_by("-pk")
    rows = asked.rows(list(unseen.values_list("subject", flat=True)[:BATCH]))
    if not rows:
        return 0
    model, texts = loader.load_classifier(challenger), asked.inputs(list(rows.values()))
    began = time.perf_counter()
    answers = asked.asked_of(model.classify, list(rows.values()))
    seconds = (time.perf_counter() - began) / len(rows)
    with transaction.atomic():
        # What gets other words is forgotten by a trigger (moderation/sql/triggers.sql), which waits for these rows.
        waiting = Scoring.objects.filter(question=asked.name, subject__in=list(rows)).order_by("pk")
        list(waiting.select_for_update(no_key=True).values_list("pk"))
        read, now = dict(zip(rows, texts, strict=True)), asked.rows(list(rows))
        same = {one for one, text in zip(now, asked.inputs(list(now.values())), strict=True) if text == read[one]}
        Prediction.objects.bulk_create(
            (
                Prediction(
                    question=asked.name,
                    subject=subject,
                    model_version=challenger,
                    seconds=seconds,
                    is_shadow=True,
                    **fields_of(answer, asked.labels),
                )
                for subject, answer in zip(rows, answers, strict=True)
                if subject in same
            ),
            ignore_conflicts=True,
        )
    return len(same)


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
    """Return how the two compare on what both have answered; None where their role is no question's."""
    asked = next((one for one in answered_by_models() if one.name == challenger.role), None)
    if asked is None:
        return None
    theirs = Prediction.objects.filter(question=asked.name, subject=OuterRef("subject"), model_version=champion)
    scored = _said_by(challenger, asked).filter(Exists(theirs))
    alike = scored.filter(Exists(theirs.filter(label=OuterRef("label"))))
    n, took = scored.count(), scored.values_list("seconds", flat=True)
    spent = [seconds for seconds in took.exclude(seconds=None)[:500] if seconds is not None]
    return Shadow(f"{asked.about}s", n, alike.count(), sum(spent) / len(spent) if spent else 0.0)
