"""What was drawn by lot from all that came on a day."""

from __future__ import annotations

from django.db import models


class TrafficSample(models.Model):
    """A subject that the lot of its day drew for a question from all that came that day, whatever any model says of it.

    What goes takes it along, by the trigger that forgets predictions.
    """

    day = models.DateField(help_text="in UTC")
    question = models.CharField(max_length=60)
    subject = models.CharField(max_length=120, help_text="a reference: core/refs.py")
    n_of = models.PositiveIntegerField(help_text="so many came that day")
    drawn_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("pk",)
        # By the subject first: the trigger asks so.
        constraints = (models.UniqueConstraint(fields=("subject", "question"), name="drawn_once_for_a_question"),)
        indexes = (models.Index(fields=("question", "day"), name="traffic_by_day"),)

    def __str__(self) -> str:
        return f"{self.day}: {self.question} of {self.subject}"
