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
