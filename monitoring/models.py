"""Signs of life, and who may see and empty the quarantine."""

from __future__ import annotations

from django.db import models


class Heartbeat(models.Model):
    """When a message that beat sent was last worked off from a queue: beat, broker and worker, end to end.

    The row `beat` says when beat last sent one.
    """

    queue = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ("queue",)

    def __str__(self) -> str:
        return f"{self.queue} at {self.at:%F %T}"


class Quarantine(models.Model):
    """Has no table: it names the permissions of `monitoring.quarantine`, whose rows are those of other apps."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = (("view_quarantine", "Can see what is in quarantine"), ("readmit", "Can let it out"))

    def __str__(self) -> str:
        return "quarantine"
