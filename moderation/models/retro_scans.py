"""A policy tried on everything live: what it would have found, what was taken down for it, what was put back."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from catalog.models import PublishedCopy
from core.leases import Leased
from moderation.models.policies import PolicyVersion


class RetroScan(Leased):
    """One trial of a policy version on live copy. A dry run first; recall and undo are asked for by a person."""

    class Status(models.TextChoices):
        SCANNING = "scanning", "Scanning"
        SCANNED = "scanned", "Scanned"
        RECALLING = "recalling", "Taking down"
        RECALLED = "recalled", "Taken down"
        UNDOING = "undoing", "Putting back"
        UNDONE = "undone", "Put back"

    class Severity(models.TextChoices):
        WARN = "warn", "Warnings and blocks"
        BLOCK = "block", "Blocks"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="retro_scans", editable=False)
    # A comparison: counted is what the two find differently, whoever judged it before. It takes nothing down.
    against = models.ForeignKey(
        PolicyVersion, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, editable=False
    )
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.BLOCK, editable=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.SCANNING, editable=False)
    reason = models.CharField(
        max_length=200, editable=False, help_text="why it was tried, later why recalled or undone"
    )
    # In whose name its texts are taken down or put back: whoever asked for the present stage.
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False)
    until = models.DateTimeField(editable=False, help_text="what was live then is looked at")
    checkpoint = models.UUIDField(null=True, editable=False, help_text="the last text looked at, by key")
    n_total = models.PositiveIntegerField(default=0, editable=False)
    n_seen = models.PositiveIntegerField(default=0, editable=False)
    counts = models.JSONField(default=dict, editable=False, help_text="texts by code of a new finding")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, editable=False, help_text="when the present stage ended")

    class Meta:
        ordering = ("-created_at",)
        permissions = (("run_retroscan", "Can try a policy on live copy"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=("scanning", "scanned", "recalling", "recalled", "undoing", "undone")),
                name="retro_scan_status",
            ),
        )

    def __str__(self) -> str:
        return f"retro-scan of {self.created_at:%Y-%m-%d %H:%M}"


class RetroHit(models.Model):
    """A live text that the policy of a scan finds fault with, beyond what a person saw when they let it out."""

    class Status(models.TextChoices):
        FOUND = "found", "Live"
        RECALLED = "recalled", "Taken down"
        GONE = "gone", "Was not live any more"
        RESTORED = "restored", "Put back"
        LEFT = "left", "Stays down"

    scan = models.ForeignKey(RetroScan, on_delete=models.CASCADE, related_name="hits", editable=False)
    published_copy = models.ForeignKey(PublishedCopy, on_delete=models.PROTECT, related_name="+", editable=False)
    severity = models.CharField(max_length=8, editable=False)
    findings = models.JSONField(editable=False, help_text="what is new: code, severity, message, span, rule")
    status = models.CharField(max_length=12, choices=Status, default=Status.FOUND, editable=False)
    note = models.CharField(max_length=200, blank=True, editable=False, help_text="why it was left out or stays down")

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("scan", "published_copy"), name="one_hit_per_text_and_scan"),
            models.CheckConstraint(
                condition=Q(status__in=("found", "recalled", "gone", "restored", "left")), name="retro_hit_status"
            ),
        )
        indexes = (models.Index(fields=("scan", "status", "id"), name="retro_hit_next"),)

    def __str__(self) -> str:
        return f"{self.severity} in {self.published_copy_id}"

    @property
    def codes(self) -> list[str]:
        """The codes of what was found."""
        return sorted({str(finding["code"]) for finding in self.findings})
