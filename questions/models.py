"""The versions of questions that files declare: what each said when it was loaded, for good."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class QuestionVersion(models.Model):
    """A declared question as its file was at one moment. Append-only by trigger; the highest number is the latest."""

    name = models.CharField(max_length=60, editable=False)
    number = models.PositiveIntegerField(editable=False, help_text="1, 2, 3 … of the question")
    content_hash = models.CharField(
        max_length=64, editable=False, help_text="SHA-256 of the canonical JSON of the content"
    )
    content = models.JSONField(editable=False)
    renamed = models.JSONField(default=dict, editable=False, help_text="answers before → what they became")
    asked_again = models.JSONField(default=list, editable=False, help_text="answers before that people give anew")
    loaded_at = models.DateTimeField(auto_now_add=True)
    loaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )

    class Meta:
        ordering = ("name", "-number")
        permissions = (("load_question", "Can load declared questions, and rename their answers"),)
        constraints = (models.UniqueConstraint(fields=("name", "number"), name="one_number_per_question"),)

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


class LabelBefore(models.Model):
    """What was said of a subject before a version of its question had people asked again: for good, beside the ledger.

    Written by `questions.versions`; what `asked_at` lacks waits for `questions.asking_again`.
    """

    version = models.ForeignKey(QuestionVersion, on_delete=models.PROTECT, related_name="before", editable=False)
    subject = models.CharField(max_length=120, editable=False)
    label = models.CharField(
        max_length=60, blank=True, editable=False, help_text="what was held to be true, if anything"
    )
    method = models.CharField(max_length=24, blank=True, editable=False)
    source = models.CharField(max_length=60, blank=True, editable=False)
    labelled_at = models.DateTimeField(null=True, editable=False)
    votes = models.JSONField(default=list, editable=False, help_text="[rater, label, when] of each vote")
    asked_at = models.DateTimeField(null=True, editable=False, help_text="when people were asked again")

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("version", "subject"), name="one_label_before_a_version"),)
        indexes = (models.Index(fields=("id",), condition=models.Q(asked_at=None), name="label_before_to_ask"),)

    def __str__(self) -> str:
        return f"{self.subject} before {self.version}: {self.label}"
