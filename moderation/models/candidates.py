"""From the order for copy to the drafts and what was found in them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from catalog.models import CONTROL, Channel, Locale, Product
from catalog.slots import Slot
from core.leases import Leased
from inference.models import ModelVersion
from moderation.models.policies import PolicyVersion


class GenerationRequest(Leased):
    """An order for copy: a slot and the variant of it that is to be filled, `n_candidates` drafts."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        GENERATING = "generating", "Generating"
        COMPLETED = "completed", "Completed"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The unique constraint below begins with it: an index of its own would only slow down each claim.
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="generation_requests", db_index=False)
    channel = models.CharField(max_length=24, choices=Channel)
    locale = models.CharField(max_length=12, choices=Locale)
    audience = models.CharField(max_length=40, blank=True, default="", db_default="", help_text="empty: everybody")
    variant = models.CharField(
        max_length=40, default=CONTROL, db_default=CONTROL, help_text="what is approved goes live in this one"
    )
    facts_hash = models.CharField(max_length=64, editable=False)
    prompt_version = models.CharField(max_length=40, editable=False)
    alias = models.CharField(max_length=24, default="champion", editable=False)
    round = models.PositiveSmallIntegerField(default=1, help_text="raised to ask again for the same facts")
    n_candidates = models.PositiveSmallIntegerField(default=3)
    params = models.JSONField(default=dict, blank=True, help_text="overrides of the decoding parameters")
    status = models.CharField(max_length=12, choices=Status, default=Status.QUEUED)
    is_awaited = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="a person watches it: written before the backlog"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("-created_at",)
        permissions = (("request_copy", "Can ask for copy"),)
        constraints = (
            models.UniqueConstraint(
                fields=(
                    "product",
                    "channel",
                    "locale",
                    "facts_hash",
                    "prompt_version",
                    "alias",
                    "round",
                    "audience",
                    "variant",
                ),
                name="one_request_per_facts_and_prompt",
            ),
            models.CheckConstraint(
                condition=Q(status__in=("queued", "generating", "completed", "failed", "cancelled")),
                name="generation_request_status",
            ),
        )
        indexes = (
            models.Index(fields=("created_at", "id"), condition=Q(status="queued"), name="generation_queued"),
            models.Index(
                fields=("created_at", "id"), condition=Q(status="queued", is_awaited=True), name="generation_awaited"
            ),
            models.Index(fields=("lease_expires_at",), condition=Q(status="generating"), name="generation_held"),
        )

    def __str__(self) -> str:
        return str(Slot.of(self))


