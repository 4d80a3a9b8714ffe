"""The rules of each queue of human work."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q

from moderation.models.reviews import ReviewItem


class QueuePolicy(models.Model):
    """How one queue is worked: who takes from it, for how long, how fast it should be, and how long it may grow.

    A queue without a row has the defaults of the settings; `moderation.queue_policies` reads and writes both.
    """

    class Access(models.TextChoices):
        ANY = "any", "Anybody who may review"
        ASSIGNED = "assigned", "Only the people assigned"

    kind = models.CharField(max_length=24, choices=ReviewItem.Kind, unique=True)
    enable_reservations = models.BooleanField(
        default=True, help_text="an item is one person's while they work; without, everybody gets the most urgent one"
    )
    reservation_minutes = models.PositiveIntegerField(help_text="after that an unanswered item goes to somebody else")
    reviewer_access_mode = models.CharField(max_length=12, choices=Access, default=Access.ANY)
    reviewers = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    sla_minutes = models.PositiveIntegerField(help_text="from opened to decided; later counts as a breach")
    ageing_minutes = models.PositiveIntegerField(help_text="in this time waiting makes an item 2.7 times as urgent")
    max_waiting = models.PositiveIntegerField(help_text="above this what feeds the queue pauses; 0 = never")
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("kind",)
        verbose_name_plural = "queue policies"
        permissions = (("set_queue_policy", "Can set the rules of a queue"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(reservation_minutes__gte=1, sla_minutes__gte=1, ageing_minutes__gte=1),
                name="queue_policy_minutes",
            ),
            models.CheckConstraint(
                condition=Q(reviewer_access_mode__in=("any", "assigned")), name="queue_policy_access"
            ),
        )

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def reservation(self) -> dt.timedelta:
        """How long an item is one person's."""
        return dt.timedelta(minutes=self.reservation_minutes)

    @property
    def sla(self) -> dt.timedelta:
        """How long an item may take from opened to decided."""
        return dt.timedelta(minutes=self.sla_minutes)

    @property
    def ageing(self) -> dt.timedelta:
        """The time constant of `moderation.priority`."""
        return dt.timedelta(minutes=self.ageing_minutes)

    @property
    def resumes_below(self) -> int:
        """How short a paused queue has to be before it is fed again: lower than where it paused, or it would flutter."""
        return self.max_waiting - self.max_waiting // 5
