"""Human work: the item a person reviews, and what they decided."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from catalog.models import CustomerReview
from core.leases import Leased
from core.refs import ref
from labeling.models import Consensus, LabelingTask, Vote
from labeling.question import title_of
from labeling.subject import subject_behind
from moderation.models.asked_about import AskedAbout
from moderation.models.candidates import Candidate
from moderation.priority import Factors

# Two questions that this app knows by name: the verdict that lets a draft out, and one that pages show by themselves.
COPY_VERDICT, SENTIMENT = "copy_verdict", "sentiment"


class ReviewItems(models.QuerySet["ReviewItem"]):
    """Review items, with what is asked of them often."""

    def work(self) -> ReviewItems:
        """Leave out known answers: they wait for whoever is tested next, and nobody is late with them."""
        return self.exclude(purpose=Vote.Purpose.GOLD)


class ReviewItem(AskedAbout, Leased):
    """A unit of human work, leased to one person at a time.

    Where several people are asked the same, one item leads the panel and each further one is a seat of it. The leading
    item is about the subject and is what gets decided; every seat has a labelling task of its own, so nobody sees what
    another person answered.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DISPATCHED = "dispatched", "With a reviewer"
        ANSWERED = "answered", "Answered: waits for others"
        ESCALATED = "escalated", "Escalated to a senior"
        CONFIRMING = "confirming", "Waits for a second person"
        DECIDED = "decided", "Decided"
        WITHDRAWN = "withdrawn", "Withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    question = models.CharField(max_length=60, help_text="name of the question")
    purpose = models.CharField(max_length=16, choices=Vote.Purpose, default=Vote.Purpose.LABEL)
    lead = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="seats")
    # What a leading item is about, whatever it is: a reference (core/refs.py). The two keys below are for joins, the
    # first of them where the question is whether a draft goes out.
    about = models.CharField(max_length=120, blank=True, editable=False)
    candidate = models.OneToOneField(
        Candidate, null=True, blank=True, on_delete=models.PROTECT, related_name="review_item"
    )
    customer_review = models.ForeignKey(
        CustomerReview, null=True, blank=True, on_delete=models.PROTECT, related_name="review_items"
    )
    locale = models.CharField(
        max_length=12,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="the language that who is asked has to read; empty: any",
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
    suggestion = models.CharField(max_length=60, blank=True, help_text="the label that the model suggests")
    strategy = models.CharField(
        max_length=24, blank=True, help_text="why it was put before people: uncertain, random …"
    )
    gold_label = models.CharField(max_length=60, blank=True, help_text="the known answer: people are tested with it")
    returned_reason = models.CharField(max_length=500, blank=True, help_text="why the answer before was sent back")
    returned_at = models.DateTimeField(null=True, blank=True, help_text="while who answered has to answer again")
    # What one person answered and a second one has to confirm (moderation/decisions/confirmations.py).
    high_severity = models.JSONField(default=list, blank=True, help_text="why one person alone does not let it out")
    proposal = models.ForeignKey(Consensus, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(null=True, blank=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    escalated_reason = models.CharField(max_length=500, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
    escalated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    last_consensus = models.ForeignKey(
        Consensus,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="the answer last acted on; a newer one is still to be settled",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="by who holds or decided it; not by who let go")
    released_at = models.DateTimeField(null=True, blank=True, help_text="last let go of, or its lease ran out")
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = ReviewItems.as_manager()

    class Meta:
        ordering = ("urgent_from", "created_at")
        permissions = (
            ("review_item", "Can take and decide review items"),
            ("review_escalated_item", "Can decide escalated items"),
            ("set_gold", "Can make an answer a known one"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    status__in=(
                        "waiting",
                        "dispatched",
                        "answered",
                        "escalated",
                        "confirming",
                        "decided",
                        "withdrawn",
                    )
                ),
                name="review_item_status",
            ),
            models.CheckConstraint(
                condition=~Q(status="confirming") | Q(proposal__isnull=False, proposed_by__isnull=False),
                name="what_is_confirmed_was_proposed",
            ),
            models.CheckConstraint(
                condition=(Q(lead=None) & ~Q(about="") & (Q(candidate=None) | Q(customer_review=None)))
                | Q(lead__isnull=False, about="", candidate=None, customer_review=None),
                name="review_item_is_about_one_thing",
            ),
            models.UniqueConstraint(
                fields=("question", "about"), condition=Q(lead=None), name="one_leading_item_per_question_and_subject"
            ),
            models.UniqueConstraint(
                Coalesce("lead", "id"),
                "assignee",
                condition=Q(assignee__isnull=False),
                name="one_seat_per_person",
            ),
        )
        indexes = (
            models.Index(fields=("question", "urgent_from", "id"), condition=Q(status="waiting"), name="review_next"),
            models.Index(fields=("question",), condition=Q(status__in=("waiting", "escalated")), name="review_waiting"),
            models.Index(fields=("question", "decided_at"), condition=Q(status="decided"), name="review_decided"),
            models.Index(
                fields=("lease_expires_at",), condition=Q(status__in=("dispatched", "escalated")), name="review_held"
            ),
            models.Index(
                fields=("question",),
                name="review_second",
                condition=Q(purpose="second_review", status__in=("waiting", "dispatched", "answered", "escalated")),
            ),
            models.Index(fields=("question",), condition=~Q(gold_label=""), name="review_gold"),
            models.Index(fields=("proposed_at",), condition=Q(status="confirming"), name="review_confirming"),
        )

    def __str__(self) -> str:
        return f"{self.question} {self.id}"

    @property
    def title(self) -> str:
        """What people call its queue."""
        return title_of(self.question)

    @staticmethod
    def pointing_at(question: str, subject: models.Model) -> dict[str, Any]:
        """Return the fields of a leading item that asks the question `question` about `subject`, a row."""
        about = ref(subject)
        fields: dict[str, Any] = {"question": question, "about": about, "locale": subject_behind(about).locale(subject)}
        if isinstance(subject, CustomerReview):
            fields["customer_review"] = subject
        elif isinstance(subject, Candidate) and question == COPY_VERDICT:
            fields["candidate"] = subject
        return fields

    @property
    def factors(self) -> Factors:
        """Why it is where it is in its queue."""
        return Factors(self.risk, self.uncertainty, self.value)


class Decision(models.Model):
    """The final act on an item. Never changes, which a trigger sees to; a later one supersedes it.

    What is of high severity is two people's: `reviewer` made it, `checker` confirmed it. That they are two is a
    constraint of the table; that they are not two accounts of one person, nor the checker one who had a part in it, a
    trigger's.
    """

    class Outcome(models.TextChoices):
        APPROVE = "approve", "Approve"
        EDIT = "edit", "Approve with a fix"
        REJECT = "reject", "Reject"
        LABEL = "label", "Label"
        RETIRE = "retire", "Take down"

    class DecidedBy(models.TextChoices):
        HUMAN_SINGLE = "human_single", "One person"
        HUMAN_CONSENSUS = "human_consensus", "Consensus of several"
        AUTOMATIC = "automatic", "Automatic"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="decisions", editable=False)
    consensus = models.ForeignKey(Consensus, null=True, on_delete=models.PROTECT, related_name="+", editable=False)
    outcome = models.CharField(max_length=12, choices=Outcome, editable=False)
    label = models.CharField(max_length=60, blank=True, editable=False, help_text="where one was asked for")
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
    lead_time = models.DurationField(null=True, editable=False, help_text="as measured by Label Studio")
    dwell_time = models.DurationField(
        null=True, editable=False, help_text="from taken to answered, by our own clock; empty: it was not taken here"
    )
    suggestion_shown = models.BooleanField(
        null=True, editable=False, help_text="whether what the model suggested was shown; empty: it suggested nothing"
    )
    high_severity = models.JSONField(default=list, editable=False, help_text="why it needed a second person")
    checker = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    check_note = models.CharField(max_length=500, blank=True, editable=False)
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="superseded_by", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)
        permissions = (("check_decision", "Can confirm or return what another person decided"),)
        constraints = (
            models.UniqueConstraint(fields=("item", "consensus"), name="one_decision_per_consensus"),
            models.CheckConstraint(
                condition=Q(outcome__in=("approve", "edit", "reject", "label", "retire")), name="decision_outcome"
            ),
            models.CheckConstraint(
                condition=Q(checker=None) | (Q(reviewer__isnull=False) & ~Q(checker=F("reviewer"))),
                name="maker_is_not_checker",
            ),
            models.CheckConstraint(
                condition=Q(high_severity=[]) | ~Q(outcome__in=("approve", "edit")) | Q(checker__isnull=False),
                name="high_severity_is_checked",
            ),
        )

    def __str__(self) -> str:
        return f"{self.outcome} on {self.item_id}"
