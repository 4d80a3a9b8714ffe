"""What models learn from: frozen, named by its content."""

from __future__ import annotations

import uuid

from django.db import models

from labeling.question import answered_by_models, question, title_of

# How a manifest says that no person gave a label, and that several labels of a text may hold.
BY_FILE, IS_SEVERAL = "stated", "is_several"


class Task(models.TextChoices):
    """What a model is trained to do besides answering a question;
    each has a source of examples in `training.curation`.
    """

    COPY = "copy", "Copy that people accepted or wrote"
    PREFERENCE = "preference", "Fixes preferred to what they fixed"


def tasks() -> list[str]:
    """Return what a data set can be for: each question that a model answers, then the tasks that are no question."""
    return [*(one.name for one in answered_by_models()), *Task.values]


def title_of_task(task: str) -> str:
    """Return what people call a task."""
    return str(Task(task).label) if task in Task.values else title_of(task)


class DatasetSnapshot(models.Model):
    """Examples as they were at one moment: JSON Lines in the artefact store. The same examples are stored once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.CharField(max_length=60, editable=False, help_text="a question, or what else is learnt")
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
        constraints = (models.UniqueConstraint(fields=("task", "artifact_hash"), name="one_snapshot_per_content"),)

    def __str__(self) -> str:
        return f"{self.task} {self.artifact_hash[:12]}"

    @property
    def task_title(self) -> str:
        """What people call its task."""
        return title_of_task(self.task)

    @property
    def labels(self) -> list[str]:
        """The labels of a text, in their order; none of a task that writes."""
        return list(self.manifest.get("labels", []))

    @property
    def is_several(self) -> bool:
        """Whether several labels of a text could hold when it was frozen."""
        return bool(self.manifest.get(IS_SEVERAL, False))

    @property
    def n_stated(self) -> int:
        """How many labels of the test part no person gave, as far as is known; all, where it does not say."""
        return int(self.manifest.get("test_labels", {BY_FILE: self.n_test}).get(BY_FILE, 0))

    @property
    def imported(self) -> dict[str, dict[str, int]] | None:
        """How many labels of each part which import brought, approved or not; None where it does not say."""
        if self.task in Task.values or question(self.task).taught_by:  # labels of queues alone come in from files
            return {}
        found: dict[str, dict[str, int]] | None = self.manifest.get("imported")
        return found

    @property
    def files(self) -> list[str] | None:
        """Every import that had a say in one of its labels; None where it does not say."""
        found: list[str] | None = self.manifest.get("files")
        return found
