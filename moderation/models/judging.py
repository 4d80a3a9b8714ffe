"""What a chat model said as a judge of claims: kept by the hash of the text, which is not kept here."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q, QuerySet

from inference.models import ModelVersion


class JudgeAnswer(models.Model):
    """One text before one chat model: what it answered, or that it was asked and gave no answer that can be read."""

    text_hash = models.CharField(max_length=64, editable=False, help_text="SHA-256 of the text in UTF-8")
    prompt_version = models.CharField(max_length=20, editable=False)
    # The constraint below ends with it, and few versions are ever asked: none of its own.
    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="+", db_index=False, editable=False
    )
    claims = ArrayField(
        models.CharField(max_length=20),
        null=True,
        editable=False,
        help_text="the kinds of claims that it sees; empty: it gave no answer that can be read, a person looks",
    )
    n_asked = models.PositiveSmallIntegerField(default=0, editable=False)
    asked_at = models.DateTimeField(null=True, editable=False, help_text="the last time")
    problem = models.CharField(max_length=200, blank=True, editable=False, help_text="why there is no answer")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("text_hash", "prompt_version", "model_version"), name="one_answer_by_text"),
            models.CheckConstraint(condition=Q(claims=None) | Q(problem=""), name="answered_or_a_problem"),
        )
        indexes = (models.Index(fields=("asked_at",), name="judge_asked_at"),)

    def __str__(self) -> str:
        return ", ".join(self.claims or ()) or ("no claim" if self.claims is not None else "no answer")


def hash_of(column: str) -> Func:
    """Return the hash of a text column as an expression: that of `core.hashing` would hash JSON."""
    return _Hashed(F(column))


class _Hashed(Func):
    output_field = models.CharField(max_length=64)
    template = "encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex')"


def answers_of(version: ModelVersion, prompt: str) -> QuerySet[JudgeAnswer]:
    """Return the answers of `version` to the prompt of that name."""
    return JudgeAnswer.objects.filter(model_version=version, prompt_version=prompt)
