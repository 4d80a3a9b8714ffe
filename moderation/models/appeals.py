"""Appeals: somebody disagrees with a rejection, a taking down or a hiding, and what another person says of it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from moderation.models.candidates import Candidate
from moderation.models.reviews import Decision


class Appeal(models.Model):
    """A complaint about a decision on copy or on a customer review, judged by somebody who had no part in it (compare
    Art. 20 of the EU's DSA).

    That the judge is another person is a constraint of the table where it is about the appellant, and a trigger's where
    it is about who made and who checked the decision.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        UPHELD = "upheld", "Upheld: the decision stands"
        OVERTURNED = "overturned", "Overturned"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="appeal", editable=False)
    appellant = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False)
    reason = models.TextField(editable=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN, editable=False)
    judge = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    answer = models.TextField(blank=True, editable=False, help_text="why it was upheld or overturned")
    candidate = models.OneToOneField(
        Candidate,
        null=True,
        on_delete=models.PROTECT,
        related_name="reinstated_by",
        editable=False,
        help_text="the same text as a draft again, where the decision was overturned",
    )
    ruling = models.ForeignKey(
        Decision,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        help_text="the decision that shows the customer review again, where the one that hid it was overturned",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-created_at",)
        permissions = (
            ("appeal_decision", "Can appeal against a decision"),
            ("judge_appeal", "Can uphold or overturn a decision"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(status__in=("open", "upheld", "overturned")), name="appeal_status"),
            models.CheckConstraint(
                condition=Q(status="open", judge=None) | (~Q(status="open") & Q(judge__isnull=False)),
                name="an_appeal_is_judged_once",
            ),
            models.CheckConstraint(condition=Q(judge=None) | ~Q(judge=F("appellant")), name="judge_is_not_appellant"),
            models.CheckConstraint(
                condition=~Q(status="overturned") | Q(candidate__isnull=False) | Q(ruling__isnull=False),
                name="overturned_has_a_sequel",
            ),
        )
        indexes = (models.Index(fields=("created_at",), condition=Q(status="open"), name="appeal_open"),)

    def __str__(self) -> str:
        return f"appeal against {self.decision_id}"