class Candidate(models.Model):
    """A stored draft with its provenance. Immutable but for `status` and `rank`; a reviewer's fix is a child."""

    class Status(models.TextChoices):
        GENERATED = "generated", "Generated"
        BLOCKED = "blocked", "Blocked"
        IN_REVIEW = "in_review", "In review"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        PUBLISHED = "published", "Published"
        RETIRED = "retired", "Retired"
        SUPERSEDED = "superseded", "Superseded"

    class Origin(models.TextChoices):
        MACHINE = "machine", "Written by a model"
        HUMAN = "human", "Edited by a person"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(GenerationRequest, on_delete=models.CASCADE, related_name="candidates", editable=False)
    ordinal = models.PositiveSmallIntegerField(editable=False, help_text="0, 1, 2 … within the request")
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="fixes", editable=False
    )
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="candidates", editable=False)
    channel = models.CharField(max_length=24, choices=Channel, editable=False)
    locale = models.CharField(max_length=12, choices=Locale, editable=False)
    audience = models.CharField(max_length=40, default="", db_default="", editable=False, help_text="empty: everybody")
    variant = models.CharField(max_length=40, default=CONTROL, db_default=CONTROL, editable=False)
    text = models.TextField(editable=False)
    untidied = models.TextField(
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="as the model wrote it, where tidying changed it",
    )
    tidied_by = models.CharField(
        max_length=20, blank=True, default="", db_default="", editable=False, help_text="version of the tidying"
    )
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.MACHINE, editable=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.GENERATED, editable=False)

    model_version = models.ForeignKey(
        ModelVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    prompt_version = models.CharField(max_length=40, blank=True, editable=False)
    prompt_hash = models.CharField(max_length=64, blank=True, editable=False)
    brand_voice = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="hash of the policy version whose brand voice its prompt told; empty: none",
    )
    facts_hash = models.CharField(max_length=64, editable=False)
    facts = models.JSONField(default=list, editable=False, help_text="the brief it was written from, as it was then")
    params = models.JSONField(default=dict, editable=False)
    seed = models.BigIntegerField(null=True, editable=False)
    prompt_tokens = models.PositiveIntegerField(null=True, editable=False)
    completion_tokens = models.PositiveIntegerField(null=True, editable=False)
    generation_seconds = models.FloatField(null=True, editable=False)
    device = models.CharField(max_length=60, blank=True, editable=False)
    finish_reason = models.CharField(max_length=12, blank=True, editable=False)

    grounding = models.FloatField(null=True, editable=False, help_text="0 to 1: how well the facts back the text")
    proofreading = models.JSONField(
        default=dict, db_default={}, editable=False, help_text="hints about spelling and grammar, and what gave them"
    )
    rank = models.PositiveSmallIntegerField(null=True, editable=False, help_text="1 is the best of its request")
    screened_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at", "ordinal")
        permissions = (
            ("overrule_block", "Can put a blocked candidate into review"),
            ("audit_candidate", "Can see the whole history of a candidate"),
        )
        constraints = (
            models.UniqueConstraint(fields=("request", "ordinal"), name="one_candidate_per_ordinal"),
            models.CheckConstraint(
                condition=Q(
                    status__in=(
                        "generated",
                        "blocked",
                        "in_review",
                        "approved",
                        "rejected",
                        "published",
                        "retired",
                        "superseded",
                    )
                ),
                name="candidate_status",
            ),
        )
        indexes = (
            models.Index(fields=("status", "-created_at"), name="candidate_status_created"),
            models.Index(fields=("created_at",), condition=Q(status="generated", screened_at=None), name="to_screen"),
        )

    def __str__(self) -> str:
        return f"{Slot.of(self)} #{self.ordinal}"

    def lineage(self) -> list[Candidate]:
        """Return the text and what it was made from, the first draft last: a fix after an appeal is a fix of a fix."""
        texts = [self]
        while texts[-1].parent:
            texts.append(texts[-1].parent)
        return texts

    @property
    def first_draft(self) -> Candidate:
        """What a model wrote before anybody edited it; the text itself where nobody did."""
        return self.lineage()[-1]


class Finding(models.Model):
    """One hit of one check in one candidate, with the span of text it points at."""

    class Severity(models.TextChoices):
        INFO = "info", "Info"
        WARN = "warn", "Warning"
        BLOCK = "block", "Block"

    class Verdict(models.TextChoices):
        CONFIRMED = "confirmed", "Confirmed by a reviewer"
        DISMISSED = "dismissed", "Dismissed by a reviewer"

    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="findings")
    check_name = models.CharField(max_length=60)
    check_version = models.CharField(max_length=20)
    policy_version = models.ForeignKey(
        PolicyVersion, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, editable=False
    )
    code = models.CharField(max_length=60, help_text="e.g. unsupported_number")
    severity = models.CharField(max_length=8, choices=Severity)
    message = models.CharField(max_length=500)
    start = models.PositiveIntegerField(null=True, help_text="first character of the span; none = the whole text")
    end = models.PositiveIntegerField(null=True, help_text="one past the last character")
    evidence = models.JSONField(default=dict)
    verdict = models.CharField(max_length=12, choices=Verdict, blank=True)

    class Meta:
        ordering = ("start", "id")

    def __str__(self) -> str:
        return f"{self.severity} {self.code}"
