"""A run of training, what was measured of its result, and who let it serve."""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.jobs import LongJob
from inference.models import ModelVersion
from training.models.datasets import DatasetSnapshot, title_of_task

# How a finding is marked that is for people to decide (training/evaluation/gate.py).
PEOPLE = "people"


class TrainingRun(LongJob):
    """One attempt to make a better model. Its lease is renewed while it runs; one whose worker died resumes.

    At most one is open for each task.
    """

    # When this process took it on; not stored.
    claimed_at: dt.datetime | None = None

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    class Trigger(models.TextChoices):
        HAND = "hand", "By hand"
        NEW_LABELS = "new_labels", "New labels"
        SCHEDULE = "schedule", "Schedule"
        DRIFT = "drift", "The champion agrees less with people"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.CharField(max_length=60, editable=False, help_text="a question, or what else is learnt")
    status = models.CharField(max_length=12, choices=Status, default=Status.PLANNED, editable=False)
    trigger = models.CharField(max_length=12, choices=Trigger, editable=False)
    reason = models.CharField(max_length=200, editable=False, help_text="why it was started, in words")
    recipe = models.JSONField(default=dict, editable=False, help_text="what was asked for: training/recipes.py")
    snapshot = models.ForeignKey(
        DatasetSnapshot, null=True, editable=False, on_delete=models.PROTECT, related_name="runs"
    )
    champion = models.ForeignKey(
        ModelVersion,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="who served when it began: what the result is measured against",
    )
    version = models.ForeignKey(
        ModelVersion, null=True, editable=False, on_delete=models.PROTECT, related_name="training_runs"
    )
    history = models.JSONField(default=list, editable=False, help_text="losses as they came: [part, step, name, value]")
    environment = models.JSONField(default=dict, editable=False, help_text="versions and device it ran with")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    cancel_requested_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-created_at",)
        permissions = (("train_model", "Can start and cancel training"),)
        constraints = (
            models.UniqueConstraint(
                fields=("task",), condition=Q(status__in=("planned", "running")), name="one_open_run_per_task"
            ),
            models.CheckConstraint(
                condition=Q(status__in=("planned", "running", "succeeded", "failed", "cancelled")),
                name="training_run_status",
            ),
        )

    @property
    def task_title(self) -> str:
        """What people call its task."""
        return title_of_task(self.task)

    def __str__(self) -> str:
        return f"{self.task} {self.created_at:%F %H:%M}"

    @property
    def report(self) -> EvaluationReport | None:
        """What was measured of its version: on its snapshot, against who served when it began."""
        if self.version is None:
            return None
        of_this = self.version.reports.filter(snapshot=self.snapshot, against=self.champion)
        return of_this.select_related("version", "snapshot", "against").first()


class EvaluationReport(models.Model):
    """What was measured of a version on the held-out part of a snapshot, and what the gate makes of it."""

    class Verdict(models.TextChoices):
        PASSED = "pass", "Pass"
        FAILED = "fail", "Fail"
        INCONCLUSIVE = "inconclusive", "Inconclusive"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(ModelVersion, editable=False, on_delete=models.CASCADE, related_name="reports")
    snapshot = models.ForeignKey(DatasetSnapshot, editable=False, on_delete=models.PROTECT, related_name="reports")
    against = models.ForeignKey(ModelVersion, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    gate_version = models.CharField(max_length=40, editable=False)
    verdict = models.CharField(max_length=12, choices=Verdict, editable=False)
    reasons = models.JSONField(default=list, editable=False, help_text="each rule with what it found: [verdict, words]")
    metrics = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("version", "snapshot", "against", "gate_version"),
                nulls_distinct=False,
                name="one_report_per_comparison",
            ),
            models.CheckConstraint(condition=Q(verdict__in=("pass", "fail", "inconclusive")), name="report_verdict"),
        )

    def __str__(self) -> str:
        return f"{self.version}: {self.verdict}"

    @property
    def asks_people(self) -> bool:
        """Whether people may let the version in where the gate could not tell: it had too few test texts of a label,
        and no other doubt.
        """
        said = {verdict for verdict, _ in self.reasons}
        return self.verdict == self.Verdict.INCONCLUSIVE and PEOPLE in said and said <= {self.Verdict.PASSED, PEOPLE}

    def lets_replace(self, champion: ModelVersion | None) -> bool:
        """Return whether the gate let the version pass, or left it to people, and against `champion` (None:
        nobody serves).
        """
        return (self.verdict == self.Verdict.PASSED or self.asks_people) and self.against == champion


class Approval(models.Model):
    """A person's consent that a version may serve in place of another;
    it says nothing of a champion that came later.
    """

    version = models.ForeignKey(ModelVersion, editable=False, on_delete=models.CASCADE, related_name="approvals")
    against = models.ForeignKey(
        ModelVersion,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="who served when it was given",
    )
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, editable=False, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("version", "against", "approver"), nulls_distinct=False, name="one_approval_per_person"
            ),
        )

    def __str__(self) -> str:
        return f"{self.approver_id} for {self.version_id}"
