"""What models learn from: frozen, named by its content."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q


class Task(models.TextChoices):
    """What a model is trained to do; each has a source of examples in `training.curation`."""

    SENTIMENT = "sentiment", "Sentiment of reviews"
    COPY = "copy", "Copy that people accepted or wrote"
    PREFERENCE = "preference", "Fixes preferred to what they fixed"
    VALIDITY = "validity", "Drafts that people accept"


class DatasetSnapshot(models.Model):
    """Examples as they were at one moment: JSON Lines in the artefact store. The same examples are stored once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.CharField(max_length=24, choices=Task, editable=False)
    artifact_hash = models.CharField(max_length=64, editable=False, help_text="of the folder in the artefact store")
    manifest = models.JSONField(
        default=dict, editable=False, help_text="counts, labels, exclusions, split rule, policy"
    )
    n_train = models.PositiveIntegerField(editable=False)
    n_validation = models.PositiveIntegerField(editable=False)
    n_test = models.PositiveIntegerField(editable=False)
    parent = models.ForeignKey("self", null=True, editable=False, on_delete=models.SET_NULL, related_name="children")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(fields=("task", "artifact_hash"), name="one_snapshot_per_content"),
            models.CheckConstraint(condition=Q(task__in=Task.values), name="snapshot_task"),
        )

    def __str__(self) -> str:
        return f"{self.task} {self.artifact_hash[:12]}"
