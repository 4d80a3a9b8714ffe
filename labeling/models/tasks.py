"""Our side of Label Studio: projects, tasks, annotations, consensus, the webhook inbox, proofs and the people."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.leases import Leased


class LabelingProject(models.Model):
    """One question = one Label Studio project, made and kept up to date from code."""

    question = models.CharField(max_length=60, unique=True, help_text="name of the question, e.g. copy_verdict")
    ls_project_id = models.PositiveIntegerField(null=True, blank=True)
    title = models.CharField(max_length=200)
    config_hash = models.CharField(max_length=64, blank=True, help_text="of the labelling interface last pushed")
    webhook_hash = models.CharField(max_length=64, blank=True, help_text="of the webhook last registered")
    reconciled_until = models.DateTimeField(null=True, blank=True, help_text="updated_at up to which all was pulled")
    reconciled_at = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField(
        null=True, blank=True, help_text="when its interface and webhook there were last found as we set them"
    )
    n_foreign = models.IntegerField(
        null=True,
        blank=True,
        help_text="tasks there that are not ours, when all of ours were last looked for; empty: look",
    )

    class Meta:
        ordering = ("question",)
        constraints = (
            # With a condition: a column of a unique index without one is a key, and who changes it waits for everybody
            # who refers to the row, in a deadlock with whoever of them has the ledger's lock.
            models.UniqueConstraint(
                fields=["ls_project_id"], condition=models.Q(ls_project_id__isnull=False), name="one_row_per_ls_project"
            ),
        )

    def __str__(self) -> str:
        return self.title


class LabelingTask(Leased):
    """One thing to label. `reference` says, opaquely, whose it is."""

    class Status(models.TextChoices):
        OPEN = "open", "Open: to be sent to Label Studio"
        PUSHED = "pushed", "In Label Studio"
        SETTLED = "settled", "Settled"
        WITHDRAWN = "withdrawn", "Withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(LabelingProject, on_delete=models.PROTECT, related_name="tasks")
    reference = models.CharField(max_length=120, help_text="who opened it, e.g. moderation.reviewitem:<uuid>")
    payload = models.JSONField(help_text="task data as Label Studio gets it")
    predictions = models.JSONField(default=list, blank=True, help_text="[{model_version, score, result}]")
    shows_predictions = models.BooleanField(
        default=True, help_text="whether people see them; without, the answer is their own alone"
    )
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN)
    ls_task_id = models.PositiveIntegerField(null=True, blank=True, unique=True)
    ls_updated_at = models.DateTimeField(
        null=True, blank=True, help_text="of the state in Label Studio last applied here; older ones are ignored"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(
        null=True, blank=True, help_text="first handed to Label Studio; from then on looked up there before it is sent"
    )
    pushed_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    stamped_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="by the door's clock, of the latest answer that counted; an older one is a replay",
    )

    class Meta:
        ordering = ("created_at", "id")
        constraints = (
            models.UniqueConstraint(fields=("reference",), name="one_task_per_reference"),
            models.CheckConstraint(
                condition=Q(status__in=("open", "pushed", "settled", "withdrawn")), name="labeling_task_status"
            ),
        )
        indexes = (models.Index(fields=("created_at",), condition=Q(status="open"), name="labeling_task_open"),)

    def __str__(self) -> str:
        return self.reference


class Annotation(models.Model):
    """What one person answered in Label Studio: our copy of its latest state there. `cancelled` = skipped.

    Its standing says whether it counts. What does not is kept and shown, and decides nothing.
    """

    class Standing(models.TextChoices):
        COUNTS = "counts", "Counts"
        UNBOUND = "unbound", "Of an account that is nobody's here"
        EDITED = "edited", "Changed by somebody else"
        IMPORTED = "imported", "Imported"
        CLONE = "clone", "On a copy of the task"
        UNSTAMPED = "unstamped", "Not given through the door"
        FORGED = "forged", "Its stamp is not the door's"
        OTHER_TASK = "other_task", "Its stamp is of another task"
        OTHER_PERSON = "other_person", "Its stamp is another person's"
        ALTERED = "altered", "Says something else than was stamped"
        TASK_CHANGED = "task_changed", "The task shows something else than we sent"
        NO_LEASE = "no_lease", "Given without holding the task"
        REPLAYED = "replayed", "Its stamp was used before"

    task = models.ForeignKey(LabelingTask, on_delete=models.CASCADE, related_name="annotations")
    ls_annotation_id = models.PositiveIntegerField(unique=True)
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="annotations"
    )
    ls_user_id = models.PositiveIntegerField(null=True, help_text="its author; who changed it later is another matter")
    ls_editor_id = models.PositiveIntegerField(null=True, help_text="who last changed it; empty: it was imported")
    standing = models.CharField(max_length=16, choices=Standing)
    stamped_at = models.DateTimeField(null=True, blank=True, help_text="when it was given, by the door's clock")
    result = models.JSONField(default=list)
    was_cancelled = models.BooleanField(default=False)
    lead_time = models.DurationField(null=True, help_text="as measured by Label Studio")
    ls_created_at = models.DateTimeField()
    ls_updated_at = models.DateTimeField()
    pulled_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("ls_created_at",)
        indexes = (
            models.Index(fields=("pulled_at",), condition=~Q(standing="counts"), name="annotation_refused"),
            models.Index(fields=("task", "stamped_at"), condition=Q(standing="counts"), name="annotation_counts"),
        )

    def __str__(self) -> str:
        return f"annotation {self.ls_annotation_id} of {self.task_id}"


class Consensus(models.Model):
    """What the annotators of a task agreed on, for one exact set of annotations."""

    task = models.ForeignKey(LabelingTask, on_delete=models.CASCADE, related_name="consensuses")
    annotation_set_hash = models.CharField(max_length=64)
    answer = models.JSONField(help_text="control name → value, parsed from the annotations")
    annotations = models.ManyToManyField(Annotation, related_name="+")
    method = models.CharField(max_length=24, default="single")
    settled_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("settled_at",)
        constraints = (
            models.UniqueConstraint(fields=("task", "annotation_set_hash"), name="one_consensus_per_annotation_set"),
        )

    def __str__(self) -> str:
        return f"{self.method} consensus on {self.task_id}"


class WebhookEvent(Leased):
    """The inbox: a hint from Label Studio, stored before it is answered."""

    class Status(models.TextChoices):
        RECEIVED = "received", "Received"
        PROCESSED = "processed", "Processed"
        IGNORED = "ignored", "Ignored: about nothing of ours"

    action = models.CharField(max_length=60)
    ls_project_id = models.PositiveIntegerField(null=True)
    ls_task_ids = models.JSONField(default=list)
    body_hash = models.CharField(max_length=64)
    status = models.CharField(max_length=12, choices=Status, default=Status.RECEIVED)
    received_at = models.DateTimeField(auto_now_add=True)
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("received_at",)
        indexes = (models.Index(fields=("received_at",), condition=Q(status="received"), name="webhook_received"),)

    def __str__(self) -> str:
        return f"{self.action} at {self.received_at:%F %T}"


class CompletenessProof(models.Model):
    """One comparison of everything of ours in a project with what Label Studio holds. Unfinished: it was broken off."""

    project = models.ForeignKey(LabelingProject, on_delete=models.PROTECT, related_name="proofs")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    n_tasks = models.PositiveIntegerField(default=0, help_text="tasks of ours that should be there")
    n_accounted = models.PositiveIntegerField(default=0, help_text="of these: the same on both sides, or mended")
    n_missing = models.PositiveIntegerField(default=0, help_text="not there")
    n_stale = models.PositiveIntegerField(default=0, help_text="our copy differed")
    n_duplicates = models.PositiveIntegerField(default=0, help_text="further copies of a task of ours there")
    n_foreign = models.PositiveIntegerField(default=0, help_text="tasks there that are not ours")
    n_repaired = models.PositiveIntegerField(default=0)
    words = models.TextField(blank=True)

    class Meta:
        ordering = ("-started_at",)
        indexes = (models.Index(fields=("project", "finished_at"), name="proof_by_project"),)

    def __str__(self) -> str:
        return self.words or f"proof of {self.project} that was not finished"

    @property
    def holds(self) -> bool:
        """Whether it was finished and left nothing unaccounted for."""
        return self.finished_at is not None and self.n_accounted == self.n_tasks


class Annotator(models.Model):
    """The Label Studio account of one of our users."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="annotator")
    ls_user_id = models.PositiveIntegerField(unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"annotator {self.ls_user_id}"
