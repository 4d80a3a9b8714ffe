"""What shows whose an answer is: who was handed which task and when, and what in Label Studio was not as we set it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from labeling.models.tasks import LabelingProject, LabelingTask


class TaskLease(models.Model):
    """That one person was handed one task, from when to when; a fact that stays when the lease is over.

    Whoever hands tasks out sees to it (of review items a trigger: moderation, migration `0018_leases_are_facts`).
    """

    task = models.ForeignKey(LabelingTask, on_delete=models.CASCADE, related_name="leases")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    token = models.UUIDField(null=True, help_text="of the lease; empty: it was shown to them, and reserved for nobody")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, help_text="when it ended or will end; empty: it never does")

    class Meta:
        ordering = ("since", "pk")
        constraints = (
            models.UniqueConstraint(fields=("token", "task", "person"), name="one_lease_per_token"),
            models.UniqueConstraint(
                fields=("task", "person"), condition=Q(token=None), name="shown_once_without_reservation"
            ),
        )

    def __str__(self) -> str:
        return f"lease of {self.task_id} by user:{self.person_id}"


class Drift(models.Model):
    """Something in Label Studio that was not as we had set it: what, since when at most, and when it was mended."""

    class What(models.TextChoices):
        INTERFACE = "interface", "Interface of a project"
        WEBHOOK = "webhook", "Webhooks of a project"
        TASK = "task", "Data of a task"
        CLONE = "clone", "Copy of a task"
        MEMBER = "member", "Account that we did not make"

    what = models.CharField(max_length=12, choices=What)
    project = models.ForeignKey(LabelingProject, null=True, blank=True, on_delete=models.CASCADE, related_name="drifts")
    subject = models.CharField(max_length=120, blank=True, help_text="Label Studio's id of the task or account")
    words = models.CharField(max_length=500)
    since = models.DateTimeField(
        null=True, blank=True, help_text="when all was last seen as it should be; empty: never"
    )
    found_at = models.DateTimeField()
    mended_at = models.DateTimeField(null=True, blank=True)
    is_known = models.BooleanField(default=False, help_text="was there before our first look, and alarms nobody")

    class Meta:
        ordering = ("-found_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("what", "project", "subject"), condition=Q(mended_at=None), name="one_open_drift"
            ),
        )
        indexes = (models.Index(fields=("found_at",), name="drift_by_time"),)

    def __str__(self) -> str:
        return self.words
