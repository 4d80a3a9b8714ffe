"""The rules of each queue of human work."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from catalog.models import Channel
from labeling.question import title_of
from moderation.models.candidates import Finding


def claims_to_check() -> list[str]:
    """Return what the codes of findings hold where a claim is of health or of a price."""
    return ["medical", "health", "price"]


class QueuePolicy(models.Model):
    """How one queue is worked: who takes from it, for how long, how fast it should be, and how long it may grow.

    A queue without a row has the defaults of the settings; `moderation.queues.rules` reads and writes both.
    """

    class Access(models.TextChoices):
        ANY = "any", "Anybody who may review"
        ASSIGNED = "assigned", "Only the people assigned"

    class Consensus(models.TextChoices):
        MAJORITY = "majority", "Majority"
        DAWID_SKENE = "dawid_skene", "Dawid and Skene: weighs people by how they err"
        CROWDLAB = "crowdlab", "CROWDLAB: weighs people and the model"

    class Contradicted(models.TextChoices):
        BLOCK = "block", "The draft is blocked"
        TWO_PEOPLE = "two_people", "Two people let it out"
        WARN = "warn", "One person decides"

    question = models.CharField(max_length=60, unique=True, help_text="name of the question")
    enable_reservations = models.BooleanField(
        default=True, help_text="an item is one person's while they work; without, everybody gets the most urgent one"
    )
    reservation_minutes = models.PositiveIntegerField(help_text="after that an unanswered item goes to somebody else")
    reviewer_access_mode = models.CharField(max_length=12, choices=Access, default=Access.ANY)
    reviewers = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    sla_minutes = models.PositiveIntegerField(help_text="from opened to decided; later counts as a breach")
    ageing_minutes = models.PositiveIntegerField(help_text="in this time waiting makes an item 2.7 times as urgent")
    max_waiting = models.PositiveIntegerField(help_text="above this what feeds the queue pauses; 0 = never")
    num_reviewers_per_item = models.PositiveSmallIntegerField(
        default=1, help_text="how many people answer each item, none seeing the others"
    )
    num_reviewers_risky = models.PositiveSmallIntegerField(
        default=1, help_text="how many, where a mistake would cost much"
    )
    risky_from = models.FloatField(default=0.6, help_text="the risk, 0.1 to 1, from which an item counts as risky")
    consensus_method = models.CharField(max_length=16, choices=Consensus, default=Consensus.MAJORITY)
    min_quality = models.FloatField(
        default=0.6, help_text="a consensus less sure than this, 0 to 1, goes to a senior, as a tie does"
    )
    blind_percent = models.PositiveSmallIntegerField(
        default=10, help_text="share of items shown without the model's suggestion, to measure what it does to people"
    )
    rereview_percent = models.PositiveSmallIntegerField(
        default=2, help_text="share of decided items that a second person answers blind"
    )
    gold_percent = models.PositiveSmallIntegerField(
        default=0, help_text="share of what a person gets whose answer is known"
    )
    random_percent = models.PositiveSmallIntegerField(
        default=20, help_text="share of items that are drawn at random, so that figures stay honest"
    )
    # What is of high severity: one person answers, a second one confirms (moderation/decisions/severity.py).
    check_severity = models.CharField(
        max_length=8,
        choices=Finding.Severity,
        blank=True,
        default=Finding.Severity.BLOCK,
        help_text="a text that goes out with a finding this grave or graver, dismissed or overruled; empty: none",
    )
    check_codes = ArrayField(
        models.CharField(max_length=60),
        blank=True,
        default=claims_to_check,
        help_text="a text that goes out with a finding whose code holds one of these, e.g. health, price",
    )
    check_channels = ArrayField(
        models.CharField(max_length=24, choices=Channel),
        blank=True,
        default=list,
        help_text="whatever goes out in these channels",
    )
    check_categories = ArrayField(
        models.CharField(max_length=120),
        blank=True,
        default=list,
        help_text="whatever goes out for products whose category holds one of these",
    )
    contradicted_facts = models.CharField(
        max_length=12,
        choices=Contradicted,
        default=Contradicted.TWO_PEOPLE,
        help_text="what a text needs that says otherwise than a fact",
    )
    ticks_suggestions = models.BooleanField(
        default=False, help_text="the answer starts from what the model suggests; without, it stands beside the choices"
    )
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("question",)
        verbose_name_plural = "queue policies"
        permissions = (("set_queue_policy", "Can set the rules of a queue"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(reservation_minutes__gte=1, sla_minutes__gte=1, ageing_minutes__gte=1),
                name="queue_policy_minutes",
            ),
            models.CheckConstraint(
                condition=Q(num_reviewers_per_item__gte=1, num_reviewers_risky__gte=1), name="queue_policy_overlap"
            ),
            models.CheckConstraint(
                condition=Q(
                    blind_percent__lte=100, rereview_percent__lte=100, gold_percent__lte=100, random_percent__lte=100
                ),
                name="queue_policy_percent",
            ),
            models.CheckConstraint(
                condition=Q(reviewer_access_mode__in=("any", "assigned")), name="queue_policy_access"
            ),
            models.CheckConstraint(
                condition=Q(contradicted_facts__in=("block", "two_people", "warn")), name="queue_policy_contradicted"
            ),
        )

    def __str__(self) -> str:
        return title_of(self.question)

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

    def overlap(self, risk: float) -> int:
        """Return how many people answer an item of this risk."""
        return max(self.num_reviewers_per_item, self.num_reviewers_risky if risk >= self.risky_from else 1)

    @property
    def resumes_below(self) -> int:
        """How short a paused queue has to be before it is fed again: lower than where it paused,
        or it would flutter.
        """
        return self.max_waiting - self.max_waiting // 5
