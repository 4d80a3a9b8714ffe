"""Imports and exports of labels that the console was asked for, and how far each is."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from catalog.models import ImportRun
from core.jobs import LongJob


class LabelJob(LongJob):
    """One file of labels on its way in or out. A job whose worker died resumes at what was last committed."""

    class Kind(models.TextChoices):
        IMPORT = "import", "Import"
        EXPORT = "export", "Export"

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        RUNNING = "running", "Running"
        COMPLETED = "completed", "Completed"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=8, choices=Kind, editable=False)
    question = models.CharField(max_length=60, editable=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.PLANNED, editable=False)
    file_name = models.CharField(max_length=120, editable=False)
    file_hash = models.CharField(
        max_length=64, blank=True, editable=False, help_text="SHA-256 of the file; of an export once it is whole"
    )
    asked = models.JSONField(default=dict, editable=False, help_text="how the file is read, or what goes out")
    # In whose name labels come in or go out; their permissions are checked again when a worker begins.
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    run = models.ForeignKey(
        ImportRun, null=True, editable=False, on_delete=models.SET_NULL, related_name="+", help_text="of an import"
    )
    report = models.JSONField(default=dict, editable=False, help_text="what an export came to")
    cancel_requested_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    files_deleted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-created_at",)
        # Who may import or export labels sees the jobs of that kind (labeling.import_labels, labeling.export_labels).
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(
                fields=("file_hash",),
                condition=Q(kind="import", status__in=("planned", "running")),
                name="one_open_label_import_per_file",
            ),
            models.CheckConstraint(condition=Q(kind__in=("import", "export")), name="label_job_kind"),
            models.CheckConstraint(
                condition=Q(status__in=("planned", "running", "completed", "failed", "cancelled")),
                name="label_job_status",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.file_name}"
