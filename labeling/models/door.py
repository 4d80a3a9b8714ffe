"""Who was let through the door in front of Label Studio."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from labeling.models.tasks import LabelingTask


class DoorPass(models.Model):
    """One way in: for one person, in one session of the console, to one task; used once,
    and good while that session is.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    session_key = models.CharField(max_length=40, editable=False)
    task = models.ForeignKey(LabelingTask, on_delete=models.CASCADE, related_name="+")
    issued_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-issued_at",)
        indexes = (models.Index(fields=("issued_at",), name="door_pass_by_age"),)

    def __str__(self) -> str:
        return f"pass of user:{self.user_id} to {self.task_id}"
