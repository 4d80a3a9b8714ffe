"""What models say of subjects, whatever the question; and what waits for their answer, with the scorer's lease."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef

from core import label_sets
from core.exceptions import PermanentError
from core.leases import Leased
from core.refs import ref, ref_to
from inference.contracts import Classification
from inference.models import ModelVersion

# By so much what is computed in single precision may miss 0 and 1.
ROUNDING = 1e-4


class Predictions(models.QuerySet["Prediction"]):
    """Predictions, with what is asked of them often."""

    def of(self, question: str, subjects: Sequence[models.Model | str]) -> Predictions:
        """Narrow to what was said to `question` of `subjects`, rows or references."""
        references = [one if isinstance(one, str) else ref(one) for one in subjects]
        return self.filter(question=question, subject__in=references)

    def about(self, model: type[models.Model]) -> Predictions:
        """Narrow to what was said of rows of `model`."""
        return self.filter(subject__startswith=ref_to(model, ""))

    def keep(self, said: Iterable[Prediction]) -> None:
        """Save what was said, in place of what the same version said of the subject before, in the shadow too."""
        self.bulk_create(
            said,
            update_conflicts=True,
            unique_fields=("subject", "question", "model_version"),
            update_fields=("label", "probabilities", "confidence", "is_shadow", "explanation"),
        )

    def standing(self) -> Predictions:
        """Narrow to the answers that stand: of what the scorer answered, those of the version that answered last."""
        last = Scoring.objects.filter(
            question=OuterRef("question"), subject=OuterRef("subject"), scored_with=OuterRef("model_version")
        )
        return self.filter(Exists(last))


class Prediction(models.Model):
    """What one model version says of one subject: at most one answer to each question."""

    question = models.CharField(max_length=60)
    subject = models.CharField(max_length=120, help_text="a reference: core/refs.py")
    # The indexes below begin with it: none of its own.
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    label = models.CharField(
        max_length=120, blank=True, help_text="several answers are joined: core/label_sets.py; empty: it was not kept"
    )
    probabilities = models.JSONField(help_text="answer → 0 to 1; of several answers each by itself")
    confidence = models.FloatField(help_text="how sure `label` is, 0 to 1")
    seconds = models.FloatField(null=True, help_text="its share of the time its batch took, where that was measured")
    is_shadow = models.BooleanField(default=False, help_text="said beside the champion: nothing acted on it")
    explanation = models.JSONField(
        null=True,
        editable=False,
        help_text="the words that moved it: moderation/explaining.py; empty: nobody was asked about it yet",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = Predictions.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        constraints = (
            # By the subject first: everything that was said of one goes with it.
            models.UniqueConstraint(
                fields=("subject", "question", "model_version"), name="one_prediction_per_subject_and_model"
            ),
        )
        indexes = (
            models.Index(fields=("model_version", "confidence"), name="prediction_by_confidence"),
            models.Index(fields=("model_version", "id"), name="prediction_by_arrival"),
        )

    def __str__(self) -> str:
        return f"{self.label} ({self.confidence:.0%})"


class ScoredQuestion(models.Model):
    """A question that its champion answers about each row of a table: a trigger opens a `Scoring` for what comes."""

    question = models.CharField(max_length=60, primary_key=True)
    about = models.CharField(max_length=100, help_text="the table, as references name it: app.model")
    # False between the moment from which new rows are seen to, and the one when those there were before are, too.
    is_complete = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.question} of every {self.about}"


class Scoring(Leased):
    """One question about one subject, for the scorer: what it holds, and which version answered last."""

    question = models.CharField(max_length=60, editable=False)
    subject = models.CharField(max_length=120, editable=False)
    scored_with = models.UUIDField(
        null=True, editable=False, help_text="the version that answered last; empty: none yet"
    )
    scored_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("subject", "question"), name="one_scoring_per_subject_and_question"),
        )
        # What waits, and what another version than the champion answered last, in the order in which it came.
        indexes = (models.Index(fields=("question", "scored_with", "id"), name="to_score"),)

    def __str__(self) -> str:
        return f"{self.question} of {self.subject}"


def fields_of(answer: Classification, order: Iterable[str]) -> dict[str, Any]:
    """Return the fields of a prediction that keep `answer`; several answers in the question's `order`, whichever its
    model has them in.

    Raises `PermanentError` where something is no probability: a broken model would pass for one that is sure.
    """
    for one, p in answer.probabilities.items():
        if not -ROUNDING <= p <= 1 + ROUNDING:  # not a number is neither
            raise PermanentError(f"The model gives {one[:60]!r} {p}, which is no probability.")
    label = answer.label
    if answer.is_several:
        label = label_sets.join(label_sets.split(label), dict.fromkeys([*order, *answer.probabilities]))
    return {
        "label": label,
        "probabilities": {label: round(p, 6) for label, p in answer.probabilities.items()},
        "confidence": answer.confidence,
    }
