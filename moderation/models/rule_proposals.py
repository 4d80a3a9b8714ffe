"""Rules that people dismiss too often, proposed for a softer severity: figures, trial on live copy, answer."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from moderation.models.policies import PolicyVersion
from moderation.models.retro_scans import RetroScan


class RuleProposal(models.Model):
    """One rule of the policy in force, the severity it has and the softer one, and what a person said to it."""

    class Status(models.TextChoices):
        OPEN = "open", "Waits for an answer"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"
        LAPSED = "lapsed", "Lapsed: the rule was changed"

    pack = models.CharField(max_length=60, editable=False)
    rule = models.CharField(max_length=60, editable=False)
    rule_hash = models.CharField(max_length=64, editable=False, help_text="the rule as the answers were given to it")
    version = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, related_name="+", editable=False, help_text="in force when proposed"
    )
    severity = models.CharField(max_length=8, editable=False, help_text="what the rule has")
    softer = models.CharField(max_length=8, editable=False, help_text="what is proposed")
    n_confirmed = models.PositiveIntegerField(editable=False, help_text="drafts in which a reviewer confirmed it")
    n_dismissed = models.PositiveIntegerField(editable=False, help_text="drafts in which a reviewer dismissed it")
    high = models.FloatField(editable=False, help_text="upper end of the 95 % interval of the share confirmed, 0 to 1")
    floor = models.FloatField(editable=False, help_text="the share it lay under, 0 to 1")
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN, editable=False)
    scan = models.ForeignKey(
        RetroScan, null=True, on_delete=models.PROTECT, related_name="+", editable=False, help_text="its last trial"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, editable=False)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    reason = models.CharField(max_length=500, blank=True, editable=False)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("pack", "rule"), condition=Q(status="open"), name="one_open_proposal_for_a_rule"
            ),
            models.CheckConstraint(
                condition=Q(status__in=("open", "accepted", "declined", "lapsed")), name="rule_proposal_status"
            ),
        )

    def __str__(self) -> str:
        return f"{self.pack}.{self.rule}: {self.severity} → {self.softer}"
