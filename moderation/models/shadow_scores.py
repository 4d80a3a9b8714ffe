"""What challengers would have said of reviews and drafts."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from catalog.models import CustomerReview
from inference.models import ModelVersion
from moderation.models.candidates import Candidate


class ShadowScore(models.Model):
    """What a challenger would have said of a text that the champion of its role judged. Nothing acts on it."""

    review = models.ForeignKey(CustomerReview, null=True, on_delete=models.CASCADE, related_name="+")
    # The unique constraint below begins with it: no index of its own.
    candidate = models.ForeignKey(Candidate, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    model_version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    label = models.CharField(max_length=24)
    confidence = models.FloatField(help_text="probability of `label`, 0 to 1")
    seconds = models.FloatField(help_text="its share of the time its batch took")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(fields=("review", "model_version"), name="one_shadow_per_model"),
            models.UniqueConstraint(fields=("candidate", "model_version"), name="one_shadow_of_a_draft_per_model"),
            models.CheckConstraint(
                condition=Q(review__isnull=False, candidate=None) | Q(review=None, candidate__isnull=False),
                name="shadow_score_is_about_one_text",
            ),
        )

    def __str__(self) -> str:
        return f"{self.label} ({self.confidence:.0%})"
