"""Models answer questions about whatever comes: batch by batch, each subject once by each champion."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from audit import ledger
from audit.ledger import Line
from core import leases
from core.actors import SystemActor
from core.exceptions import EcomsiteError, TransientError
from core.hints import hint_on_commit
from core.refs import ref_to
from inference import loader, resolver
from inference.models import ModelVersion
from labeling.question import Question, answered_by_models
from labeling.subject import subject_of
from moderation.models.predictions import Prediction, ScoredQuestion, Scoring, fields_of

log = logging.getLogger(__name__)
SCORER = SystemActor("moderation.scoring")
BATCH = 256
_OPEN_ALL = """
INSERT INTO moderation_scoring (question, subject, created_at, n_attempts, n_losses, last_error)
SELECT %s, %s || id, created_at, 0, 0, '' FROM {table} ORDER BY created_at, id ON CONFLICT DO NOTHING"""


def scored_questions() -> list[Question]:
    """Return the questions that a champion answers about whatever comes, without being asked."""
    return [asked for asked in answered_by_models() if subject_of(asked.about).is_scored_as_it_comes]


def open_scorings() -> None:
    """Have counted what waits for each champion, also while the scorer's worker is busy with something else."""
    for asked in scored_questions():
        if resolver.find(asked.name) is not None:
            take_in(asked)


def score() -> int:
    """Score one batch of each question. Returns how many subjects were scored.

    A question whose model cannot be loaded is logged, and tried again with the next call; the others go on.
    """
    n = 0
    for asked in scored_questions():
        try:
            n += score_question(asked)
        except leases.DATABASE_AWAY:
            raise
        except EcomsiteError as exc:
            log.warning("the question %s cannot be scored: %s", asked.name, exc)
        except Exception:
            log.exception("the question %s cannot be scored", asked.name)
    return n


def score_question(asked: Question) -> int:
    """Score one batch of what the champion of `asked` has not answered yet. Returns how many; 0 without a champion.

    A subject that the model chokes on is tried again, and goes into quarantine in the end; the others go on.
    """
    version = resolver.find(asked.name)
    if version is None:
        return 0
    take_in(asked)
    lease = settings.LEASES.work
    for scored_with in (None, *_other_versions(version)):
        if rows := leases.claim(to_score(asked.name, scored_with), n=BATCH, duration=lease):
            with leases.heartbeat(rows, duration=lease):
                _load(rows, version)
                return _score_together(rows, asked, version)
    return 0


def _load(rows: Sequence[Scoring], version: ModelVersion) -> None:
    """Load the model; where that fails, give `rows` back: it is no fault of theirs, and they keep their attempts."""
    try:
        loader.load_classifier(version)
    except leases.DATABASE_AWAY:
        raise
    except Exception as exc:
        leases.release(rows, error=f"{type(exc).__name__}: {exc}", counts=False, pause=leases.backoff(1))
        raise


def to_score(name: str, scored_with: uuid.UUID | None) -> QuerySet[Scoring]:
    """What no model has answered yet of the question `name`, or what `scored_with` answered last; oldest first.

    One version at a time: so the index finds them. "Not answered by the champion" would read all there ever was.
    """
    return leases.claimable(Scoring.objects.filter(question=name, scored_with=scored_with).order_by("pk"))


def take_in(asked: Question) -> None:
    """Have a `Scoring` for each row that `asked` is about: those that are there now; a trigger opens the others."""
    known = ScoredQuestion.objects.filter(question=asked.name).first()
    if known is not None and known.is_complete:
        return
    model = asked.subject_model
    table = connection.ops.quote_name(model._meta.db_table)
    with transaction.atomic(), connection.cursor() as cursor:
        # Who is writing rows may not know of the question, and its rows are not to be seen yet: it is waited for.
        cursor.execute(f"LOCK TABLE {table} IN SHARE MODE")
        ScoredQuestion.objects.get_or_create(question=asked.name, defaults={"about": model._meta.label_lower})
    with transaction.atomic(), connection.cursor() as cursor:
        one = ScoredQuestion.objects.select_for_update(no_key=True).get(question=asked.name)
        cursor.execute(_OPEN_ALL.format(table=table), [asked.name, ref_to(model, "")])
        one.is_complete = True
        one.save(update_fields=["is_complete"])


def _other_versions(champion: ModelVersion) -> QuerySet[ModelVersion, uuid.UUID]:
    versions = ModelVersion.objects.filter(role=champion.role).exclude(pk=champion.pk)
    return versions.order_by("-number").values_list("pk", flat=True)


def _score_together(rows: Sequence[Scoring], asked: Question, version: ModelVersion) -> int:
    """Score `rows` in one call; where that fails, halve, until what the model chokes on stands alone."""
    if not rows:
        return 0
    try:
        return _score(rows, asked, version)
    except TransientError as exc:
        log.warning("%s cannot be scored now: %s", asked.name, exc)
        leases.release(rows, error=str(exc), counts=False, pause=leases.backoff(1))
    except leases.DATABASE_AWAY:
        raise
    except Exception as exc:
        if len(rows) > 1:
            middle = len(rows) // 2
            return _score_together(rows[:middle], asked, version) + _score_together(rows[middle:], asked, version)
        log.exception("%s cannot be scored", rows[0])
        leases.fail(rows[0], error=f"{type(exc).__name__}: {exc}")
    return 0


def _score(rows: Sequence[Scoring], asked: Question, version: ModelVersion) -> int:
    # A version that was champion before, or was looked at beside one, has answered some already; that stands.
    said = Prediction.objects.of(asked.name, [row.subject for row in rows]).filter(model_version=version)
    before = set(said.values_list("subject", flat=True))
    fresh = asked.rows([row.subject for row in rows if row.subject not in before])
    answers = loader.load_classifier(version).classify(asked.inputs(list(fresh.values()))) if fresh else []
    given = dict(zip(fresh, answers, strict=True))
    with transaction.atomic():
        ours = leases.hold_all(rows)
        if not ours:
            return 0
        said.filter(is_shadow=True).update(is_shadow=False)
        Prediction.objects.keep(  # it may have been said in the shadow meanwhile
            Prediction(
                question=asked.name,
                subject=row.subject,
                model_version=version,
                **fields_of(given[row.subject], asked.labels),
            )
            for row in ours
            if row.subject in given
        )
        leases.release(ours, n_attempts=0, scored_with=version.pk, scored_at=Now())
        scored = Line(
            "moderation.prediction.made",
            f"inference.modelversion:{version.pk}",
            {"question": asked.name, "n": len(ours)},
        )
        ledger.append_many([scored], actor=SCORER)
        hint_on_commit("moderation.open_reviews")
    return len(ours)
