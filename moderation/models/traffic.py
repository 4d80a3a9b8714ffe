"""What was drawn by lot from a day's customer reviews."""

from __future__ import annotations

from django.db import models

from catalog.models import CustomerReview


class TrafficSample(models.Model):
    """A customer review that the lot of its day drew from all that came that day, whatever any model says of it."""

    day = models.DateField(help_text="in UTC")
    review = models.OneToOneField(CustomerReview, on_delete=models.CASCADE, related_name="traffic_sample")
    n_of = models.PositiveIntegerField(help_text="so many came that day")
    drawn_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("pk",)
        indexes = (models.Index(fields=("day",), name="traffic_by_day"),)

    def __str__(self) -> str:
        return f"{self.day}: {self.review_id}"
