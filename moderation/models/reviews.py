"""Human work: the item a person reviews, what they decided, and the sentiment of customer reviews."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from catalog.models import CustomerReview
from core.leases import Leased
from inference.models import ModelVersion
from labeling.models import Consensus, LabelingTask
from moderation.models.candidates import Candidate
from moderation.priority import Factors


class Sentiment(models.Model):
    """The sentiment a model gave a customer review."""

    review = models.ForeignKey(CustomerReview, on_delete=models.CASCADE, related_name="sentiments")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    label = models.CharField(max_length=24)
    probabilities = models.JSONField()
    confidence = models.FloatField(help_text="probability of `label`, 0 to 1")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (models.UniqueConstraint(fields=("review", "model_version"), name="one_sentiment_per_model"),)

    def __str__(self) -> str:
        return f"{self.label} ({self.confidence:.0%})"


class ReviewItem(Leased):
    """A unit of human work, leased to one person at a time."""

    class Kind(models.TextChoices):
        COPY = "copy_review", "Copy review"
        SENTIMENT = "review_sentiment", "Review sentiment"

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DISPATCHED = "dispatched", "With a reviewer"
        ESCALATED = "escalated", "Escalated to a senior"
        DECIDED = "decided", "Decided"
        WITHDRAWN = "withdrawn", "Withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=24, choices=Kind)
    candidate = models.OneToOneField(
        Candidate, null=True, blank=True, on_delete=models.PROTECT, related_name="review_item"
    )
    customer_review = models.OneToOneField(
        CustomerReview, null=True, blank=True, on_delete=models.PROTECT, related_name="review_item"
    )
    labeling_task = models.OneToOneField(
        LabelingTask, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    status = models.CharField(max_length=12, choices=Status, default=Status.WAITING)
    # What each factor means and its range: moderation/priority.py.
    risk = models.FloatField(default=1, editable=False, help_text="0.1 to 1: what a mistake would cost")
    uncertainty = models.FloatField(default=1, editable=False, help_text="0.1 to 1: how little the model knows")
    value = models.FloatField(default=1, editable=False, help_text="1 to 3: what the product is worth")
    urgent_from = models.DateTimeField(
        default=timezone.now,
        editable=False,
        help_text="orders the queue, earliest first: opened, less what makes it urgent",
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    escalated_reason = models.CharField(max_length=500, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
    escalated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    last_consensus = models.ForeignKey(
        Consensus, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        help_text="the answer last acted on; a newer one is still to be settled",
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="by who holds or decided it; not by who let go")
    released_at = models.DateTimeField(null=True, blank=True, help_text="last let go of, or its lease ran out")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("urgent_from", "created_at")
        permissions = (
            ("review_item", "Can take and decide review items"),
            ("review_escalated_item", "Can decide escalated items"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=("waiting", "dispatched", "escalated", "decided", "withdrawn")),
                name="review_item_status",
            ),
            models.CheckConstraint(
                condition=Q(candidate=None, customer_review__isnull=False)
                | Q(candidate__isnull=False, customer_review=None),
                name="review_item_is_about_one_thing",
            ),
        )
        indexes = (
            models.Index(fields=("kind", "urgent_from", "id"), condition=Q(status="waiting"), name="review_next"),
            models.Index(fields=("kind",), condition=Q(status__in=("waiting", "escalated")), name="review_waiting"),
            models.Index(fields=("kind", "decided_at"), condition=Q(status="decided"), name="review_decided"),
            models.Index(
                fields=("lease_expires_at",), condition=Q(status__in=("dispatched", "escalated")), name="review_held"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def factors(self) -> Factors:
        """Why it is where it is in its queue."""
        return Factors(self.risk, self.uncertainty, self.value)


class Decision(models.Model):
    """The final act on an item. Never changes; a later one supersedes it."""

    class Outcome(models.TextChoices):
        APPROVE = "approve", "Approve"
        EDIT = "edit", "Approve with a fix"
        REJECT = "reject", "Reject"
        LABEL = "label", "Label"

    class DecidedBy(models.TextChoices):
        HUMAN_SINGLE = "human_single", "One person"
        HUMAN_CONSENSUS = "human_consensus", "Consensus of several"
        AUTOMATIC = "automatic", "Automatic"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="decisions", editable=False)
    consensus = models.ForeignKey(Consensus, null=True, on_delete=models.PROTECT, related_name="+", editable=False)
    outcome = models.CharField(max_length=12, choices=Outcome, editable=False)
    label = models.CharField(max_length=24, blank=True, editable=False, help_text="sentiment, where that was asked")
    result = models.ForeignKey(
        Candidate,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        help_text="the candidate that was let out: the draft itself, or the fix",
    )
    decided_by = models.CharField(max_length=16, choices=DecidedBy, editable=False)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="decisions", editable=False
    )
    reason_codes = models.JSONField(default=list, editable=False)
    rationale = models.TextField(blank=True, editable=False)
    policy_version = models.CharField(max_length=64, blank=True, editable=False)
    lead_time = models.DurationField(null=True, editable=False)
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="superseded_by", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(fields=("item", "consensus"), name="one_decision_per_consensus"),
            models.CheckConstraint(
                condition=Q(outcome__in=("approve", "edit", "reject", "label")), name="decision_outcome"
            ),
        )

    def __str__(self) -> str:
        return f"{self.outcome} on {self.item_id}"
