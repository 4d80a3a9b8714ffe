"""Signs of life, alerts, refused access, whether pages carry the AI mark; and who may see and empty the quarantine."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from catalog.models import PublishedCopy


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


class Alert(models.Model):
    """A part of the desk that was in trouble: from when to when, and who said that they see to it."""

    part = models.CharField(max_length=60)
    state = models.CharField(max_length=8, help_text="busy, alarm or down, when it was raised")
    words = models.CharField(max_length=500)
    raised_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    note = models.CharField(max_length=500, blank=True, help_text="what is being done about it")

    class Meta:
        ordering = ("-raised_at",)
        permissions = (("acknowledge_alert", "Can say that somebody sees to an alert"),)
        constraints = (
            models.UniqueConstraint(fields=("part",), condition=Q(ended_at=None), name="one_open_alert_per_part"),
        )

    def __str__(self) -> str:
        return f"{self.part} {self.state}"


class Refusal(models.Model):
    """How often somebody was refused in an hour: a sign-in that failed, a page or call that asked for more rights, or
    the door in front of Label Studio.
    """

    class Kind(models.TextChoices):
        SIGN_IN = "sign_in", "Sign-in failed"
        PERMISSION = "permission", "Permission missing"
        DOOR = "door", "Refused at the door of Label Studio"

    kind = models.CharField(max_length=12, choices=Kind)
    account = models.CharField(max_length=40, blank=True, help_text="user:<id>; empty: no account of that name")
    what = models.CharField(max_length=120, help_text="the page or call, by its name; at the door the reason")
    hour = models.DateTimeField()
    n = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ("-hour",)
        constraints = (
            models.UniqueConstraint(fields=("hour", "kind", "account", "what"), name="one_refusal_count_an_hour"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.account} {self.what} ×{self.n}"


class MarkCheck(models.Model):
    """Whether the page that shoppers see carries the AI mark of a live text: the last look."""

    class Outcome(models.TextChoices):
        CARRIED = "carried", "Carries the mark"
        STRIPPED = "stripped", "Shows the text, but not the mark"
        NO_TEXT = "no_text", "Does not show the text"
        UNREACHABLE = "unreachable", "Cannot be read"

    copy = models.OneToOneField(PublishedCopy, on_delete=models.CASCADE, related_name="mark_check")
    at = models.DateTimeField()
    url = models.CharField(max_length=1000)
    outcome = models.CharField(max_length=12, choices=Outcome)
    details = models.JSONField(default=dict, help_text="which parts of the mark were there")

    class Meta:
        ordering = ("-at",)
        indexes = (models.Index(fields=("outcome",), name="mark_check_outcome"),)

    def __str__(self) -> str:
        return f"{self.outcome} {self.url}"
